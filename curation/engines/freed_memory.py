"""Memory that was freed, kept for what comes next.

glibc gives large arrays back to the system one by one, and the system clears each page before it gives it out again: a
seventh of the time of a small deduplication, whose tasks make arrays of tens of megabytes over and over.
"""

from __future__ import annotations

import ctypes
import functools

MOST_KEPT = 1 << 30  # bytes at the heap's end
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # glibc's malloc.h


@functools.cache
def keep_freed_memory() -> None:
    """This process keeps memory that it frees, up to MOST_KEPT. Where the C library is another one, nothing changes."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_MAX, 0)
        mallopt(_TRIM_THRESHOLD, MOST_KEPT)
