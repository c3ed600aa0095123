"""What Windows lacks and refuses, in a process of a test's own on another system."""

import os
import shutil
import signal
import sys
from pathlib import Path

MISSING_MODULES = ("readline", "resource", "fcntl", "termios", "pwd", "grp")
MISSING_NAMES = {signal: ("SIGKILL", "SIGHUP"), os: ("fchmod", "killpg", "fork", "register_at_fork", "O_NOFOLLOW")}


def pretend() -> None:
    """From now on this process is on Windows, as far as it can tell."""
    import ctranslate2  # noqa: F401 (loads its libraries by `sys.platform`)
    import sentencepiece  # noqa: F401

    sys.modules.update(dict.fromkeys(MISSING_MODULES))
    for module, names in MISSING_NAMES.items():
        for name in names:
            delattr(module, name)
    sys.platform = "win32"
    shutil._use_fd_functions = False  # they open folders
    os.fsync = _flush_what_is_open_for_writing
    sys.addaudithook(_refuse)


def _flush_what_is_open_for_writing(handle: int) -> None:
    flags = int(Path(f"/proc/self/fdinfo/{handle}").read_text().split("flags:")[1].split()[0], 8)
    if not flags & (os.O_WRONLY | os.O_RDWR):
        raise OSError(9, "Bad file descriptor")


def _refuse(event: str, arguments: tuple) -> None:
    nameless = os.O_TMPFILE & ~os.O_DIRECTORY  # as tempfile opens a folder here
    if event == "open" and arguments[1] is None and not arguments[2] & nameless and Path(arguments[0]).is_dir():
        raise PermissionError(13, "Permission denied", arguments[0])
    if event in ("os.rename", "os.remove"):
        open_files = {os.path.realpath(link) for link in Path("/proc/self/fd").iterdir()}
        for path in arguments[: 2 if event == "os.rename" else 1]:
            if os.path.realpath(path) in open_files:
                raise PermissionError(32, "it is being used by another process", path)
