"""The n-grams of evaluation sets, ready to be found in documents: built once a worker, and only read from then on.

Memory: at most 27 bytes for a distinct n-gram that stands in one place (8 of hash, 8 of buckets, 2 of marks, 9 of length and
places), 4 for each further place, 28 for an item and its name. No text is kept.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from curation.decontaminate.item_runs import Items, Runs, Settings, read_units, run_hashes, wanted_runs
from curation.text.kernels.compiling import Bytes, Int32s, Int64s, UInt64s

MARK_BITS = 8  # for each key, at least, so that at most one other run in eight is looked up in vain
ANCHOR_BITS = 64  # the same for the beginnings of short items, of which there are few


class Index(NamedTuple):
    """Keys are the hashes of n-grams, and of whole items that are shorter than one.

    keys, buckets, shift, marks, anchors, shorter   see `kernels/runs.py`
    key_lengths   uint8[keys]: units
    places        uint32[keys + 1]: which of `positions` a key has
    positions     uint32: where it stands, as a unit of all items; ascending for a key
    item_offsets  int64[items + 1]: which units an item has
    item_sets     int32[items]
    item_ids      names, in the order of the items
    coverable     int64[items]: units that stand in a run with a key: 0 if the item cannot be checked
    item_keys     int64[items]: distinct keys
    """

    ngram: int
    keys: UInt64s
    buckets: Int32s
    shift: int
    marks: Bytes
    anchors: Bytes
    shorter: Int64s
    key_lengths: Bytes
    places: Int64s
    positions: UInt64s
    item_offsets: Int64s
    item_sets: Int32s
    item_ids: list[str]
    coverable: Int64s
    item_keys: Int64s

    @property
    def bytes(self) -> int:
        """Of all arrays; the names of the items come on top."""
        return sum(part.nbytes for part in self if isinstance(part, np.ndarray))

    def positions_of(self, keys: Int64s) -> tuple[Int64s, Int64s]:
        """The positions of keys, key after key, and for each which of `keys` it is of."""
        begins = self.places[keys].astype(np.int64)
        counts = self.places[keys + 1].astype(np.int64) - begins
        of_key = np.repeat(np.arange(len(keys)), counts)
        within = np.arange(len(of_key)) - np.repeat(np.cumsum(counts) - counts, counts)
        return self.positions[begins[of_key] + within].astype(np.int64), of_key

    def items_at(self, positions: Int64s) -> Int64s:
        """The item that each position is in."""
        return np.searchsorted(self.item_offsets, positions, "right") - 1


@functools.lru_cache(maxsize=2)
def build_index(settings: Settings) -> Index:
    """Reads the sets and indexes them. Raises `UserError` for a record that is no item."""
    items = read_units(settings)
    return _arranged(items, wanted_runs(items, settings), settings.ngram)


def covered(positions: Int64s, lengths: Int64s, items: Int64s, count: int) -> Int64s:
    """How many units of each item stand in a run; runs are given by ascending position."""
    gaps = np.append(np.where(np.diff(items) == 0, np.diff(positions), np.iinfo(np.int64).max), np.iinfo(np.int64).max)
    return np.bincount(items, np.minimum(lengths, gaps[: len(items)]), count).astype(np.int64)


def _arranged(items: Items, runs: Runs, ngram: int) -> Index:
    """The runs by key, and the tables to find them by."""
    order = np.lexsort((runs.starts, runs.values))
    starts, lengths, values = (part[order] for part in runs)
    begins = np.flatnonzero(np.append(True, values[1:] != values[:-1])) if len(values) else np.zeros(0, np.int64)
    keys, key_lengths = values[begins], lengths[begins]
    shift = 64 - max(1, int(len(keys)).bit_length())
    edges = np.arange(1 << (64 - shift), dtype=np.uint64) << np.uint64(shift)
    buckets = np.append(np.searchsorted(keys, edges), len(keys)).astype(np.int32)
    short = key_lengths < ngram
    shorter = np.unique(key_lengths[short])
    first = np.full(int(short.sum()), shorter[0] if len(shorter) else ngram)
    anchors = _marks(run_hashes(items.hashes, starts[begins][short], first), ANCHOR_BITS)
    index = Index(
        ngram=ngram, keys=keys, buckets=buckets, shift=shift, marks=_marks(keys[~short], MARK_BITS), anchors=anchors,
        shorter=shorter, key_lengths=key_lengths.astype(np.uint8), places=np.append(begins, len(values)).astype(np.uint32),
        positions=starts.astype(np.uint32), item_offsets=items.offsets, item_sets=items.sets, item_ids=items.ids,
        coverable=np.zeros(0, np.int64), item_keys=np.zeros(0, np.int64),
    )  # fmt: skip
    by_place = np.argsort(starts, kind="stable")
    owners, count = index.items_at(starts[by_place]), len(items.ids)
    of_key = index.positions_of(np.arange(len(keys)))[1][by_place]
    pairs = np.unique(np.stack([owners, of_key], axis=1), axis=0)
    return index._replace(
        coverable=covered(starts[by_place], lengths[by_place], owners, count),
        item_keys=np.bincount(pairs[:, 0], minlength=count),
    )


def _marks(hashes: UInt64s, bits: int) -> Bytes:
    """A bit for each hash, by its lowest bits, among at least so many for each."""
    size = max(8, 1 << len(hashes).bit_length()) * bits // 8
    marks = np.zeros(size, np.uint8)
    places = hashes & np.uint64(8 * size - 1)
    np.bitwise_or.at(
        marks, (places >> np.uint64(3)).astype(np.int64), np.uint8(1) << (places & np.uint64(7)).astype(np.uint8)
    )
    return marks
