"""Peak memory of this process."""

import re
import sys
from pathlib import Path


def peak_memory_mb() -> float | None:
    """Largest resident set so far, in MB; None where the system does not say (Windows, without another package).

    From /proc where there is one: getrusage() of a started process begins with what its parent had.
    """
    status = Path("/proc/self/status")
    if status.is_file() and (found := re.search(r"VmHWM:\s+(\d+) kB", status.read_text())):
        return int(found[1]) / 1024
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10  # bytes there, kilobytes elsewhere
