"""Checkpoints that are whole: each lists its files with their SHA-256 before its last file says that it is done.

The Trainer writes weights, optimizer, scheduler, scaler, random state, then trainer_state.json. The list is written
before that, when the other files are on the disk: a checkpoint without trainer_state.json is what a kill left.
"""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

from marian_distill.errors import UserError
from marian_distill.files import remove, sha256, sync
from marian_distill.schema import read_shaped

logger = logging.getLogger(__name__)

MANIFEST = "files.json"
STATE = "trainer_state.json"
HALF_WRITTEN = "half written"
SET_ASIDE = "damaged-"  # before a checkpoint's name: Hugging Face's trainer counts and deletes `checkpoint-*` alone


def write_manifest(checkpoint: Path) -> None:
    """List what the checkpoint holds so far; all of it has reached the disk when this returns.

    Random states that other processes write meanwhile are not among it.
    """
    files = [path for path in sorted(checkpoint.rglob("*")) if path.is_file() and path.name not in (MANIFEST, STATE)]
    own = {path.relative_to(checkpoint).as_posix(): path for path in files if not path.name.startswith("rng_state_")}
    for path in own.values():
        sync(path)
    (checkpoint / MANIFEST).write_text(
        json.dumps({name: sha256(path) for name, path in own.items()}, indent=2), encoding="utf-8"
    )
    sync(checkpoint / MANIFEST)
    sync(checkpoint)


def damage(checkpoint: Path) -> str | None:
    """What is wrong with a checkpoint; None: nothing."""
    if not (checkpoint / STATE).is_file():
        return HALF_WRITTEN
    if not (checkpoint / MANIFEST).is_file():
        return f"damaged, {MANIFEST} is missing"
    try:
        manifest = read_shaped(checkpoint / MANIFEST, dict[str, str])
    except UserError:
        return f"damaged, {MANIFEST} is not what was written"
    try:
        state = json.loads((checkpoint / STATE).read_text(encoding="utf-8"))  # in which a gradient may be NaN
    except ValueError:
        state = None
    if not isinstance(state, dict):
        return f"damaged, {STATE} is not what was written"
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
    """The newest checkpoint that a run can go on from.

    Of newer ones, those that a kill left half written are deleted; those that were whole once, and in which a disk or
    a person has changed a file, are set aside under another name.
    """
    for checkpoint in newest_first(directory):
        problem = damage(checkpoint)
        if problem is None:
            return checkpoint
        if problem == HALF_WRITTEN:
            logger.warning("%s is %s: deleted", checkpoint, problem)
            remove(checkpoint)
        else:
            aside = checkpoint.rename(_free_name(checkpoint.with_name(SET_ASIDE + checkpoint.name)))
            logger.warning("%s is %s: set aside as %s", checkpoint, problem, aside.name)
    return None


def _free_name(path: Path) -> Path:
    """The path, or where something lies there, the first of PATH-2, PATH-3, … that is free."""
    free, number = path, 1
    while free.exists() or free.is_symlink():
        number += 1
        free = path.with_name(f"{path.name}-{number}")
    return free
