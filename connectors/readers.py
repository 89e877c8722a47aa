"""Which reader reads which file.

A format is a module of this room with `SUFFIXES` (ends of file names), `MAGIC` (how its files begin once unpacked),
`read`, a `connectors.records.Reader`, and where it can: `count`, for records that are counted without reading them, and
`read_columns`, a `connectors.record_columns.ColumnReader`. A new format is a new file: the modules of the room are looked
through.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
import zlib
from types import ModuleType
from typing import cast

import connectors
from connectors.errors import UserError
from connectors.record_columns import ColumnReader
from connectors.records import Reader
from connectors.storage import open_input

HEAD = 64 << 10  # bytes of a file that are looked at where its name tells nothing


def reader_for(uri: str) -> Reader:
    """The reader for a file by the end of its name, or else by its first bytes.

    Raises `UserError` where neither tells, and what opening the file raises where the bytes have to be looked at.
    """
    return cast(Reader, format_of(uri).read)


def column_reader_for(uri: str) -> ColumnReader | None:
    """The reader that gives a file's records as columns, where its format has one. Raises as `reader_for`."""
    return cast(ColumnReader | None, getattr(format_of(uri), "read_columns", None))


def count_records(uri: str) -> int | None:
    """How many records a file has, where its format tells without reading it; else None. Raises as `reader_for`."""
    count = getattr(format_of(uri), "count", None)
    return None if count is None else cast(int | None, count(uri))


def format_of(uri: str) -> ModuleType:
    """The module that reads a file. Raises as `reader_for`."""
    path = uri.partition("?")[0].lower()
    by_name = [(len(suffix), module) for module in formats() for suffix in module.SUFFIXES if path.endswith(suffix)]
    if by_name:
        return max(by_name, key=lambda found: found[0])[1]
    with open_input(uri) as file:
        head = _unpacked(file.read(HEAD)).lstrip(b"\xef\xbb\xbf \t\r\n")
    for module in formats():
        if head.startswith(tuple(module.MAGIC)):
            return module
    known = ", ".join(sorted(suffix for module in formats() for suffix in module.SUFFIXES))
    raise UserError(f"Cannot tell what kind of file {uri} is. Give it the name ending of its kind; known: {known}.")


@functools.cache
def formats() -> tuple[ModuleType, ...]:
    """The modules of this room that read a format, by name."""
    names = sorted(found.name for found in pkgutil.iter_modules(connectors.__path__))
    modules = [importlib.import_module(f"connectors.{name}") for name in names]
    return tuple(module for module in modules if hasattr(module, "SUFFIXES") and hasattr(module, "read"))


def _unpacked(head: bytes) -> bytes:
    if not head.startswith(b"\x1f\x8b"):
        return head
    try:
        return zlib.decompressobj(31).decompress(head, HEAD)
    except zlib.error:
        return head
