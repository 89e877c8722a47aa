"""A sorted run: the tokens of a unit's documents in the order that shards are made from, and an entry a document.

Documents stand in segments (of one group and part), and within a segment in the order of their keys; so whatever range of keys
a shard takes, its documents and their tokens lie end to end. Two files that live between two stages: tokens, and entries.

Tokens come in the order of the input; at the end they are gathered. What does not fit into `HELD_BYTES` goes to a file without
a name meanwhile. In memory stay the entries, at most 180 bytes a document, and a block of tokens.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from curation.tokenize.document_keys import Ids, Keys
from curation.tokenize.kernels.encoding import copy_ranges

HELD_BYTES = 64 << 20  # of tokens that wait in memory
BLOCK_BYTES = 16 << 20  # of tokens that are gathered at once, or one document

# `start` is the document's first token in the run; `split` the number of its split in the unit, `row` its row there.
ENTRY = np.dtype(
    [("key", "<u8"), ("doc_id", "V16"), ("start", "<u8"), ("tokens", "<u4"), ("split", "<u4"), ("row", "<u4")]
)

Entries = npt.NDArray[np.void]  # of ENTRY
Integers = npt.NDArray[np.integer[Any]]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class EndToEnd:
    """Tokens of some documents, end to end."""

    tokens: Integers
    documents: int


@dataclass(frozen=True, slots=True)
class Stored:
    """What a run holds of one segment."""

    segment: int
    documents: int
    tokens: int


class SortedRunWriter:
    """Takes documents as they come and writes them sorted. Nothing is written before `finish`.

    scratch  an open file for tokens in the order of their coming; the caller removes it
    dtype    of the tokens, which come in it
    """

    def __init__(self, scratch: BinaryIO, dtype: npt.DTypeLike) -> None:
        self.dtype = np.dtype(dtype)
        self._scratch = scratch
        self._held: list[EndToEnd] = []
        self._spilled = self._held_bytes = 0  # documents in `scratch`, bytes in `_held`
        self._entries = [np.zeros(0, ENTRY)]
        self._segments = [np.zeros(0, np.uint32)]

    def add(
        self,
        tokens: Integers,
        lengths: Integers,
        *,
        keys: Keys,
        ids: Ids,
        rows: Integers,
        split: int,
        segments: npt.NDArray[np.uint32],
    ) -> None:
        """Appends documents of one split: their tokens end to end, how many each has, and a number for its segment."""
        assert tokens.dtype == self.dtype and int(lengths.sum()) == len(tokens)
        entries = np.zeros(len(lengths), ENTRY)
        for name, values in (("key", keys), ("doc_id", ids), ("tokens", lengths), ("split", split), ("row", rows)):
            entries[name] = values
        self._held.append(EndToEnd(tokens, len(lengths)))
        self._held_bytes += tokens.nbytes
        if self._held_bytes > HELD_BYTES:
            self._spill()
        self._entries.append(entries)
        self._segments.append(segments)

    def _spill(self) -> None:
        for held in self._held:
            self._scratch.write(np.ascontiguousarray(held.tokens).data)
            self._spilled += held.documents
        self._held, self._held_bytes = [], 0

    def _parts(self) -> list[EndToEnd]:
        """All tokens, in the order of their coming."""
        if not self._spilled:
            return self._held
        return [EndToEnd(np.frombuffer(mapped(self._scratch), self.dtype), self._spilled), *self._held]

    def finish(self, tokens: Path, entries: Path, segments: Sequence[int]) -> list[Stored]:
        """Writes both files, segment by segment in the order given, which must name all. Says what is in each."""
        held, numbers = np.concatenate(self._entries), np.concatenate(self._segments)
        self._entries, self._segments = [], []
        ranks = np.zeros(max(segments, default=0) + 1, np.uint32)
        ranks[list(segments)] = np.arange(len(segments))
        ranked = ranks[numbers]
        order = sorted_order(held, ranked)
        with tokens.open("wb") as file:
            for block, _ in gather(self._parts(), held["tokens"], order):
                file.write(block.data)
        held, ranked = held[order], ranked[order]
        held["start"] = np.cumsum(held["tokens"], dtype=np.uint64) - held["tokens"]
        entries.write_bytes(held.data)
        bounds = np.searchsorted(ranked, np.arange(len(segments) + 1))
        sums = np.concatenate([np.zeros(1, np.int64), np.cumsum(held["tokens"], dtype=np.int64)])[bounds]
        counts = zip(segments, np.diff(bounds).tolist(), np.diff(sums).tolist(), strict=True)
        return [Stored(*row) for row in counts]


def sorted_order(entries: Entries, segments: Integers | None = None) -> Places:
    """The order of entries by segment, key and id."""
    halves = np.ascontiguousarray(entries["doc_id"]).view(">u8").reshape(-1, 2)
    keys = [halves[:, 1], halves[:, 0], entries["key"]]
    return np.lexsort(keys if segments is None else [*keys, segments])


def gather(parts: Sequence[EndToEnd], lengths: Integers, order: Places) -> Iterator[tuple[Integers, Integers]]:
    """Documents in another order: blocks of tokens, each with its documents' lengths.

    lengths   of the documents of all parts, whose tokens are of one type
    """
    documents = [part.documents for part in parts]
    sizes = lengths.astype(np.int64) * (parts[0].tokens.itemsize if parts else 1)
    bounds = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
    starts = bounds[:-1] - np.repeat(bounds[np.cumsum([0, *documents])[:-1]], documents)
    part_of = np.repeat(np.arange(len(parts)), documents)
    ends = np.cumsum(sizes[order])
    first = 0
    while first < len(order):
        before = int(ends[first - 1]) if first else 0
        stop = max(first + 1, int(np.searchsorted(ends, before + BLOCK_BYTES, side="right")))
        rows, block = order[first:stop], np.empty(int(ends[stop - 1]) - before, np.uint8)
        targets = ends[first:stop] - sizes[rows] - before
        for number in np.unique(part_of[rows]).tolist():
            here = part_of[rows] == number
            source = parts[number].tokens.view(np.uint8)
            source.flags.writeable = False
            copy_ranges(source, starts[rows[here]], sizes[rows[here]], targets[here], block)
        yield block.view(parts[0].tokens.dtype), lengths[rows]
        first = stop


def mapped(file: BinaryIO) -> mmap.mmap | bytes:
    """All that was written to an open file, mapped into memory."""
    file.flush()
    size = file.seek(0, 2)
    return mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) if size else b""
