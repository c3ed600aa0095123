"""Which processor a figure was measured on, and which older one its libraries were told to take it for."""

import os
import platform

from marian_distill.processor import instruction_sets, processor_name

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
    return {
        "processor": processor_name(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "instructions": instruction_sets(),
        "settings": {name: os.environ[name] for name in SETTINGS if name in os.environ},
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
    }


def title(described: dict) -> str:
    """One line for a picture: `AMD EPYC, 2 cores, AVX2, AVX-512 bf16; CT2_FORCE_CPU_ISA=AVX2`."""
    told = [
        ", ".join(described["instructions"]),
        *(f"{name}={value}" for name, value in described["settings"].items()),
    ]
    return f"{described['processor']}, {described['cores']} cores, {'; '.join(filter(None, told))}"
