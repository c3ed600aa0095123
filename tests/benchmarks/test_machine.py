import os
import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_a_machine_is_described_with_what_its_libraries_were_told_to_leave_out():
    code = "from machine import machine, title; print(title(machine()))"
    told_already = ("ONEDNN_MAX_CPU_ISA", "MKL_ENABLE_INSTRUCTIONS")
    inherited = {name: value for name, value in os.environ.items() if name not in told_already}
    environment = {**inherited, "CT2_FORCE_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}
    command = [sys.executable, "-c", code]
    told = subprocess.run(command, cwd=BENCHMARKS, env=environment, capture_output=True, text=True, check=True).stdout
    assert told.strip().endswith("ATEN_CPU_CAPABILITY=avx2; CT2_FORCE_CPU_ISA=AVX2")
    assert f", {os.cpu_count()} cores, " in told
