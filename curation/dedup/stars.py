"""From the keys of a partition to edges: the reducing half of the shuffle."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from curation.dedup.kernels.stars import CHECK, count_groups, join_stars, note_keys, place_in_groups, sift_keys
from curation.dedup.key_blobs import Int64s, Stripe, UInt64s, stripes_of

SLOTS = 4  # a key: more leave fewer keys that are alone, in more memory
SLOTS_PER_WORD = 32
ALL = np.full(1, 2**64 - 1, np.uint64)  # a table in which no key is alone
GROUP_KEYS = 2000  # of a group, on average: it fits a core's cache with its hash table
MOST_GROUP_BITS = 14  # so many groups are written to at once
MOST_KEYS = 1 << 30  # of a stripe: the table has no more words than 32 bits tell apart, see `note_keys`


def noted(stripes: Sequence[Stripe]) -> UInt64s:
    """A table of slots in which every key is noted: uint64[a power of two], some SLOTS of two bits a key."""
    keys = sum(len(stripe.lows) for stripe in stripes)
    words = max(1, SLOTS * keys // SLOTS_PER_WORD)
    slots = np.zeros(1 << math.ceil(math.log2(words)), np.uint64)
    for stripe in stripes:
        note_keys(stripe.lows, slots)
    return slots


def shared(stripes: Sequence[Stripe], slots: UInt64s) -> UInt64s:
    """A record of each key that several documents have, uint64[records, 2 or 3], and of some others."""
    keys, width = sum(len(stripe.lows) for stripe in stripes), CHECK + any(len(stripe.checks) for stripe in stripes)
    assert keys < MOST_KEYS
    records, count = np.empty((keys, width), np.uint64), 0
    for each in stripes:
        count = sift_keys(
            each.lows, each.gaps, each.first, each.uniform, each.classes, each.checks, slots, records, count
        )
    return records[:count]


def in_groups(records: UInt64s) -> tuple[UInt64s, Int64s]:
    """The records by groups of their keys' low bits, and where groups begin, int64[groups + 1]."""
    mask = (1 << min(MOST_GROUP_BITS, math.ceil(math.log2(len(records) / GROUP_KEYS + 1)))) - 1
    starts = np.zeros(mask + 2, np.int64)
    count_groups(records, mask, starts)
    np.cumsum(starts, out=starts)
    grouped = np.empty_like(records)
    place_in_groups(records, mask, starts[:-1].copy(), grouped)
    return grouped, starts


def star_edges(blobs: Sequence[bytes | memoryview]) -> tuple[UInt64s, UInt64s]:
    """An edge from each document to the one that ranks first among those that share a key with it: two arrays of ranks.

    A pair that shares several keys may come several times. Linear in the keys, however many share one. Memory: some 32 bytes
    a key of a stripe, 48 where all are shared; and 16 an edge.
    """
    nearer, farther = [np.zeros(0, np.uint64)], [np.zeros(0, np.uint64)]
    for stripes in zip(*map(stripes_of, blobs), strict=True):
        edges = joined_stars(*in_groups(shared(stripes, noted(stripes))))
        nearer.append(edges[0])
        farther.append(edges[1])
    return np.concatenate(nearer), np.concatenate(farther)


def joined_stars(records: UInt64s, starts: Int64s) -> tuple[UInt64s, UInt64s]:
    """The edges of grouped records."""
    table = 16
    while table < 2 * np.diff(starts).max():
        table *= 2
    nearer, farther = np.empty(len(records), np.uint64), np.empty(len(records), np.uint64)
    edges = join_stars(records, starts, np.empty(table, np.uint32), nearer, farther)
    return nearer[:edges], farther[:edges]
