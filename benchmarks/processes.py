"""A benchmark's points, each in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping

from marian_distill.errors import UserError


def in_a_process(what: str, *options: str, settings: Mapping[str, str] | None = None) -> dict:
    """This script again with more options: the JSON of its last line; `what` names it where it fails.

    `settings` are environment variables for it alone.
    """
    environment = {**os.environ, **(settings or {})}
    command = [sys.executable, *sys.argv, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise UserError(f"{what}: {(done.stderr.strip().splitlines() or ['no word'])[-1]}")
    return json.loads(done.stdout.splitlines()[-1])
