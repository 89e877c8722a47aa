"""What the search for components reads and writes: edges by home, and labels in document order.

An edge file is a file of sections (`curation/run/sections.py`), one for each home: the edges whose larger end is a document
of that home, as pairs (smaller, larger) of little-endian u64, in any order, any number of times.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from connectors import storage
from curation.dedup.kernels.union_find import count_misplaced

EDGES_AT_ONCE = 1 << 20  # 16 MiB
_WORD = 8
_EDGE = 2 * _WORD

Edges = npt.NDArray[np.uint64]  # [edges, 2]
Numbers = npt.NDArray[np.unsignedinteger]  # document numbers, as wide as they must be


def number_type(documents: int) -> np.dtype[np.unsignedinteger]:
    """What a document's number is kept as: four bytes while they suffice, else eight."""
    return np.dtype("<u4" if documents <= 1 << 32 else "<u8")


@dataclass(frozen=True, slots=True)
class EdgeFiles:
    """All edges between the documents.

    firsts  of each home, and behind them the number of all documents
    """

    uris: tuple[str, ...]
    firsts: tuple[int, ...]

    @property
    def documents(self) -> int:
        """How many documents there are."""
        return self.firsts[-1]

    def between(self, start: int, stop: int) -> Iterator[Edges]:
        """The edges whose larger end is in [start, stop), and more of the homes at both ends; in bounded pieces.

        Raises `ValueError` for a file that has other homes, or edges in a home that is not theirs.
        """
        first, stop_home = bisect_right(self.firsts, start) - 1, bisect_left(self.firsts, stop)
        for uri in self.uris:
            yield from self._read(uri, first, stop_home)

    def _read(self, uri: str, first: int, stop: int) -> Iterator[Edges]:
        """Sections first … stop - 1 of a file, which lie one behind the other."""
        with storage.open_input(uri) as file:
            sections = int(np.frombuffer(file.read(_WORD), "<u8")[0])
            if sections != len(self.firsts) - 1:
                raise ValueError(f"{uri}: edges of {sections} homes, {len(self.firsts) - 1} expected")
            file.seek(_WORD * (1 + first))
            offsets = np.frombuffer(file.read(_WORD * (stop - first + 1)), "<i8")
            cuts, firsts = (offsets - offsets[0]) // _EDGE, np.array(self.firsts[first : stop + 1], np.int64)
            file.seek(int(offsets[0]))
            for start in range(0, int(cuts[-1]), EDGES_AT_ONCE):
                content = file.read(_EDGE * min(EDGES_AT_ONCE, int(cuts[-1]) - start))
                edges = np.frombuffer(content, "<u8").reshape(-1, 2)
                if count_misplaced(edges, start, cuts, firsts):
                    raise ValueError(f"{uri}: an edge lies in the section of a home that it does not belong to")
                yield edges


@dataclass(frozen=True, slots=True)
class Labels:
    """A label for each document: the smallest number in its component. Files of `size` documents each, in their order."""

    files: tuple[str, ...]
    documents: int
    size: int

    def read(self, start: int, stop: int) -> Numbers:
        """The labels of documents start … stop - 1, as `number_type` says; an array of the caller's own."""
        labels = np.empty(stop - start, number_type(self.documents))
        place = start
        while place < stop:
            number, skipped = divmod(place, self.size)
            end = min(stop, (number + 1) * self.size, place + EDGES_AT_ONCE)
            with storage.open_input(self.files[number]) as file:
                file.seek(skipped * labels.itemsize)
                content = file.read((end - place) * labels.itemsize)
            labels[place - start : end - start] = np.frombuffer(content, labels.dtype)
            place = end
        return labels


def write_numbers(uri: str, numbers: Numbers) -> None:
    """Writes an array's bytes, without a copy of them."""
    with storage.writing(uri) as path, path.open("wb") as file:
        file.write(numbers.data)


def read_numbers(uri: str, kind: npt.DTypeLike) -> Numbers:
    """A file of numbers, read-only."""
    return np.frombuffer(storage.read_bytes(uri), kind)
