"""Documents that share a key: an edge from each to the one that ranks first among them, never all pairs.

Most keys are of one document alone. Two bits for each slot of a table, which a core's cache holds, tell nearly all of those from
the rest in two passes. What is left is put into groups that fit the cache too, by low bits; a hash table of each group then
finds the first in rank for each key. No sort, no list a key: a key that a million documents share costs what a million keys cost.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from curation.dedup.kernels import read_only
from curation.dedup.kernels.packing import FURTHER, GAP_BITS, LOW_BITS
from curation.text.kernels.compiling import Int64s, UInt64s, entry, inlined

U = np.uint64
UInt16s = np.ndarray[Any, Any]
UInt32s = np.ndarray[Any, Any]
KEY, RANK, CHECK = range(3)  # of a record
CLASS = U(48)  # where the class stands in a rank, above the number
_GOLDEN = U(0x9E3779B97F4A7C15)
_HIGH = U(40)
_PER_WORD, _IN_WORD = U(5), U(31)  # of the slots of two bits
_GAP, _LOW = U(GAP_BITS), U(LOW_BITS)
NOBODY = np.uint32(0xFFFFFFFF)  # an empty place of the table


@entry
def note_keys(lows: UInt32s, slots: UInt64s) -> None:
    """Notes each key, of which the lowest 32 bits are given, in a table of two bits a slot: that there was one, and another.

    slots  uint64[a power of two, 2²⁷ at most]
    """
    for low in lows:
        word, one = word_of(U(low), slots), U(1) << bit_of(U(low))
        slots[word] |= one | ((slots[word] & one) << U(1))


@inlined
def word_of(key, slots):  # type: ignore[no-untyped-def]
    """Which word of the table holds a key's slot."""
    return np.int64((key >> _PER_WORD) & U(len(slots) - 1))


@inlined
def bit_of(key):  # type: ignore[no-untyped-def]
    """The lower bit of a key's slot in its word."""
    return (key & _IN_WORD) << U(1)


@entry
def sift_keys(
    lows: UInt32s, gaps: UInt16s, first: int, uniform: int, classes: UInt16s, checks: UInt64s, slots: UInt64s,
    records: UInt64s, count: int,
) -> int:  # fmt: skip
    """Puts down a record of each key of a blob whose slot has another, from records[count] on; gives how many there are then.

    first    number that the gaps count from
    uniform  class of all documents, where `classes` are empty; `checks` are empty where records have none
    slots    of `note_keys`, of all blobs
    records  uint64[keys of all blobs, 2 or 3]: key, rank of its document, check
    """
    classed, checked = len(classes) > 0, len(checks) > 0
    number, position = first, 0
    for beside in gaps:
        gap = np.int64(beside) & FURTHER
        number += gap
        if gap != FURTHER:
            key = U(lows[position]) | ((U(beside) >> _GAP) << _LOW)
            records[count, KEY] = key
            records[count, RANK] = U(number) | (U(classes[position] if classed else uniform) << CLASS)
            if checked:
                records[count, CHECK] = checks[position]
            position += 1
            count += np.int64((slots[word_of(key, slots)] >> (bit_of(key) + U(1))) & U(1))
    return count


@entry
def count_groups(records: UInt64s, mask: int, counts: Int64s) -> None:
    """Adds to counts[1:] how many records each group gets."""
    for number in range(len(records)):
        counts[np.int64(records[number, KEY] & U(mask)) + 1] += 1


@entry
def place_in_groups(records: UInt64s, mask: int, places: Int64s, grouped: UInt64s) -> None:
    """Puts each record into its group; `places` begin at each group's first and move on."""
    width = records.shape[1]
    for number in range(len(records)):
        group = np.int64(records[number, KEY] & U(mask))
        place = places[group]
        places[group] = place + 1
        for word in range(width):
            grouped[place, word] = records[number, word]


@entry
def join_stars(records: UInt64s, starts: Int64s, table: UInt32s, nearer: UInt64s, farther: UInt64s) -> int:
    """Writes the edges, (nearer, farther) as ranks, and gives their number.

    records  grouped. Where they have checks, those are compared as a part of the key
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
            while table[place] != NOBODY and not alike(records, np.int64(table[place]), number, checked):
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
        for edge in range(first_edge, edges):
            nearer[edge] = records[np.int64(table[np.int64(nearer[edge])]), RANK]
            farther[edge] = records[np.int64(farther[edge]), RANK]
    return edges


@inlined
def alike(records, one, other, checked):  # type: ignore[no-untyped-def]
    """Whether two records have one key, and one check."""
    same = records[one, KEY] == records[other, KEY]
    return same and (not checked or records[one, CHECK] == records[other, CHECK])


def warm_up() -> None:
    """Compiles the kernels of this file."""
    keys, starts = np.zeros(1, np.uint64), np.array([0, 1])
    given = [read_only(array) for array in (keys.view(np.uint32), keys.view(np.uint16)[:1], keys.view(np.uint16), keys)]
    records = np.zeros((1, 3), np.uint64)
    note_keys(given[0], keys.copy())
    sift_keys(given[0], given[1], 0, 0, given[2], given[3], keys.copy(), records, 0)
    count_groups(records, 0, starts.copy())
    place_in_groups(records, 0, starts[:1].copy(), records.copy())
    join_stars(records, starts, np.zeros(16, np.uint32), keys, keys.copy())
