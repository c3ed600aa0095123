"""Ctrl-C, SIGTERM and the death of the workflow that started a command: told once, obeyed at the next good moment.

Imports nothing that takes long.
"""

import logging
import os
import signal
import sys
import threading
import time
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

logger = logging.getLogger(__name__)

OWNER = "DISTILL_ZH_EN_OWNER"  # environment: the process id of the workflow; the command stops when it has died
SAME_REQUEST_SECONDS = 2.0  # Ctrl-C reaches a command from the terminal, and from the workflow or uv once more
SECONDS_BETWEEN_LOOKS = 1.0


class Stopped(KeyboardInterrupt):
    """Raised where the command is when it is to stop at once."""


class StopRequest:
    """Whether somebody asked this process to stop, and what happens then.

    A request raises `Stopped` where the process happens to be. After `hold_back()`, which is for work that has
    something to save, it only sets `signal`, and the work looks there; a second request raises all the same.
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None
        self._held_back = False
        self._process = os.getpid()
        self._since = 0.0

    def __enter__(self) -> "StopRequest":
        self._before = {number: signal.signal(number, self._receive) for number in (signal.SIGINT, signal.SIGTERM)}
        _follow_owner()
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._process:  # a forked worker: Ctrl-C is its parent's to answer
            if number != signal.SIGINT:
                os._exit(128 + number)
            return
        again = self.signal is not None
        if again and time.monotonic() - self._since < SAME_REQUEST_SECONDS:
            return
        self.signal, self._since = signal.Signals(number), time.monotonic()
        if again or not self._held_back:
            raise Stopped

    def hold_back(self) -> None:
        """From now on it is for the work to look at `signal` and to stop."""
        self._held_back = True

    def let_go(self) -> None:
        """From now on a request stops the process where it is."""
        self._held_back = False

    def exit_code(self) -> int:
        """128 + the signal, as shells have it."""
        return 128 + (self.signal or signal.SIGINT)


def _follow_owner() -> None:
    """Send this process SIGTERM when the workflow that started it is gone (`kill -9` gives it no chance to tell)."""
    owner = os.environ.get(OWNER, "")
    if not owner.isdecimal():
        return
    import psutil  # comes with the workflow's program

    started_by = [parent.pid for parent in psutil.Process().parents()]
    if int(owner) in started_by:
        threading.Thread(target=_watch, args=(psutil.Process(int(owner)),), daemon=True).start()


def _watch(owner: "psutil.Process") -> None:
    while _lives(owner):
        time.sleep(SECONDS_BETWEEN_LOOKS)
    logger.warning("the workflow that started this has died")
    if sys.platform == "win32":
        signal.raise_signal(signal.SIGTERM)  # os.kill would end the process without a word
    else:
        os.kill(os.getpid(), signal.SIGTERM)


def _lives(process: "psutil.Process") -> bool:
    import psutil

    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
