"""What rknn-toolkit2's log of a build tells: `build()` answers 0 even when an operator will not run on the NPU."""

import re
from dataclasses import dataclass

# Two lines that stand for trouble, in the toolkit's own spelling.
UNKNOWN_TARGET = "Unkown op target"
NO_LOWERING = re.compile(r"No lowering found for: (\S+), node type = (\w+)")
# Of the table of operators: number, type, data type, where it runs, shapes, cycles (memory/NPU/total), …, its name.
_OPERATOR = re.compile(r"\] (\d+) +(\w+) +\w+ +(CPU|NPU|GPU) +.* (\d+)/(\d+)/(\d+) .* (\S+)\s*$")
_MEMORY = re.compile(r"Total (Internal|Weight) Memory Size: ([\d.]+)KB")
_ERROR = re.compile(r"^E (?!RKNN: .*Unkown op target|rknn-toolkit2 version|Traceback)(.*)$", re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[\d;]*m")
_BOUNDARIES = ("InputOperator", "OutputOperator")


@dataclass
class BuildLog:
    """Facts of one graph's build.

    Args:
        off_npu: operators that run elsewhere, `type name`.
        unlowered: operators that the toolkit has no code for, `type name`.
        errors: the toolkit's own error lines.
        cycles: its estimate for a call, of those operators that it has one for: NPU clock cycles in all.
        weight_megabytes, internal_megabytes: memory for weights and between operators.
    """

    off_npu: list[str]
    unlowered: list[str]
    errors: list[str]
    cycles: int
    weight_megabytes: float
    internal_megabytes: float


def read_log(text: str) -> BuildLog:
    """The facts of a log."""
    text = _COLOUR.sub("", text)
    operators = [match.groups() for match in map(_OPERATOR.search, text.splitlines()) if match]
    off_npu = [
        f"{kind} {name}" for _, kind, place, _, _, _, name in operators if place != "NPU" and kind not in _BOUNDARIES
    ]
    if UNKNOWN_TARGET in text and not off_npu:
        off_npu.append("an operator that the log does not name")
    sizes = {kind: float(kilobytes) / 1000 for kind, kilobytes in _MEMORY.findall(text)}
    return BuildLog(
        off_npu=off_npu,
        unlowered=[f"{kind} {name}" for name, kind in NO_LOWERING.findall(text)],
        errors=[line.strip() for line in _ERROR.findall(text)],
        cycles=sum(int(total) for *_, total, _ in operators),
        weight_megabytes=sizes.get("Weight", 0.0),
        internal_megabytes=sizes.get("Internal", 0.0),
    )
