"""Which documents share a sequence, so that none is cut that fits one: best fit over a source's documents, and its inverse.

A document of L tokens has L // S whole sequences to itself, and its last L mod S tokens, its rest, lie with other rests in a
sequence; what no rest fills is padding. A source is packed over all of its shards, from the number of rests of each length
(`best_fit`): a table whose size grows with S. What grows with the documents is a list of them in the order of their rests,
4 bytes each (8 above 2^32 documents), and 16 bytes for each that fills a sequence. Rests of one length are in the order of their
documents, so a document is found in the list by binary search.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trainer.data.best_fit import best_fit

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Fill:
    """How full a source's sequences are. `cut`: documents longer than a sequence; no other document is cut."""

    sequences: int
    tokens: int
    padding: int
    documents: int
    cut: int


@dataclass(frozen=True)
class Parts:
    """Parts of documents, arrays of one length. `first`: of the part's tokens, counted from the document's first."""

    document: Indices
    first: Indices
    tokens: Indices


class Packing:
    """The sequences of a source. Those that one document fills come first, in the documents' order; then those of rests.

    lengths          of the documents, shard by shard; asked for twice, so that one shard's lengths are in memory at a time
    sequence_length  S
    """

    def __init__(self, lengths: Callable[[], Iterator[Indices]], sequence_length: int) -> None:
        self._size = size = sequence_length
        counts, long, whole, documents, cut, tokens = np.zeros(size, np.int64), [], [], 0, 0, 0
        for of_shard in lengths():
            counts += np.bincount(of_shard % size, minlength=size)
            longer = np.flatnonzero(of_shard >= size)
            long.append(longer + documents)
            whole.append(of_shard[longer] // size)
            documents, tokens = documents + len(of_shard), tokens + int(of_shard.sum())
            cut += int(np.count_nonzero(of_shard > size))
        self._long = np.concatenate([np.zeros(0, np.int64), *long])
        self._whole_ends = np.cumsum(np.concatenate([np.zeros(1, np.int64), *whole]))
        self.whole = int(self._whole_ends[-1])
        counts[0] = 0
        self._first_of_length = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
        self._by_length = self._ordered(lengths, documents)
        self._set_bins(counts)
        self.fill = Fill(self.sequences, tokens, self.sequences * size - tokens, documents, cut)

    def _ordered(self, lengths: Callable[[], Iterator[Indices]], documents: int) -> npt.NDArray[np.integer]:
        """The documents with a rest, by its length, those of one length in their own order."""
        ordered = np.empty(self._first_of_length[-1], dtype=np.uint32 if documents <= 1 << 32 else np.int64)
        following, base = self._first_of_length[:-1].copy(), 0
        for of_shard in lengths():
            rest = of_shard % self._size
            rest = rest.astype(np.uint16) if self._size <= 1 << 16 else rest  # two bytes are sorted by radix
            counts = np.bincount(rest, minlength=self._size)
            order = np.argsort(rest, kind="stable")[counts[0] :]
            counts[0] = 0
            places = np.arange(len(order)) + np.repeat(following - np.cumsum(counts) + counts, counts)
            ordered[places] = order + base
            following, base = following + counts, base + len(of_shard)
        return ordered

    def _set_bins(self, counts: Indices) -> None:
        """The groups of bins as arrays, and their shares both by group and by the place of their first item in `_by_length`."""
        groups = best_fit(counts.tolist(), self._size)
        self.sequences = self.whole + sum(group.size for group in groups)
        self._first_bin = np.array([group.first for group in groups], dtype=np.int64)
        self._shares_of = np.cumsum([0, *(len(group.shares) for group in groups)])
        shares = np.array([share for group in groups for share in group.shares], dtype=np.int64).reshape(-1, 3)
        self._length, self._times = shares[:, 0], shares[:, 1]
        self._item = self._first_of_length[self._length] + shares[:, 2]
        self._group_of = np.repeat(np.arange(len(groups)), np.diff(self._shares_of))
        self._by_item = np.argsort(self._item)
        self._items = self._item[self._by_item]

    def parts(self, sequence: int) -> Parts:
        """What lies in a sequence, the longest first."""
        number = sequence - self.whole
        if number < 0:
            at = int(np.searchsorted(self._whole_ends, sequence, side="right")) - 1
            first = (sequence - self._whole_ends[at]) * self._size
            return Parts(self._long[at : at + 1], np.array([first]), np.array([self._size]))
        group = int(np.searchsorted(self._first_bin, number, side="right")) - 1
        shares = slice(self._shares_of[group], self._shares_of[group + 1])
        times = self._times[shares]
        first = self._item[shares] + (number - self._first_bin[group]) * times
        items = np.arange(times.sum()) + np.repeat(first - np.cumsum(times) + times, times)
        documents = self._by_length[items].astype(np.int64)
        whole = np.zeros(len(documents), np.int64)
        at = np.searchsorted(self._long, documents)
        cut = np.flatnonzero(at < len(self._long))
        cut = cut[self._long[at[cut]] == documents[cut]]
        whole[cut] = self._whole_ends[at[cut] + 1] - self._whole_ends[at[cut]]
        return Parts(documents, whole * self._size, np.repeat(self._length[shares], times))

    def sequences_of(self, document: int, tokens: int) -> Indices:
        """The sequences that hold tokens of a document of a length, in the order of its tokens."""
        whole, rest = divmod(tokens, self._size)
        found = np.zeros(0, np.int64)
        if whole:
            first = self._whole_ends[np.searchsorted(self._long, document)]
            found = np.arange(first, first + whole)
        if not rest:
            return found
        low, high = self._first_of_length[rest], self._first_of_length[rest + 1]
        item = low + np.searchsorted(self._by_length[low:high], self._by_length.dtype.type(document))
        share = self._by_item[np.searchsorted(self._items, item, side="right") - 1]
        number = self._first_bin[self._group_of[share]] + (item - self._item[share]) // self._times[share]
        return np.append(found, self.whole + number)
