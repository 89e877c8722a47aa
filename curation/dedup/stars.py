"""From the keys of a partition to edges: the reducing half of the shuffle."""

from __future__ import annotations

import math

import numpy as np

from curation.dedup.kernels.stars import count_groups, join_stars, place_in_groups
from curation.dedup.key_blobs import Keys, UInt64s

GROUP_KEYS = 2000  # of a group, on average: its hash table fits a core's cache
MOST_GROUP_BITS = 14  # so many groups are written to at once
MOST_KEYS = (1 << 32) - 1  # of a partition


def star_edges(found: Keys) -> tuple[UInt64s, UInt64s]:
    """An edge from each document to the one that ranks first among those that share a key with it: two arrays of ranks.

    A pair that shares several keys may come several times. Linear in the keys, however many share one. Memory: some 36 bytes
    a key.
    """
    keys, ranks, checks = found
    assert len(keys) < MOST_KEYS
    bits = min(MOST_GROUP_BITS, math.ceil(math.log2(len(keys) / GROUP_KEYS + 1)))
    mask = (1 << bits) - 1
    starts = np.zeros((1 << bits) + 1, np.int64)
    count_groups(keys, mask, starts)
    table = 16
    while table < 2 * starts.max():
        table *= 2
    np.cumsum(starts, out=starts)
    grouped, positions = np.empty(len(keys), np.uint64), np.empty(len(keys), np.uint32)
    place_in_groups(keys, mask, starts[:-1].copy(), grouped, positions)
    nearer, farther = np.empty(len(keys), np.uint32), np.empty(len(keys), np.uint32)
    tables = np.empty(table, np.uint64), np.empty(table, np.uint32)
    edges = join_stars(grouped, positions, starts, ranks, checks, *tables, nearer, farther)
    return ranks[nearer[:edges]], ranks[farther[:edges]]
