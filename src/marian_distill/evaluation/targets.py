"""Bounds that a model must keep: `--target bleu=30,latency_ms=30,memory_mb=512`."""

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite, nan
from typing import Any

from marian_distill.errors import UserError

# What can be asked for, where it stands in a report, and whether more is better. The last four are costs.
TARGETS: dict[str, tuple[tuple[str, ...], bool]] = {
    "bleu": (("bleu", "score"), True),
    "chrf": (("chrf", "score"), True),
    "chrf++": (("chrf++", "score"), True),
    "numbers_kept": (("numbers_kept",), True),
    "exact": (("exact",), True),
    "latency_ms": (("cost", "latency_ms", "p50"), False),
    "latency_p95_ms": (("cost", "latency_ms", "p95"), False),
    "memory_mb": (("cost", "peak_memory_mb"), False),
    "size_mb": (("cost", "size_mb"), False),
    "sentences_per_second": (("cost", "sentences_per_second"), True),
}


def parse_targets(options: Sequence[str]) -> dict[str, float]:
    """The bounds of `--target bleu=30,latency_ms=30`: what is asked for, by the name in `TARGETS`."""
    targets: dict[str, float] = {}
    for option in (part for group in options for part in group.split(",")):
        name, _, value = option.partition("=")
        try:
            bound = float(value)
        except ValueError:
            bound = nan
        if not isfinite(bound):
            raise UserError(f"--target {option!r}: expected NAME=NUMBER, such as bleu=30")
        targets[name.strip().lower()] = bound
    if unknown := sorted(targets.keys() - TARGETS.keys()):
        raise UserError(f"--target {unknown[0]!r}: expected one of {', '.join(TARGETS)}")
    return targets


def costs_in(targets: Iterable[str]) -> bool:
    """Whether one of them is a cost, which takes a measurement of its own."""
    return any(TARGETS[name][0][0] == "cost" for name in targets)


def missed_targets(report: Mapping[str, Any], targets: Mapping[str, float]) -> list[str]:
    """A line for each target that a report misses, or has no figure for.

    Args:
        report: of one test set and direction, the model's cost with it under `cost`.
        targets: bounds by name.
    """
    missed = []
    for name, bound in targets.items():
        place, more_is_better = TARGETS[name]
        found: Any = report
        for key in place:
            found = found.get(key) if isinstance(found, dict) else None
        where = f"{report['test_file']} {report['direction']}: {name}"
        if found is None:
            missed.append(f"{where} was not measured, wanted {bound:g}")
        elif found < bound if more_is_better else found > bound:
            missed.append(f"{where} is {found:g}, wanted {'at least' if more_is_better else 'at most'} {bound:g}")
    return missed
