"""Kills at a few points of a few steps; `uv run python tests/kill_scripts.py` does all of all."""

import re
import subprocess
import sys
from pathlib import Path


def test_a_kill_loses_nothing_and_the_same_command_finishes():
    steps = ["audit_parallel_data", "make_extra_money_data", "apply_corrections", "forward_translate", "export_ct2"]
    steps.append("make_vocabulary_map")
    command = [sys.executable, Path(__file__).with_name("kill_scripts.py"), *steps, "--sample", "3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(re.search(r"(\d+) kills, 0 did harm$", done.stdout.strip())[1]) >= 15


# What prints alone and writes no file of its own; and what kill_coordinator.py kills.
ELSEWHERE = {"check_platforms", "coordinate_distill", "quick_start", "serve"}


def test_every_command_that_writes_is_among_them():
    steps = Path(__file__).with_name("kill_scripts.py").read_text(encoding="utf-8")
    scripts = {path.stem for path in Path(__file__).parents[1].glob("scripts/*.py")}
    assert {name for name in scripts - ELSEWHERE if f'"{name}": ' not in steps} == set()
