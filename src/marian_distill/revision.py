"""Which state of the source code ran."""

import subprocess
from pathlib import Path


def git_revision() -> str:
    """The commit, with `+` where files differ from it; `unknown` outside of a checkout."""
    try:
        result = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--exclude=*"],  # noqa: S607
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        )
    except (FileNotFoundError, subprocess.CalledProcessError):
        return "unknown"
    return result.stdout.strip()
