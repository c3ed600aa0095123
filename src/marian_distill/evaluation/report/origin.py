"""What it takes to get the same report again: the command, the data's fingerprints, the machine, the revision."""

import importlib.metadata
import platform
import shlex
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict

from marian_distill.evaluation.runs import Result
from marian_distill.files import sha256
from marian_distill.processor import describe_processor
from marian_distill.revision import git_revision

PACKAGES = ("distill-zh-en", "sacrebleu", "ctranslate2", "sentencepiece", "numpy")
WEIGHTS = ("model.bin", "model.safetensors", "bundle.json")
DIGITS = 16


class Origin(TypedDict):
    """Where a report comes from. Fingerprints are the first digits of SHA-256, by file."""

    made_at: str
    command: str
    git: str
    machine: str
    system: str
    versions: dict[str, str]
    fingerprints: dict[str, str]


def origin_of(results: Sequence[Result]) -> Origin:
    """The origin of results, made now, by this command."""
    files = {Path(result.test.path): None for result in results}
    for folder in {result.report["model_dir"] for result in results if "model_dir" in result.report}:
        files |= {Path(folder, name): None for name in WEIGHTS}
    return {
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": f"uv run -s scripts/{Path(sys.argv[0]).name} {shlex.join(sys.argv[1:])}",
        "git": git_revision(),
        "machine": describe_processor(),
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "fingerprints": {str(path): sha256(path)[:DIGITS] for path in files if path.is_file()},
    }
