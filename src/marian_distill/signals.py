"""Ctrl-C and SIGTERM end a command within seconds, also while an engine computes and Python itself is not asked.

Python runs a signal's handler between two of its own instructions, and one call of an engine may take minutes. A
thread hears of the signal at once (`signal.set_wakeup_fd`) and ends the process when the handler could not.
"""

import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

GRACE_SECONDS = 3.0
if (
    sys.platform != "win32"
):  # a forked worker's signals are its own: this process would take them for a request to stop
    os.register_at_fork(after_in_child=lambda: signal.set_wakeup_fd(-1))


@contextmanager
def stops_in_time() -> Iterator[None]:
    """While the block runs, SIGTERM raises `SystemExit(143)`; a process that goes on after that or Ctrl-C is ended.

    A block that handles a signal itself (training, which saves a checkpoint) is left to it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    finished = threading.Event()
    previous = signal.signal(signal.SIGTERM, _leave)
    previous_fd = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    watcher = threading.Thread(target=_watch, args=(reader, finished), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        finished.set()
        signal.set_wakeup_fd(previous_fd)
        signal.signal(signal.SIGTERM, previous)
        writer.close()
        watcher.join()
        reader.close()


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


def _watch(reader: socket.socket, finished: threading.Event) -> None:
    while numbers := reader.recv(1):
        handler = signal.getsignal(numbers[0])
        if handler in (_leave, signal.default_int_handler) and not finished.wait(GRACE_SECONDS):
            print("interrupted", file=sys.stderr, flush=True)
            os._exit(128 + numbers[0])
