"""Files mapped into memory: what is not looked at is not read, and nothing is copied."""

from __future__ import annotations

import ctypes
import functools
import mmap

import pyarrow as pa

from connectors.storage import local_name


def open_mapped(uri: str) -> pa.NativeFile:
    """A file for Arrow's own readers."""
    return pa.memory_map(local_name(uri))


def mapped(uri: str) -> pa.Buffer:
    """A whole file as a buffer."""
    with open_mapped(uri) as file:
        return file.read_buffer()


def let_go(content: pa.Buffer) -> None:
    """Gives back the memory of a mapped file, whole; where it is looked at again it is read again."""
    _c_library().madvise(ctypes.c_void_p(content.address), ctypes.c_size_t(content.size), mmap.MADV_DONTNEED)


@functools.cache
def _c_library() -> ctypes.CDLL:
    return ctypes.CDLL(None)
