"""Peak memory of a process."""

import re
import resource
from pathlib import Path


def peak_memory_mb() -> float:
    """Largest resident set so far, in MB.

    From /proc where there is one: getrusage() of a started process begins with what its parent had.
    """
    status = Path("/proc/self/status")
    if status.is_file() and (found := re.search(r"VmHWM:\s+(\d+) kB", status.read_text())):
        return int(found[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
