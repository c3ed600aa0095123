"""Temporary names of what becomes an output when it is whole, and the remains of processes that died before.

A lock, which goes with the process that holds it, tells one from the other.
"""

import glob
import hashlib
import os
import shutil
import stat
import tempfile
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

TEMPORARY = ".tmp"
LONGEST_NAME = 255  # bytes, on every usual file system


def new_temporary(path: Path, folder: bool) -> tuple[Path, int | None]:
    """A new file or folder beside `path`, and a descriptor whose lock tells that its owner lives.

    On Windows there is no such lock, and what is open can be neither renamed nor deleted: nothing is kept open there.
    """
    clear_abandoned(path)
    while True:
        if folder:
            temporary = Path(tempfile.mkdtemp(TEMPORARY, prefix_of(path), path.parent))
            handle = None if fcntl is None else os.open(temporary, os.O_RDONLY)
        else:
            handle, name = tempfile.mkstemp(TEMPORARY, prefix_of(path), path.parent)
            temporary = Path(name)
        if fcntl is None:
            release(handle)
            return temporary, None
        if _lock(handle) and temporary.exists():  # else another process took it for abandoned, just before the lock
            return temporary, handle
        release(handle)


def clear_abandoned(path: Path) -> None:
    """Delete what was to become `path`, once, and whose owner is dead: a lock goes with the process that held it."""
    if fcntl is None:
        return
    for leftover in path.parent.glob(f"{glob.escape(prefix_of(path))}*{TEMPORARY}"):
        try:
            handle = os.open(leftover, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:  # its owner has just put it in place; or it is not ours
            continue
        if _lock(handle):
            if stat.S_ISDIR(os.fstat(handle).st_mode):
                shutil.rmtree(leftover, ignore_errors=True)
            else:
                leftover.unlink(missing_ok=True)
        os.close(handle)


def _lock(handle: int | None) -> bool:
    if fcntl is None or handle is None:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def release(handle: int | None) -> None:
    """Let go of what `new_temporary` gave."""
    if handle is not None:
        os.close(handle)


def prefix_of(path: Path) -> str:
    """What a temporary name begins with; short, so that it fits wherever `path` does."""
    name = path.name
    if len(os.fsencode(name)) > LONGEST_NAME - 20:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()[:32]
    return f".{name}."
