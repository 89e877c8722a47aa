"""How often each distinct pre-token of many texts occurs: counted by a kernel, added up, cut to the most frequent."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.text.columns import text_batch
from curation.tokenize.character_classes import character_classes
from curation.tokenize.kernels import counting
from curation.tokenize.kernels.counting import PADDING, Counter
from curation.tokenize.split_patterns import SplitPattern

Bytes = npt.NDArray[np.uint8]
Int64s = npt.NDArray[np.int64]
UInt64s = npt.NDArray[np.uint64]

LONGEST = 1024  # bytes; what is longer is no word, and each merge would have to look through all of it
FIRST_ROOM = 1 << 15  # distinct pre-tokens, a power of two
BYTES_EACH = 12  # the mean for which there is room

_HEADER = struct.Struct("<QQQQQQ")


class Totals(NamedTuple):
    """What was counted. A document that was drawn twice counts twice.

    long_bytes  in pre-tokens of more than `LONGEST` bytes, which are left out
    distinct    pre-tokens, before any were cut
    """

    documents: int = 0
    text_bytes: int = 0
    long_bytes: int = 0
    distinct: int = 0


class PreTokenCounts(NamedTuple):
    """Distinct pre-tokens: their bytes end to end, where each begins, how often it occurs, a hash of it."""

    text: Bytes
    bounds: Int64s
    counts: Int64s
    hashes: UInt64s
    totals: Totals

    def taken(self, numbers: Int64s) -> PreTokenCounts:
        """Some of them."""
        buffers = [None, pa.py_buffer(self.bounds), pa.py_buffer(self.text)]
        column = pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(self.counts), buffers).take(pa.array(numbers))
        _, bounds, text = column.buffers()
        return PreTokenCounts(
            text=np.frombuffer(text if text is not None else b"", np.uint8),
            bounds=np.frombuffer(bounds, np.int64, len(numbers) + 1),
            counts=self.counts[numbers],
            hashes=self.hashes[numbers],
            totals=self.totals,
        )

    def words(self) -> list[bytes]:
        """The pre-tokens."""
        content, bounds = self.text.tobytes(), self.bounds.tolist()
        return [content[start:stop] for start, stop in zip(bounds[:-1], bounds[1:], strict=True)]


class PreTokenCounter:
    """Counts texts, and counts of others, into one table. Memory: some 150 bytes a distinct pre-token while it grows."""

    def __init__(self, pattern: SplitPattern, first_room: int = FIRST_ROOM) -> None:
        self._kind = pattern.kind
        self._room = first_room
        self._counter = counting.new_counter(first_room, first_room * BYTES_EACH)
        self._totals = Totals()

    def count(self, column: Any, times: Int64s | None = None) -> None:
        """Counts the texts of an Arrow column of strings, each as often as `times` says, once by default."""
        batch = text_batch(column)
        if times is None:
            times = np.ones(len(batch), np.int64)
        place = np.array([0, batch.bounds[0]], np.int64)
        classes, buffer = character_classes(), _read_only(batch.buffer)
        while not counting.count_texts(classes, buffer, batch.bounds, times, self._kind, LONGEST, self._counter, place):
            self._grow()
        drawn_bytes = int((np.diff(batch.bounds) * times).sum())
        self._add_totals(Totals(documents=int(times.sum()), text_bytes=drawn_bytes))

    def add(self, counts: PreTokenCounts) -> None:
        """Adds the counts of other texts."""
        place = np.zeros(2, np.int64)
        padded = np.concatenate([counts.text, np.zeros(PADDING, np.uint8)])
        while not counting.count_counted(
            _read_only(padded), counts.bounds.copy(), counts.counts.copy(), self._counter, place
        ):
            self._grow()
        self._add_totals(counts.totals)

    def counted(self) -> PreTokenCounts:
        """All counts so far, in the order in which the pre-tokens were met first."""
        pre_tokens, text_bytes, long_bytes = self._counter.used.tolist()
        counts, hashes = np.zeros(pre_tokens, np.int64), np.zeros(pre_tokens, np.uint64)
        counting.read_table(self._counter.table, counts, hashes)
        totals = self._totals._replace(long_bytes=self._totals.long_bytes + long_bytes, distinct=pre_tokens)
        bounds = self._counter.starts[: pre_tokens + 1]
        return PreTokenCounts(self._counter.text[:text_bytes], bounds, counts, hashes, totals)

    def _add_totals(self, totals: Totals) -> None:
        self._totals = Totals(*(mine + more for mine, more in zip(self._totals, totals, strict=True)))

    def _grow(self) -> None:
        """Twice the room."""
        self._room *= 2
        old = self._counter
        new = counting.new_counter(self._room, self._room * BYTES_EACH + LONGEST)
        counting.fill_table(old.table, new.table)
        new.starts[: len(old.starts)] = old.starts
        new.text[: len(old.text)] = old.text
        new.used[:] = old.used
        self._counter = Counter(*new)


def most_frequent(counts: PreTokenCounts, limit: int) -> PreTokenCounts:
    """The `limit` pre-tokens that occur most often; of those that occur equally often the first in the order of bytes."""
    if len(counts.counts) <= limit:
        return counts
    least = np.partition(counts.counts, len(counts.counts) - limit)[len(counts.counts) - limit]
    above = np.flatnonzero(counts.counts > least)
    ties = np.flatnonzero(counts.counts == least)
    tied = counts.taken(ties)
    column = pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), len(ties), [None, pa.py_buffer(tied.bounds), pa.py_buffer(tied.text)]
    )
    chosen = pc.array_sort_indices(column).to_numpy()[: limit - len(above)]
    return counts.taken(np.sort(np.concatenate([above, ties[chosen.astype(np.int64)]])))


def packed(counts: PreTokenCounts) -> bytes:
    """Counts as a blob; hashes are left out."""
    sizes = np.diff(counts.bounds).astype(np.uint16)
    header = _HEADER.pack(len(sizes), len(counts.text), *counts.totals)
    return b"".join([header, counts.counts.tobytes(), sizes.tobytes(), counts.text.tobytes()])


def unpacked(blob: bytes | memoryview) -> PreTokenCounts:
    """The counts of a blob."""
    pre_tokens, _, *totals = _HEADER.unpack_from(blob)
    at = _HEADER.size
    counts = np.frombuffer(blob, np.int64, pre_tokens, at)
    sizes = np.frombuffer(blob, np.uint16, pre_tokens, at + 8 * pre_tokens)
    bounds = np.zeros(pre_tokens + 1, np.int64)
    np.cumsum(sizes, out=bounds[1:])
    text = np.frombuffer(blob, np.uint8, -1, at + 10 * pre_tokens)
    return PreTokenCounts(text, bounds, counts, np.zeros(pre_tokens, np.uint64), Totals(*totals))


def in_partitions(counts: PreTokenCounts, partitions: int) -> Iterator[tuple[int, PreTokenCounts]]:
    """The counts by partition of their pre-tokens' hashes, in ascending order; the totals go with the first."""
    high = counts.hashes >> np.uint64(32)
    partition = (high * np.uint64(partitions) >> np.uint64(32)).astype(np.int64)
    order = np.argsort(partition, kind="stable")
    ends = np.searchsorted(partition[order], np.arange(partitions), side="right").tolist()
    totals, start = counts.totals, 0
    for number, end in enumerate(ends):
        if end > start or number == 0:
            yield number, counts.taken(order[start:end])._replace(totals=totals)
            totals = Totals()
        start = end


def added(parts: Iterable[PreTokenCounts], pattern: SplitPattern) -> PreTokenCounts:
    """The sum of several counts."""
    counter = PreTokenCounter(pattern)
    for part in parts:
        counter.add(part)
    return counter.counted()


def joined(parts: Sequence[PreTokenCounts]) -> PreTokenCounts:
    """Several counts that have no pre-token in common, one behind the other."""
    sizes = [np.diff(part.bounds) for part in parts]
    return PreTokenCounts(
        text=np.concatenate([np.zeros(0, np.uint8), *(part.text for part in parts)]),
        bounds=np.cumsum(np.concatenate([np.zeros(1, np.int64), *sizes])),
        counts=np.concatenate([np.zeros(0, np.int64), *(part.counts for part in parts)]),
        hashes=np.concatenate([np.zeros(0, np.uint64), *(part.hashes for part in parts)]),
        totals=Totals(*map(sum, zip(Totals(), *(part.totals for part in parts), strict=True))),
    )


def _read_only(array: Bytes) -> Bytes:
    view = array.view()
    view.flags.writeable = False
    return view
