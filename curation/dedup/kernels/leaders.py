"""Who goes and for whom: agreement of signatures, and the one pass over similar pairs that decides."""

from __future__ import annotations

import numpy as np

from curation.dedup.kernels import read_only
from curation.dedup.kernels.prefetching import prefetch_stretch
from curation.text.kernels.compiling import Bytes, Int64s, UInt64s, entry

_AHEAD = 16  # edges whose signatures are asked for before they are looked at
_NUMBER = np.uint64((1 << 48) - 1)  # of a rank, below the class


@entry
def count_agreements(theirs: Bytes, which: Int64s, ours: Bytes, rows: Int64s, counts: Int64s) -> None:
    """For each edge e how many bytes of theirs[which[e]] and ours[rows[e]] are equal; uint8[documents, values] both."""
    width = theirs.shape[1]
    for edge in range(len(which)):
        if edge + _AHEAD < len(which):
            ahead = which[edge + _AHEAD] * width
            prefetch_stretch(theirs, ahead, ahead + width)
        a, b = theirs[which[edge]], ours[rows[edge]]
        equal = 0
        for place in range(len(a)):
            equal += a[place] == b[place]
        counts[edge] = equal


@entry
def decide(ranks: UInt64s, nearer: UInt64s, similarities: UInt64s, order: Int64s, kept: Bytes, chosen: Int64s) -> int:
    """Goes through similar pairs in the order of rank; a document goes if one that ranks before it, and stays, is similar.

    ranks         of the document that ranks behind
    nearer        rank of the document that ranks before it
    similarities  float32[pairs]
    order         of the pairs, by `ranks`; those of a document in any order
    kept          uint8[documents of the run]: 1 where it stays so far; changed
    chosen        filled: the pair that each removal is for, the most similar and among equals the first in rank
    Gives the number of removals.
    """
    removed, place = 0, 0
    while place < len(order):
        rank, best = ranks[order[place]], -1
        while place < len(order) and ranks[order[place]] == rank:
            pair = order[place]
            if kept[np.int64(nearer[pair] & _NUMBER)]:
                if best < 0 or similarities[pair] > similarities[best]:
                    best = pair
                elif similarities[pair] == similarities[best] and nearer[pair] < nearer[best]:
                    best = pair
            place += 1
        if best >= 0:
            kept[np.int64(rank & _NUMBER)] = 0
            chosen[removed] = best
            removed += 1
    return removed


def warm_up() -> None:
    """Compiles the kernels of this file."""
    places, ranks = np.zeros(1, np.int64), np.zeros(1, np.uint64)
    kept, similarities = np.ones(2, np.uint8), np.ones(1, np.float32)
    count_agreements(kept.reshape(1, 2), places, kept.reshape(1, 2), places, places.copy())
    count_agreements(read_only(kept.reshape(1, 2)), places, read_only(kept.reshape(1, 2)), places, places.copy())
    decide(ranks + np.uint64(1), ranks, similarities, places, kept, places.copy())
