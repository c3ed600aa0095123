"""The one error that a user can cause, and how a command reports it: one line, exit code 2."""

import errno
import os
import sys
from collections.abc import Callable


class UserError(Exception):
    """Something the user can mend. The message is one line: which value, what was expected, what to do."""


def run_command(main: Callable[[], None]) -> None:
    """Call `main`; print a `UserError` as one line on stderr and leave with exit code 2 (130 for Ctrl-C).

    A full disk and a path that cannot be written are `UserError`s in all but name: they are told in one line as well.
    When the reader of stdout has gone (`| head`) the command ends without a word, as programs do (141).
    """
    try:
        try:
            main()
        finally:
            sys.stdout.flush()
    except UserError as error:
        sys.exit(_report(str(error)))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python flushes, and complains, once more
        sys.exit(141)
    except (PermissionError, FileExistsError, IsADirectoryError, NotADirectoryError) as error:
        sys.exit(_report(f"{error.filename2 or error.filename}: {error.strerror}. Give another path."))
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        sys.exit(_report(f"no space left on device: {error.filename or 'output'}. Free some, then run again."))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)


def _report(message: str) -> int:
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    return 2
