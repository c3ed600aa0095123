"""The one error that a user can cause, and how a command reports it: one line, exit code 2."""

import errno
import os
import sys
from collections.abc import Callable

from marian_distill.signals import Stopped, stop_request

# What the system says of a path, or of the disk under it, that the user can mend by giving another one.
_PATH_ERRORS = frozenset(
    {
        *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.EEXIST, errno.EISDIR, errno.ENOTDIR),
        *(errno.ENOTEMPTY, errno.ENAMETOOLONG, errno.ELOOP, errno.EBUSY, errno.ETXTBSY, errno.EXDEV, errno.EBADF),
    }
)
_ADVICE = {
    errno.ENOSPC: "Free some, then run again.",
    errno.EDQUOT: "Free some, then run again.",
    errno.EFBIG: "A limit of the system (`ulimit -f`) or of the disk: raise it, or give another path.",
}
LONGEST_MESSAGE = 1_000
DISK_ERRORS = _PATH_ERRORS | _ADVICE.keys()


class UserError(Exception):
    """Something the user can mend. The message is one line: which value, what was expected, what to do."""


def run_command(main: Callable[[], None]) -> None:
    """Call `main`; print a `UserError` as one line on stderr and leave with exit code 2; tell of a stop likewise.

    What the system says of a path (read-only, too long, a full disk) is a `UserError` in all but name, and told in one
    line as well. When the reader of stdout has gone (`| head`) the command ends without a word, as programs do (141).
    """
    try:
        with stop_request:
            if sys.stdout is None:  # closed: the next file that is opened would get what engines print
                raise UserError("stdout is closed. Give it a file, or > /dev/null.")
            try:
                main()
            finally:
                _flush()
    except UserError as error:
        sys.exit(_report(str(error)))
    except BrokenPipeError:
        _forget_stdout()
        sys.exit(141)
    except (OSError, ValueError, RuntimeError) as error:
        first = _first_disk_error(error)
        if first is None:
            raise
        sys.exit(_report(_line_of(first)))
    except (Stopped, KeyboardInterrupt):
        stop_request.say()
        sys.exit(stop_request.exit_code())


def _first_disk_error(error: BaseException | None) -> OSError | None:
    """The disk's error that an error is, or came after: a library that was writing may fail again as it closes."""
    later = error
    while error is not None:
        if isinstance(error, OSError) and error.errno in (DISK_ERRORS if error is later else _ADVICE):
            return error
        error = error.__context__
    return None


def _line_of(error: OSError) -> str:
    name, number = error.filename2 or error.filename or "stdout or a cache", error.errno or 0
    if number == errno.ENOSPC:
        return f"no space left on device: {name}. {_ADVICE[number]}"
    return f"{name}: {os.strerror(number)}. {_ADVICE.get(number, 'Give another path.')}"


def _flush() -> None:
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        _forget_stdout()
        raise


def _forget_stdout() -> None:
    """Send what is still to be written nowhere, or Python flushes, and complains, once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _report(message: str) -> int:
    message = " ".join(message.split())
    if len(message) > LONGEST_MESSAGE:  # somebody's 5,000 digits
        message = f"{message[: LONGEST_MESSAGE // 2]} … {message[-LONGEST_MESSAGE // 2 :]}"
    print(f"error: {message}", file=sys.stderr)
    return 2
