"""Keys by partition: a counting sort of the keys of many documents, and the gaps by which their rows are written down.

A row travels as its distance from the row before in the same partition: one byte, 255 meaning 255 rows and more to come. Of a
key the lowest KEY_BITS travel, since the partition says what the highest are: 32 in a word of their own, 8 beside the gap.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from curation.dedup.kernels import read_only
from curation.dedup.kernels.prefetching import LINE, prefetch
from curation.text.kernels.compiling import Int64s, UInt64s, entry, inlined

UInt16s = np.ndarray[Any, Any]
UInt32s = np.ndarray[Any, Any]

U = np.uint64
FURTHER = 255  # a gap byte that does not end its gap
GAP_BITS, LOW_BITS = 8, 32
KEY_BITS = LOW_BITS + GAP_BITS  # of a key that travel
KEYS, GAPS, CLASSES, CHECKS = range(4)  # sections of a blob
_HALF = U(32)
_GAP, _LOW = U(GAP_BITS), U(LOW_BITS)
_BESIDE = U((1 << GAP_BITS) - 1)  # what of a key stands beside its gap


@inlined
def partition_of(key, partitions):  # type: ignore[no-untyped-def]
    """The partition of a key, by its high bits."""
    return np.int64(((key >> _HALF) * U(partitions)) >> _HALF)


@entry
def count_keys(
    keys: UInt64s, places: Int64s, rows: Int64s, partitions: int, key_counts: Int64s, gap_counts: Int64s, last: Int64s
) -> None:
    """Adds how many keys and gaps each partition gets from the documents at some places of uint64[…, keys of each].

    rows  theirs, ascending from one call to the next. key_counts, gap_counts and last are zero before the first.
    """
    for document in range(len(places)):
        row = rows[document]
        for band in range(keys.shape[1]):
            partition = partition_of(keys[places[document], band], partitions)
            key_counts[partition] += 1
            gap = row - last[partition]
            gap_counts[partition] += 1 if gap < FURTHER else 1 + gap // FURTHER
            last[partition] = row


@entry
def place_keys(
    keys: UInt64s, places: Int64s, rows: Int64s, classes: UInt16s, checks: UInt64s, partitions: int, last: Int64s,
    begins: Int64s, words: UInt64s, lows: UInt32s, shorts: UInt16s,
) -> None:  # fmt: skip
    """Puts what is known of each key where its partition's is; `begins`, int64[4, partitions], move on from call to call.

    words, lows, shorts  one buffer, in eight bytes, in four and in two, as the sections of `begins` count
    classes, checks      of each document and of each key, or empty where they are not written down; classes only of those at
                         the places
    """
    classed, checked = len(classes) > 0, checks.shape[1] > 0
    for document in range(len(places)):
        row, place = rows[document], places[document]
        for band in range(keys.shape[1]):
            key = keys[place, band]
            partition = partition_of(key, partitions)
            at = begins[KEYS, partition]
            lows[at] = np.uint32(key)
            prefetch(lows, at + LINE // 4)
            begins[KEYS, partition] = at + 1
            if classed:
                shorts[begins[CLASSES, partition]] = classes[document]
                begins[CLASSES, partition] += 1
            if checked:
                words[begins[CHECKS, partition]] = checks[place, band]
                begins[CHECKS, partition] += 1
            gap = row - last[partition]
            at = begins[GAPS, partition]
            while gap >= FURTHER:
                shorts[at] = FURTHER
                at += 1
                gap -= FURTHER
            shorts[at] = np.uint16(U(gap) | (((key >> _LOW) & _BESIDE) << _GAP))
            prefetch(shorts, at + LINE // 2)
            begins[GAPS, partition] = at + 1
            last[partition] = row


def warm_up() -> None:
    """Compiles the kernels of this file."""
    buffer = np.zeros(8, np.uint64)
    counts = [np.zeros(1, np.int64) for _ in range(3)]
    places, classes = np.zeros(1, np.int64), np.zeros(1, np.uint16)
    some = buffer.reshape(2, 4)[:, :1]  # of the columns of an array, which is another kind of array
    own = some.copy()
    for keys in (own, some, read_only(own), read_only(some)):
        count_keys(keys, places, places, 1, *counts)
        for checks in (own[:, :0], keys):
            begins = np.zeros((4, 1), np.int64)
            views = buffer, buffer.view(np.uint32), buffer.view(np.uint16)
            place_keys(keys, places, places, classes, checks, 1, counts[0], begins, *views)
