"""What this machine computes with: the processor's name and those of its instruction sets that decide about speed."""

import os
import platform
import sys
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")  # Linux
# As the kernel names them → as people do.
INSTRUCTION_SETS = {
    "avx2": "AVX2",
    "avx512f": "AVX-512",
    "avx512_vnni": "VNNI",
    "avx512_bf16": "AVX-512 bf16",
    "amx_bf16": "AMX bf16",
    "asimd": "NEON",
    "sve": "SVE",
    "bf16": "bf16",
}


def processor_name() -> str:
    """The model's name, such as "AMD EPYC 9554"; the architecture where the system does not tell it."""
    names = [name for name in map(_cpuinfo().get, ("model name", "Hardware", "cpu model")) if name]
    return names[0] if names else platform.processor() or platform.machine() or "unknown processor"


def instruction_sets() -> list[str]:
    """Names of the instruction sets that matter for matrix products; none where the system does not list them."""
    flags = " ".join(_cpuinfo().get(field, "") for field in ("flags", "Features")).split()
    return [name for flag, name in INSTRUCTION_SETS.items() if flag in flags]


def usable_cores() -> int:
    """Logical cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def describe_processor() -> str:
    """One line: name, cores, instruction sets."""
    sets = ", ".join(instruction_sets())
    cores = usable_cores()
    return f"{processor_name()}, {cores} core{'s' if cores > 1 else ''}{f' ({sets})' if sets else ''}"


def _cpuinfo() -> dict[str, str]:
    """The fields of the first core."""
    if not CPUINFO.is_file():
        return {}
    first = CPUINFO.read_text(encoding="utf-8", errors="replace").partition("\n\n")[0]
    fields = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in fields}
