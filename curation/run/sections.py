"""Files of many sections: what one task has to say to each of many others. A task reads its own section of every file.

u64 count · u64 offsets[count + 1], from the file's beginning · the sections
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from connectors import storage
from connectors.mapped_files import open_mapped
from connectors.storage import Written

_WORD = 8  # bytes of a count or an offset


def write_sections(uri: str, sections: Iterable[tuple[int, Any]], count: int) -> Written:
    """Writes the sections, (number, bytes or a buffer) in ascending order; numbers left out are empty. One is held at a time."""
    offsets = np.zeros(count + 1, np.uint64)
    place, following = _WORD * (count + 2), 0
    with storage.writing(uri, lasting=False) as path:
        with path.open("wb") as file:
            file.seek(place)
            for number, content in sections:
                assert following <= number < count
                offsets[following : number + 1] = place
                file.write(content)
                place += memoryview(content).nbytes
                following = number + 1
            offsets[following:] = place
            file.seek(0)
            file.write(np.uint64(count).tobytes() + offsets.tobytes())
        return storage.unhashed(str(path))


def read_section(uri: str, number: int) -> bytes:
    """One section of a file. Reads that and its two offsets, nothing else. Raises `ValueError` where the file was cut."""
    with storage.open_input(uri) as file:
        return bytes(_section(file, uri, number))


def map_section(uri: str, number: int) -> pa.Buffer:
    """One section of a file as a buffer, mapped: for large ones that are gone through once. Raises as `read_section` does."""
    with open_mapped(uri) as file:
        return pa.py_buffer(_section(file, uri, number))


def _section(file: Any, uri: str, number: int) -> Any:
    file.seek(_WORD * (1 + number))
    start, stop = np.frombuffer(file.read(2 * _WORD), np.uint64)
    file.seek(int(start))
    read = getattr(file, "read_buffer", file.read)
    content = read(int(stop - start))
    if len(content) < stop - start:
        raise ValueError(f"{uri} was cut: section {number} has {len(content):,} bytes of {stop - start:,}")
    return content


def read_from_all(uris: Sequence[str], number: int) -> Iterator[bytes]:
    """The same section of many files, in their order."""
    for uri in uris:
        yield read_section(uri, number)
