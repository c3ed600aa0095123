"""How every command stops: Ctrl-C (SIGINT), SIGTERM, or the death of the workflow that started it.

The first request raises `Stopped` where the command is, and what it has begun to write is removed on the way out. Work
that has something to save holds the request back, looks for it at its next good moment, and saves: see
`training.interruption`. A second request is obeyed at once. The last line says how to go on; the exit code is 128 and
the signal, as shells have it.

Python runs a signal's handler between two of its own instructions, and one call of an engine may take minutes. So a
thread hears of the signal at once (`signal.set_wakeup_fd`) and ends the process when the handler could not.
"""

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

logger = logging.getLogger(__name__)

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
GRACE_SECONDS = 3.0  # in which a command that is to stop at once has left
SAME_REQUEST_SECONDS = 2.0  # Ctrl-C reaches a command from the terminal, and from the workflow or uv once more
OWNER = "DISTILL_ZH_EN_OWNER"  # environment: the process id of the workflow; the command stops when it has died
SECONDS_BETWEEN_LOOKS = 1.0


class Stopped(BaseException):
    """Raised where the command is when it is to stop at once."""


class StopRequest:
    """Whether somebody asked this process to stop, and what happens then; listens while it is entered.

    `how_to_go_on` gives the end of the command's last line: what the same command, given again, does.
    """

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self.signal: signal.Signals | None = None
        self.how_to_go_on: Callable[[], str] = lambda: "the same command begins anew"
        self._held_back = False
        self._since = 0.0

    def __enter__(self) -> "StopRequest":
        self._begin()
        self._listens = threading.current_thread() is threading.main_thread()  # the only one that signals reach
        if self._listens:
            self._finished = threading.Event()
            self._reader, self._writer = socket.socketpair()
            self._writer.setblocking(False)
            self._handlers_before = {number: signal.signal(number, self._receive) for number in STOP_SIGNALS}
            self._fd_before = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
            self._watcher = threading.Thread(target=self._watch, daemon=True)
            self._watcher.start()
            _follow_owner()
        return self

    def __exit__(self, *error: object) -> None:
        if self._listens:
            self._finished.set()
            signal.set_wakeup_fd(self._fd_before)
            for number, handler in self._handlers_before.items():
                signal.signal(number, handler)
            self._writer.close()
            self._watcher.join()
            self._reader.close()

    def hold_back(self) -> None:
        """From now on it is for the work to look at `signal`, to save and to stop."""
        self._held_back = True

    def let_go(self) -> None:
        """From now on a request stops the process where it is."""
        self._held_back = False

    def say(self) -> None:
        """The last line of a command that was stopped."""
        print(f"stopped; {self.how_to_go_on()}", file=sys.stderr, flush=True)

    def exit_code(self) -> int:
        """128 + the signal."""
        return 128 + (self.signal or signal.SIGINT)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        again = self.signal is not None
        if again and time.monotonic() - self._since < SAME_REQUEST_SECONDS:
            return
        self.signal, self._since = signal.Signals(number), time.monotonic()
        if again or not self._held_back:
            raise Stopped

    def _watch(self) -> None:
        """End the process where `_receive` should have stopped it and was not run."""
        first = None
        while numbers := self._reader.recv(1):
            if signal.getsignal(numbers[0]) != self._receive:  # the prompt's own Ctrl-C
                continue
            first = time.monotonic() if first is None else first
            again = time.monotonic() - first >= SAME_REQUEST_SECONDS
            if (again or not self._held_back) and not self._finished.wait(GRACE_SECONDS):
                self.say()
                os._exit(128 + numbers[0])


stop_request = StopRequest()  # of this process: `errors.run_command` enters it


def _leave_signals_to_parent() -> None:
    """In a forked worker: Ctrl-C is its parent's to answer, which ends its workers with SIGTERM."""
    if signal.set_wakeup_fd(-1) != -1:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_leave_signals_to_parent)


def _follow_owner() -> None:
    """Send this process SIGTERM when the workflow that started it is gone (`kill -9` gives it no chance to tell)."""
    owner = os.environ.get(OWNER, "")
    if not owner.isdecimal():
        return
    import psutil  # comes with the workflow's program

    started_by = [parent.pid for parent in psutil.Process().parents()]
    if int(owner) in started_by:
        threading.Thread(target=_stop_after, args=(psutil.Process(int(owner)),), daemon=True).start()


def _stop_after(owner: "psutil.Process") -> None:
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
