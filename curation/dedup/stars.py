"""From the keys of a partition to edges: the reducing half of the shuffle."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from curation.dedup.kernels.stars import CHECK, count_groups, join_stars, place_in_groups
from curation.dedup.key_blobs import Int64s, UInt64s, opened

GROUP_KEYS = 2000  # of a group, on average: it fits a core's cache with its hash table
MOST_GROUP_BITS = 14  # so many groups are written to at once
MOST_KEYS = (1 << 32) - 1  # of a partition


class Memory:
    """Memory for arrays as large as the largest so far, which is kept: what comes anew from the system it clears before."""

    def __init__(self) -> None:
        self._words = np.empty(0, np.uint64)

    def array(self, *shape: int) -> UInt64s:
        """An array whose content is anything; the one before is no more."""
        size = math.prod(shape)
        if size > len(self._words):
            self._words = np.empty(size, np.uint64)
        return self._words[:size].reshape(shape)


RECORDS, NEARER, FARTHER = Memory(), Memory(), Memory()


def grouped(blobs: Sequence[bytes | memoryview]) -> tuple[UInt64s, Int64s]:
    """A record a key, uint64[keys, 2 or 3], by groups of the keys' low bits, and where groups begin, int64[groups + 1].

    Memory: 16 bytes a key beside the blobs, 24 with checks; the next call has the same.
    """
    given = [opened(blob) for blob in blobs]
    total = sum(len(blob.keys) for blob in given)
    assert total < MOST_KEYS
    mask = (1 << min(MOST_GROUP_BITS, math.ceil(math.log2(total / GROUP_KEYS + 1)))) - 1
    starts = np.zeros(mask + 2, np.int64)
    for blob in given:
        count_groups(blob.keys, mask, starts)
    np.cumsum(starts, out=starts)
    places = starts[:-1].copy()
    records = RECORDS.array(total, CHECK + any(len(blob.checks) for blob in given))
    for first, uniform, keys, gaps, classes, checks in given:
        place_in_groups(keys, gaps, first, uniform, classes, checks, mask, places, records)
    return records, starts


def star_edges(blobs: Sequence[bytes | memoryview]) -> tuple[UInt64s, UInt64s]:
    """An edge from each document to the one that ranks first among those that share a key with it: two arrays of ranks.

    A pair that shares several keys may come several times. Linear in the keys, however many share one. Memory: some 16 bytes
    a key, 16 an edge.
    """
    records, starts = grouped(blobs)
    table = 16
    while table < 2 * np.diff(starts).max():
        table *= 2
    nearer, farther = NEARER.array(len(records)), FARTHER.array(len(records))
    edges = join_stars(records, starts, np.empty(table, np.uint32), nearer, farther)
    return nearer[:edges].copy(), farther[:edges].copy()
