"""What is to be found of evaluation items: runs of units, as hashes. Which n-grams, which short items, and what is ignored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from curation.decontaminate.items import EvaluationSet, File, Item, read_items, read_phrases
from curation.decontaminate.kernels.runs import hash_runs
from curation.decontaminate.units import NARROW_WORDS, units_of
from curation.decontaminate.ways import Part
from curation.text.columns import batch_of
from curation.text.kernels.compiling import Int32s, Int64s, UInt64s

BLOCK = 1 << 16  # n-grams whose units are counted together
ITEMS = 1 << 12  # items read together

Bools = npt.NDArray[np.bool_]


class Settings(NamedTuple):
    """What an index is made of; the keys are those of the step."""

    sets: tuple[EvaluationSet, ...]
    ngram: int
    parts: tuple[Part, ...]
    shortest: int
    min_distinct: int
    ignore: tuple[File, ...]
    ignore_common: int
    split: bool


class Items(NamedTuple):
    """The items of all sets, one behind the other.

    sets, ids   which set an item is of, and its name there
    offsets     int64[items + 1]: which units it has
    labels      int64[items]: where its label begins; what stands before is its query
    hashes      uint64[units]
    words       float64[items]: its words, a character of an unspaced script counted as half of one
    """

    sets: Int32s
    ids: list[str]
    offsets: Int64s
    labels: Int64s
    hashes: UInt64s
    words: npt.NDArray[np.float64]


class Runs(NamedTuple):
    """Runs of the items' units: where each begins, how many units it has, and its hash."""

    starts: Int64s
    lengths: Int64s
    values: UInt64s


def read_units(settings: Settings) -> Items:
    """All items as units: the query's, then the label's."""
    sets: list[int] = []
    ids: list[str] = []
    words: list[float] = []
    hashes, ends, total = [np.zeros(0, np.uint64)], [0], 0
    for number, part in _item_blocks(settings.sets):
        texts = batch_of([side for item in part for side in (item.query or "", item.text)])
        for found in units_of(texts, settings.split):
            hashes.append(found.hashes.copy())
            ends += (total + found.offsets[1:]).tolist()
            narrow = np.concatenate([[0], np.cumsum(found.narrow)])[found.offsets]
            words += (np.diff(found.offsets) - (1 - NARROW_WORDS) * np.diff(narrow)).tolist()
            total += len(found.hashes)
        sets += [number] * len(part)
        ids += [item.id for item in part]
    sides = np.array(ends, np.int64)
    return Items(
        sets=np.array(sets, np.int32),
        ids=ids,
        offsets=sides[::2],
        labels=sides[1::2],
        hashes=np.concatenate(hashes),
        words=np.array(words).reshape(-1, 2).sum(axis=1),
    )


def _item_blocks(sets: tuple[EvaluationSet, ...]) -> Iterator[tuple[int, list[Item]]]:
    """The items in lists, each of one set with that set's number."""
    for number, each in enumerate(sets):
        block: list[Item] = []
        for item in read_items(each.path):
            block.append(item)
            if len(block) == ITEMS:
                yield number, block
                block = []
        if block:
            yield number, block


def wanted_runs(items: Items, settings: Settings) -> Runs:
    """The runs that are to be found: of the items, without those that are ignored."""
    starts, lengths = _runs(items, settings)
    values = run_hashes(items.hashes, starts, lengths)
    used = _used(items, starts, values, settings)
    return Runs(starts[used], lengths[used], values[used])


def _runs(items: Items, settings: Settings) -> tuple[Int64s, Int64s]:
    """Where the runs to be indexed begin and how long they are: n-grams, and whole items of fewer units."""
    sizes, ngram = np.diff(items.offsets), settings.ngram
    counts = np.where((sizes >= ngram) & (items.words >= settings.shortest), sizes - ngram + 1, 0)
    owners = np.repeat(np.arange(len(sizes)), counts)
    starts = items.offsets[:-1][owners] + np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts, counts)
    labels, wanted = items.labels[owners], np.zeros(len(starts), np.bool_)
    sides = {"query": starts + ngram <= labels, "label": starts >= labels}
    sides["overlap"] = ~(sides["query"] | sides["label"])
    for part in settings.parts:
        wanted |= sides[part]
    wanted &= _enough_distinct(items.hashes, starts, settings)
    short = np.flatnonzero((sizes < ngram) & (sizes > 0) & (items.words >= settings.shortest))
    whole = items.offsets[:-1][short]
    return np.concatenate([starts[wanted], whole]), np.concatenate([np.full(wanted.sum(), ngram), sizes[short]])


def _enough_distinct(hashes: UInt64s, starts: Int64s, settings: Settings) -> Bools:
    """Which n-grams have as many distinct units as are asked for."""
    enough = np.ones(len(starts), np.bool_)
    if settings.min_distinct > 1:
        for first in range(0, len(starts), BLOCK):
            block = starts[first : first + BLOCK, None] + np.arange(settings.ngram)
            ordered = np.sort(hashes[block], axis=1)
            enough[first : first + BLOCK] = 1 + (np.diff(ordered, axis=1) != 0).sum(axis=1) >= settings.min_distinct
    return enough


def _used(items: Items, starts: Int64s, values: UInt64s, settings: Settings) -> Bools:
    """Which runs are neither common among the items nor on a list of what is to be ignored."""
    used = ~np.isin(values, _ignored(settings))
    if settings.ignore_common and len(values):
        owners = np.searchsorted(items.offsets, starts, "right") - 1
        _, run_keys = np.unique(values, return_inverse=True)
        pairs = np.unique(np.stack([run_keys, owners], axis=1), axis=0)
        used &= np.bincount(pairs[:, 0])[run_keys] <= settings.ignore_common
    return used


def _ignored(settings: Settings) -> UInt64s:
    """The hashes of all n-grams of the listed phrases, and of those that are shorter as wholes."""
    parts = [np.zeros(0, np.uint64)]
    for path, _ in settings.ignore:
        for found in units_of(batch_of(read_phrases(path)), settings.split):
            sizes = np.diff(found.offsets)
            counts = np.where(sizes > 0, np.maximum(sizes - settings.ngram + 1, 1), 0)
            starts = np.repeat(found.offsets[:-1] - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
            parts.append(run_hashes(found.hashes, starts, np.repeat(np.minimum(sizes, settings.ngram), counts)))
    return np.concatenate(parts)


def run_hashes(hashes: UInt64s, starts: Int64s, lengths: Int64s) -> UInt64s:
    """The hash of each run of units."""
    values = np.empty(len(starts), np.uint64)
    hash_runs(hashes, np.ascontiguousarray(starts, np.int64), np.ascontiguousarray(lengths, np.int64), values)
    return values
