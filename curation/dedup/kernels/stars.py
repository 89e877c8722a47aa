"""Documents that share a key: an edge from each to the one that ranks first among them, never all pairs.

Keys come in no order. One pass sorts them into groups that fit a core's cache, by their low bits; a hash table of each group
then finds the first in rank for each key. No sort, no list a key: a key that a million documents share costs what a million keys
cost.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from curation.text.kernels.compiling import Int64s, UInt64s, entry

U = np.uint64
UInt32s = np.ndarray[Any, Any]
_GOLDEN = U(0x9E3779B97F4A7C15)
_HIGH = U(40)
NOBODY = np.uint32(0xFFFFFFFF)  # an empty place of the table


@entry
def count_groups(keys: UInt64s, mask: int, counts: Int64s) -> None:
    """Adds to counts[1:] how many keys each group gets."""
    for key in keys:
        counts[np.int64(key & U(mask)) + 1] += 1


@entry
def place_in_groups(keys: UInt64s, mask: int, places: Int64s, grouped: UInt64s, positions: UInt32s) -> None:
    """Puts each key, and where it was, into its group; `places` begin at each group's first and move on."""
    for position in range(len(keys)):
        group = np.int64(keys[position] & U(mask))
        place = places[group]
        places[group] = place + 1
        grouped[place] = keys[position]
        positions[place] = position


@entry
def join_stars(
    grouped: UInt64s, positions: UInt32s, starts: Int64s, ranks: UInt64s, checks: UInt64s,
    table_keys: UInt64s, table_firsts: UInt32s, nearer: UInt32s, farther: UInt32s,
) -> int:  # fmt: skip
    """Writes the edges, (nearer, farther) as positions of keys, and gives their number.

    starts   int64[groups + 1]
    ranks    of each key's document, by position
    checks   more of each key, by position: documents of one key and two checks get no edge. Empty: keys are all there is
    table_…  as long as a power of two that is twice the largest group at least
    """
    edges, checked = 0, len(checks) > 0
    for group in range(len(starts) - 1):
        start, stop, first_edge = starts[group], starts[group + 1], edges
        size = 16
        while size < 2 * (stop - start):
            size *= 2
        table_firsts[:size] = NOBODY
        for number in range(start, stop):
            key, position = grouped[number], positions[number]
            place = np.int64((key * _GOLDEN) >> _HIGH) & (size - 1)
            while table_firsts[place] != NOBODY and table_keys[place] != key:
                place = (place + 1) & (size - 1)
            first = table_firsts[place]
            if first == NOBODY:
                table_keys[place] = key
                table_firsts[place] = position
            elif ranks[position] != ranks[first]:
                ahead = ranks[position] < ranks[first]
                table_firsts[place] = position if ahead else first
                nearer[edges] = place  # which key; who is first for it is known when the group is through
                farther[edges] = first if ahead else position
                edges += 1
        kept = first_edge
        for edge in range(first_edge, edges):
            first = table_firsts[nearer[edge]]
            if not checked or checks[first] == checks[farther[edge]]:
                nearer[kept] = first
                farther[kept] = farther[edge]
                kept += 1
        edges = kept
    return edges


def warm_up() -> None:
    """Compiles the kernels of this file."""
    keys, starts, places = np.zeros(1, np.uint64), np.array([0, 1]), np.zeros(16, np.uint32)
    count_groups(keys, 0, starts.copy())
    place_in_groups(keys, 0, starts.copy(), keys.copy(), places)
    join_stars(keys, places, starts, keys, keys[:0], np.zeros(16, np.uint64), places, places, places)
