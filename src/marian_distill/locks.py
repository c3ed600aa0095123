"""One process a folder: a lock that the system takes back when its holder dies, however it dies.

POSIX record locks (fcntl(2)) and, on Windows, `LockFile` by way of msvcrt: both belong to a process, are not handed on
to what it forks, and work on shared file systems.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from marian_distill.errors import UserError

if sys.platform == "win32":
    import msvcrt

    BEYOND_THE_TEXT = 2**30  # a locked byte cannot be read by others, so it is none of those that hold the process id

    def _try_to_lock(stream: IO[str]) -> None:
        stream.seek(BEYOND_THE_TEXT)
        msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        stream.seek(0)
else:
    import fcntl

    def _try_to_lock(stream: IO[str]) -> None:
        fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)


class InUseError(UserError):
    """Another process holds the folder."""


@contextmanager
def folder_lock(path: str | Path) -> Iterator[None]:
    """Keep other processes of this program from writing into `path`, which need not exist, while the block runs.

    The lock is a hidden file beside the folder, so that the folder may be replaced meanwhile. A killed process leaves
    the file, not the lock.

    Raises:
        InUseError: another process holds the folder; its id is named.
    """
    path = Path(path).resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(f".{path.name or 'root'}.lock")
    stream = _open_locked(lock, path)
    try:
        stream.truncate(0)
        stream.write(str(os.getpid()))
        stream.flush()
        yield
    finally:
        if sys.platform == "win32":
            stream.close()
            with suppress(OSError):  # another process has it open
                lock.unlink()
        else:
            lock.unlink(missing_ok=True)  # while it is held: nobody can be about to lock this file, see below
            stream.close()


def _open_locked(lock: Path, folder: Path) -> IO[str]:
    while True:
        stream = lock.open("a+", encoding="utf-8")
        try:
            _try_to_lock(stream)
        except (BlockingIOError, PermissionError) as error:
            stream.seek(0)
            holder = stream.read().strip()
            stream.close()
            raise InUseError(
                f"{folder}: process {holder or '(just starting)'} is writing there; wait for it, or stop it, "
                "then give the same command again"
            ) from error
        # Its holder may have removed the file between our open and our lock: then ours is one that nobody else sees.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(stream.fileno()), lock.stat()):
                return stream
        stream.close()
