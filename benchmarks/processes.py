"""A benchmark's points, each in a process of its own."""

import json
import subprocess
import sys

from marian_distill.errors import UserError


def in_a_process(what: str, *options: str) -> dict:
    """This script again with more options: the JSON of its last line; `what` names it where it fails."""
    done = subprocess.run([sys.executable, *sys.argv, *options], capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserError(f"{what}: {(done.stderr.strip().splitlines() or ['no word'])[-1]}")
    return json.loads(done.stdout.splitlines()[-1])
