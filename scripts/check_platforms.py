"""Resolve what an install fetches on other systems, from wheels alone: shows that every package has one there.

    uv run -s scripts/check_platforms.py

Nothing is installed; the package index is asked through uv. The result stands in docs/platforms.md.
"""

import os
import subprocess
import sys
import tempfile
from itertools import product
from pathlib import Path

from marian_distill.command_line import command_parser
from marian_distill.errors import UserError, run_command

# System → what uv calls it. torch has wheels for macOS 14 and later.
PLATFORMS = {
    "Linux x86_64": "x86_64-manylinux_2_28",
    "Linux aarch64": "aarch64-manylinux_2_28",
    "macOS 14 arm64": "aarch64-apple-darwin",
    "Windows x86_64": "x86_64-pc-windows-msvc",
}
PYTHONS = ("3.11", "3.12", "3.13")
INSTALLS = {"translate": (), "train": ("--extra", "train", "--extra", "recipes", "--extra", "onnx")}
SOURCE_ONLY = "connection-pool"  # of snakemake: Python alone, published as source


def packages(platform: str, python: str, options: tuple[str, ...]) -> int:
    """How many packages an install takes there; `UserError` with the resolver's word when one has no wheel."""
    with tempfile.TemporaryDirectory() as scratch:
        found = Path(scratch) / "requirements.txt"
        command = ["uv", "pip", "compile", "pyproject.toml", *options, "--python-platform", platform]
        command += ["--python-version", python, "--only-binary", ":all:", "--no-binary", SOURCE_ONLY]
        command += ["--no-annotate", "--no-header", "--output-file", str(found), "--quiet"]
        environment = {**os.environ, "MACOSX_DEPLOYMENT_TARGET": "14.0"}
        environment.pop("UV_FIND_LINKS", None)  # wheels of this machine alone
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # noqa: S603
        if done.returncode:
            raise UserError(f"{platform}, Python {python}: {done.stderr.strip()}")
        return len(found.read_text(encoding="utf-8").splitlines())


def main() -> None:
    command_parser(__doc__).parse_args()
    missing = 0
    print(f"{'system':16} {'Python':8} {'install':12} packages")
    for (system, platform), python, (install, options) in product(PLATFORMS.items(), PYTHONS, INSTALLS.items()):
        try:
            count = str(packages(platform, python, options))
        except UserError as error:
            missing += 1
            count = "none"
            print(error, file=sys.stderr)
        print(f"{system:16} {python:8} {install:12} {count}", flush=True)
    if missing:
        raise UserError(f"{missing} installs cannot be had from wheels; see above")


if __name__ == "__main__":
    run_command(main)
