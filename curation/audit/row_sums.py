"""Sums over rows that do not depend on their order: two tables with equal sums and counts hold the same rows.

Each row becomes a 64-bit hash of its document's id and of whole numbers; the hashes are added, modulo 2^64. Good against
mistakes, not against malice: that is what the hashes of files are for. Rounds are the finaliser of splitmix64 (Steele, Lea and
Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Words = npt.NDArray[np.uint64]
Codes = npt.NDArray[np.int64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def ids(column: pa.Array | pa.ChunkedArray) -> Words:
    """A column of ids without nulls as two words each, [rows, 2]."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    parts = [
        np.frombuffer(chunk.buffers()[1], np.uint64, 2 * len(chunk), 16 * chunk.offset).reshape(-1, 2)
        for chunk in chunks
        if len(chunk)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, 2), np.uint64)


def row_hashes(of: Words, *numbers: npt.NDArray[np.integer]) -> Words:
    """A hash of each row: its id and its numbers."""
    hashed = _mixed(_mixed(of[:, 0]) ^ of[:, 1])
    for column in numbers:
        hashed = _mixed(hashed ^ column.astype(np.uint64))
    return hashed


def _mixed(words: Words) -> Words:
    words = words + _GOLDEN
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


@dataclass(slots=True)
class RowSums:
    """For each name the number of its rows and the sum of their hashes."""

    sums: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, names: list[str], codes: Codes, hashes: Words) -> None:
        """Adds rows: `codes` says for each which of the names it belongs to."""
        totals, counts = np.zeros(len(names), np.uint64), np.bincount(codes, minlength=len(names))
        np.add.at(totals, codes, hashes)
        for name, total, count in zip(names, totals.tolist(), counts.tolist(), strict=True):
            if count:
                self._add(name, count, total)

    def merge(self, other: RowSums) -> None:
        """Adds what another one has counted."""
        for name, (count, total) in other.sums.items():
            self._add(name, count, total)

    def _add(self, name: str, count: int, total: int) -> None:
        counted, summed = self.sums.get(name, (0, 0))
        self.sums[name] = counted + count, (summed + total) % (1 << 64)

    def differences(self, other: RowSums) -> list[str]:
        """The names whose rows are not the same in both, sorted."""
        names = self.sums.keys() | other.sums.keys()
        return sorted(name for name in names if self.sums.get(name) != other.sums.get(name))
