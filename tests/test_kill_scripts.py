"""Kills at a few points of a few steps; `uv run python tests/kill_scripts.py` does all of all."""

import re
import subprocess
import sys
from pathlib import Path


def test_a_kill_loses_nothing_and_the_same_command_finishes():
    steps = ["make_extra_money_data", "apply_corrections", "forward_translate", "export_ct2", "make_vocabulary_map"]
    command = [sys.executable, Path(__file__).with_name("kill_scripts.py"), *steps, "--sample", "3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(re.search(r"(\d+) kills$", done.stdout.strip())[1]) >= 15
