"""The one error that a user can cause, and how a command reports it: one line, exit code 2."""

import errno
import sys
from collections.abc import Callable


class UserError(Exception):
    """Something the user can mend. The message is one line: which value, what was expected, what to do."""


def run_command(main: Callable[[], None]) -> None:
    """Call `main`; print a `UserError` as one line on stderr and leave with exit code 2 (130 for Ctrl-C).

    A full disk is a `UserError` in all but name: it is told in one line as well.
    """
    try:
        main()
    except UserError as error:
        sys.exit(_report(str(error)))
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
