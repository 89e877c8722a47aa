"""Documents that share a key: an edge from each to the one that ranks first among them, never all pairs.

Keys come in no order. One pass sorts them into groups that fit a core's cache, by their low bits; a hash table of each group
then finds the first in rank for each key. No sort, no list a key: a key that a million documents share costs what a million keys
cost.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from curation.dedup.kernels import read_only
from curation.dedup.kernels.packing import FURTHER
from curation.text.kernels.compiling import Bytes, Int64s, UInt64s, entry

U = np.uint64
UInt16s = np.ndarray[Any, Any]
UInt32s = np.ndarray[Any, Any]
KEY, RANK, CHECK = range(3)  # of a record
CLASS = U(48)  # where the class stands in a rank, above the number
_GOLDEN = U(0x9E3779B97F4A7C15)
_HIGH = U(40)
NOBODY = np.uint32(0xFFFFFFFF)  # an empty place of the table


@entry
def count_groups(keys: UInt64s, mask: int, counts: Int64s) -> None:
    """Adds to counts[1:] how many keys each group gets."""
    for key in keys:
        counts[np.int64(key & U(mask)) + 1] += 1


@entry
def place_in_groups(
    keys: UInt64s, gaps: Bytes, first: int, uniform: int, classes: UInt16s, checks: UInt64s, mask: int, places: Int64s,
    records: UInt64s,
) -> None:  # fmt: skip
    """Puts a record of each key of a blob into its group; `places` begin at each group's first and move on.

    first    number that the gaps count from
    uniform  class of all documents, where `classes` are empty; `checks` are empty where records have none
    records  uint64[keys, 2 or 3]: key, rank of its document, check
    """
    classed, checked = len(classes) > 0, len(checks) > 0
    number, position = first, 0
    for gap in gaps:
        number += gap
        if gap != FURTHER:
            key = keys[position]
            group = np.int64(key & U(mask))
            place = places[group]
            places[group] = place + 1
            records[place, KEY] = key
            records[place, RANK] = U(number) | (U(classes[position] if classed else uniform) << CLASS)
            if checked:
                records[place, CHECK] = checks[position]
            position += 1


@entry
def join_stars(records: UInt64s, starts: Int64s, table: UInt32s, nearer: UInt64s, farther: UInt64s) -> int:
    """Writes the edges, (nearer, farther) as ranks, and gives their number.

    records  grouped. Where they have checks, documents of one key and two checks get no edge
    starts   int64[groups + 1]
    table    as long as a power of two that is twice the largest group at least
    """
    edges, checked = 0, records.shape[1] > CHECK
    for group in range(len(starts) - 1):
        start, stop, first_edge = starts[group], starts[group + 1], edges
        size = 16
        while size < 2 * (stop - start):
            size *= 2
        table[:size] = NOBODY
        for number in range(start, stop):
            key, rank = records[number, KEY], records[number, RANK]
            place = np.int64((key * _GOLDEN) >> _HIGH) & (size - 1)
            while table[place] != NOBODY and records[np.int64(table[place]), KEY] != key:
                place = (place + 1) & (size - 1)
            first = table[place]
            if first == NOBODY:
                table[place] = number
            elif rank != records[np.int64(first), RANK]:
                ahead = rank < records[np.int64(first), RANK]
                table[place] = number if ahead else first
                nearer[edges] = place  # which key; who is first for it is known when the group is through
                farther[edges] = first if ahead else number
                edges += 1
        kept = first_edge
        for edge in range(first_edge, edges):
            first, other = np.int64(table[np.int64(nearer[edge])]), np.int64(farther[edge])
            if not checked or records[first, CHECK] == records[other, CHECK]:
                nearer[kept] = records[first, RANK]
                farther[kept] = records[other, RANK]
                kept += 1
        edges = kept
    return edges


def warm_up() -> None:
    """Compiles the kernels of this file."""
    keys, starts = np.zeros(1, np.uint64), np.array([0, 1])
    given = [read_only(array) for array in (keys, keys.view(np.uint8)[:1], keys.view(np.uint16), keys)]
    count_groups(given[0], 0, starts.copy())
    records = np.zeros((1, 3), np.uint64)
    place_in_groups(given[0], given[1], 0, 0, given[2], given[3], 0, starts[:1].copy(), records)
    join_stars(records, starts, np.zeros(16, np.uint32), keys, keys.copy())
