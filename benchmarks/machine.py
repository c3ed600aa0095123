"""Which processor a figure was measured on, and which older one its libraries were told to take it for."""

import os
import platform
from pathlib import Path

# Instructions that decide how fast matrix products are, as Linux names them.
INSTRUCTIONS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8", "asimddp", "i8mm", "bf16")
# What makes PyTorch and CTranslate2 leave out instructions that the processor has.
SETTINGS = (
    "ATEN_CPU_CAPABILITY",
    "ONEDNN_MAX_CPU_ISA",
    "MKL_ENABLE_INSTRUCTIONS",
    "CT2_FORCE_CPU_ISA",
    "CT2_USE_MKL",
)


def machine() -> dict:
    """Processor, its cores and instructions, and the settings that hold its libraries to fewer."""
    model, flags = _cpu_info()
    return {
        "processor": model,
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "instructions": [name for name in INSTRUCTIONS if name in flags],
        "settings": {name: os.environ[name] for name in SETTINGS if name in os.environ},
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
    }


def title(described: dict) -> str:
    """One line for a picture: `AMD EPYC, 2 cores, avx2 avx512_bf16; CT2_FORCE_CPU_ISA=AVX2`."""
    told = [" ".join(described["instructions"]), *(f"{name}={value}" for name, value in described["settings"].items())]
    return f"{described['processor']}, {described['cores']} cores, {'; '.join(filter(None, told))}"


def _cpu_info() -> tuple[str, set[str]]:
    """Model name and flags, from /proc where there is one."""
    path = Path("/proc/cpuinfo")
    fields: dict[str, str] = {}
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            fields.setdefault(name.strip(), value.strip())
    model = fields.get("model name") or platform.processor() or platform.machine()
    return model, set((fields.get("flags") or fields.get("Features") or "").split())
