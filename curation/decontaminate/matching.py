"""What documents and evaluation items have in common: found for a batch at once, judged for the documents that have any."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from curation.decontaminate.index import Index, covered
from curation.decontaminate.kernels.runs import find_runs
from curation.decontaminate.places import places_of
from curation.decontaminate.units import Units, units_of
from curation.text.batch import TextBatch
from curation.text.kernels.compiling import Int32s, Int64s

ROOM = 4096  # runs found in a portion, for a start


class Found(NamedTuple):
    """Runs of one document that are in the index, by place: which key, and where in bytes of the batch."""

    document: int
    keys: Int64s
    starts: Int64s
    stops: Int64s


class Hits(NamedTuple):
    """What a document has of items, one row an item that it has anything of, in the order of the index.

    items     which
    ngrams    int64: distinct n-grams of the item, or 1 for a short item as a whole
    covered   float64: share of the item's units that stand in them, of those that stand in any indexed n-gram
    starts    int64: where the first of them begins, in bytes of the batch
    """

    items: Int64s
    ngrams: Int64s
    covered: npt.NDArray[np.float64]
    starts: Int64s


def find(texts: TextBatch, index: Index, split: bool) -> Iterator[Found]:
    """The documents that have any run of the index, in order."""
    for units in units_of(texts, split):
        places, keys = _runs_in(units, index)
        if not len(places):
            continue
        documents = np.searchsorted(units.offsets, places, "right") - 1
        starts, stops = places_of(units, places, places + index.key_lengths[keys] - 1)
        cuts = np.flatnonzero(np.append(True, documents[1:] != documents[:-1]))
        for first, stop in zip(cuts, np.append(cuts[1:], len(places)), strict=True):
            part = slice(first, stop)
            yield Found(units.first + int(documents[first]), keys[part].astype(np.int64), starts[part], stops[part])


def _runs_in(units: Units, index: Index) -> tuple[Int64s, Int32s]:
    """Where runs of the index begin, as units of a portion, and their keys."""
    prefix = np.empty(int(np.diff(units.offsets).max(initial=0)) + 1, np.uint64)
    tables = (index.ngram, index.shorter, index.keys, index.buckets, index.shift, index.marks, index.anchors)
    room = ROOM
    while True:
        places, keys = np.empty(room, np.int64), np.empty(room, np.int32)
        count = find_runs(units.hashes, units.offsets, *tables, prefix, places, keys)
        if count >= 0:
            return places[:count], keys[:count]
        room *= 4


def hits_of(found: Found, index: Index) -> Hits:
    """The items that a document has anything of, and how much."""
    keys, firsts = np.unique(found.keys, return_index=True)
    positions, of_key = index.positions_of(keys)
    order = np.argsort(positions, kind="stable")
    positions, of_key = positions[order], of_key[order]
    owners = index.items_at(positions)
    items, numbers = np.unique(owners, return_inverse=True)
    lengths = index.key_lengths[keys[of_key]].astype(np.int64)
    pairs = np.unique(numbers * len(keys) + of_key)
    starts = np.full(len(items), np.iinfo(np.int64).max)
    np.minimum.at(starts, numbers, found.starts[firsts][of_key])
    units = covered(positions, lengths, numbers, len(items))
    return Hits(items, np.bincount(pairs // len(keys)), units / index.coverable[items], starts)


def runs_of_items(found: Found, items: Int64s, index: Index) -> npt.NDArray[np.bool_]:
    """Which of a document's runs stand in any of the items (ascending)."""
    keys, of_run = np.unique(found.keys, return_inverse=True)
    positions, of_key = index.positions_of(keys)
    inside = np.zeros(len(keys), np.bool_)
    inside[of_key[np.isin(index.items_at(positions), items)]] = True
    marked: npt.NDArray[np.bool_] = inside[of_run]
    return marked
