"""Checkpoints that are whole: each lists its files with their SHA-256 before its last file says that it is done.

The Trainer writes weights, optimizer, scheduler, scaler, random state, then trainer_state.json. The list is written
before that, when the other files are on the disk.
"""

import json
import logging
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from marian_distill.files import sha256

logger = logging.getLogger(__name__)

MANIFEST = "files.json"
STATE = "trainer_state.json"


def write_manifest(checkpoint: Path) -> None:
    """List what the checkpoint holds so far; all of it has reached the disk when this returns.

    Random states that other processes write meanwhile are not among it.
    """
    files = [path for path in sorted(checkpoint.rglob("*")) if path.is_file() and path.name not in (MANIFEST, STATE)]
    own = {path.relative_to(checkpoint).as_posix(): path for path in files if not path.name.startswith("rng_state_")}
    for path in own.values():
        _sync(path)
    (checkpoint / MANIFEST).write_text(
        json.dumps({name: sha256(path) for name, path in own.items()}, indent=2), encoding="utf-8"
    )
    _sync(checkpoint / MANIFEST)
    _sync(checkpoint)


def damage(checkpoint: Path) -> str | None:
    """What is wrong with a checkpoint; None: nothing."""
    try:
        json.loads((checkpoint / STATE).read_text(encoding="utf-8"))
        manifest = json.loads((checkpoint / MANIFEST).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return "half written"
    for name, digest in manifest.items():
        path = checkpoint / name
        if not path.is_file():
            return f"damaged, {name} is missing"
        if sha256(path) != digest:
            return f"damaged, {name} is not what was written"
    return None


def newest_first(directory: Path) -> Iterator[Path]:
    """Folders of checkpoints, whole or not."""
    numbered = [path for path in directory.glob("checkpoint-*") if path.name.removeprefix("checkpoint-").isdecimal()]
    yield from sorted(numbered, key=lambda path: int(path.name.removeprefix("checkpoint-")), reverse=True)


def how_to_go_on(directory: Path) -> str:
    """What the command of a run that was stopped does when it is given again."""
    checkpoint = next(newest_first(directory), None)
    if checkpoint is None:
        return "the same command begins anew: there was nothing to keep yet"
    return f"the same command goes on from {checkpoint}"


def last_whole_checkpoint(directory: Path) -> Path | None:
    """The newest checkpoint that a run can go on from; newer ones, which a kill or a disk spoilt, are deleted."""
    for checkpoint in newest_first(directory):
        problem = damage(checkpoint)
        if problem is None:
            return checkpoint
        logger.warning("%s is %s: deleted", checkpoint, problem)
        shutil.rmtree(checkpoint)
    return None


def _sync(path: Path) -> None:
    """Wait until a file, or a folder's list of names, is on the disk."""
    if path.is_dir() and sys.platform == "win32":
        return  # Windows opens no folders
    handle = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
