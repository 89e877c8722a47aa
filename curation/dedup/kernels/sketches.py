"""Sketches: the smallest hashes of a text's shingles, and how many two texts have in common."""

from __future__ import annotations

from typing import Any

import numpy as np

from curation.dedup.kernels import read_only
from curation.dedup.kernels.prefetching import prefetch_stretch
from curation.text.kernels.compiling import Int64s, UInt64s, entry, inlined, kernel

U32 = np.uint32
UInt32s = np.ndarray[Any, Any]
DIGITS = 256
_FEW = 48  # of so many hashes sorting by insertion is the faster way
_MOST_ASKED_FOR = 1024  # hashes of a sketch
_FEW_STEPS = 4  # of four merges at once: what is left is merged by two


@entry
def sketch_documents(
    hashes: UInt64s, offsets: Int64s, size: int, scratch: UInt32s, counts: Int64s, sketches: UInt32s, bounds: Int64s
) -> None:
    """The `size` smallest of the distinct high halves of each document's hashes, ascending.

    scratch   uint32[2, shingles of the largest document];  counts: int64[DIGITS], scratch, too
    sketches  uint32: document d's are sketches[bounds[d]:bounds[d + 1]]; room for min(shingles, size) of each document
    """
    end = np.int64(0)
    bounds[0] = 0
    for document in range(len(offsets) - 1):
        part = hashes[offsets[document] : offsets[document + 1]]
        for place in range(len(part)):
            scratch[0, place] = part[place] >> np.uint64(32)
        ordered = scratch[sort(scratch, len(part), counts)]
        first = end
        for place in range(len(part)):
            if end == first or ordered[place] != sketches[end - 1]:
                if end - first == size:
                    break
                sketches[end] = ordered[place]
                end += 1
        bounds[document + 1] = end


@kernel
def sort(scratch: UInt32s, count: int, counts: Int64s) -> int:
    """Sorts scratch[0, :count], byte by byte from the lowest on; gives the row in which it then is."""
    if count <= _FEW:
        row = scratch[0]
        for place in range(1, count):
            value, at = row[place], place
            while at > 0 and row[at - 1] > value:
                row[at] = row[at - 1]
                at -= 1
            row[at] = value
        return 0
    for digit in range(4):
        sort_by_digit(scratch[digit & 1], scratch[1 - (digit & 1)], count, U32(8 * digit), counts)
    return 0


@kernel
def sort_by_digit(given: UInt32s, wanted: UInt32s, count: int, shift: np.uint32, counts: Int64s) -> None:
    """given[:count] into `wanted`, by one of its bytes; the order of equal ones stays."""
    for digit in range(DIGITS):
        counts[digit] = 0
    for place in range(count):
        counts[(given[place] >> shift) & U32(DIGITS - 1)] += 1
    total = np.int64(0)
    for digit in range(DIGITS):
        here = counts[digit]
        counts[digit] = total
        total += here
    for place in range(count):
        digit = (given[place] >> shift) & U32(DIGITS - 1)
        wanted[counts[digit]] = given[place]
        counts[digit] += 1


@entry
def compare_pairs(
    ours: UInt32s, our_bounds: Int64s, theirs: UInt32s, their_bounds: Int64s, first: Int64s, second: Int64s, size: int,
    similarities: UInt64s,
) -> None:  # fmt: skip
    """Fills in float64[pairs]: the Jaccard similarity of document first[i] of ours and second[i] of theirs.

    Where both sketches are shorter than `size` they are all that the documents have, and it is exact; else it is the share of
    common ones among the `size` smallest of both. 0 if both are empty.
    """
    for pair in range(len(first)):
        following = pair + 1
        if following < len(first):
            ask_for(ours, our_bounds, first[following])
            ask_for(theirs, their_bounds, second[following])
        a = ours[our_bounds[first[pair]] : our_bounds[first[pair] + 1]]
        b = theirs[their_bounds[second[pair]] : their_bounds[second[pair] + 1]]
        if len(a) >= size or len(b) >= size:
            common, seen = common_among_smallest(a, b, size)
        else:
            common = common_hashes(a, b)
            seen = len(a) + len(b) - common
        similarities[pair] = common / seen if seen else 0.0


@inlined
def ask_for(hashes, bounds, document):  # type: ignore[no-untyped-def]
    """Has the memory of a document's sketch fetched."""
    start = bounds[document]
    prefetch_stretch(hashes, start, min(bounds[document + 1], start + _MOST_ASKED_FOR))


@kernel
def common_hashes(a: UInt32s, b: UInt32s) -> int:
    """How many hashes two ascending arrays have in common.

    Cut in two at the same hash, and both halves merged from both ends at once: each step waits for the one before it, and the
    four ends do not wait for each other. So many steps are safe as no end can overrun another, which takes the checks out.
    """
    middle, low, high = np.int64(len(a)) >> 1, np.int64(0), np.int64(len(b))
    while low < high:  # where in b the upper half of a begins
        place = (low + high) >> 1
        if b[place] < a[middle]:
            low = place + 1
        else:
            high = place
    at, stop, other, end = np.int64(0), middle - 1, np.int64(0), low - 1
    upper, upper_stop, upper_other, upper_end = middle, np.int64(len(a)) - 1, low, np.int64(len(b)) - 1
    common = np.int64(0)
    while True:
        steps = min(min(stop - at, end - other), min(upper_stop - upper, upper_end - upper_other)) >> 1
        if steps < _FEW_STEPS:
            break
        for _ in range(steps):
            one, two = a[at], b[other]
            common += np.int64(one == two)
            at += one <= two
            other += two <= one
            one, two = a[stop], b[end]
            common += np.int64(one == two)
            stop -= one >= two
            end -= two >= one
            one, two = a[upper], b[upper_other]
            common += np.int64(one == two)
            upper += one <= two
            upper_other += two <= one
            one, two = a[upper_stop], b[upper_end]
            common += np.int64(one == two)
            upper_stop -= one >= two
            upper_end -= two >= one
    common += common_between(a, at, stop, b, other, end)
    return common + common_between(a, upper, upper_stop, b, upper_other, upper_end)


@kernel
def common_between(a: UInt32s, at: int, stop: int, b: UInt32s, other: int, end: int) -> int:
    """How many hashes a[at : stop + 1] and b[other : end + 1] have in common; merged from both ends at once."""
    common = np.int64(0)
    while at < stop and other < end:  # two are left of each, so that either end has one
        low, other_low, high, other_high = a[at], b[other], a[stop], b[end]
        common += np.int64(low == other_low) + np.int64(high == other_high)
        at += low <= other_low
        other += other_low <= low
        stop -= high >= other_high
        end -= other_high >= high
    while at <= stop and other <= end:
        low, other_low = a[at], b[other]
        common += low == other_low
        at += low <= other_low
        other += other_low <= low
    return common


@kernel
def common_among_smallest(a: UInt32s, b: UInt32s, most: int) -> tuple[int, int]:
    """How many of the `most` smallest hashes of both two ascending arrays have in common, and how many those are."""
    at = other = seen = common = np.int64(0)
    while seen < most and at < len(a) and other < len(b):
        low, other_low = a[at], b[other]
        common += low == other_low
        at += low <= other_low
        other += other_low <= low
        seen += 1
    return common, min(np.int64(most), seen + (len(a) - at) + (len(b) - other))


def warm_up() -> None:
    """Uses each entry once."""
    bounds, words = np.array([0, 1]), np.zeros(1, np.uint32)
    scratch = np.zeros((2, 1), np.uint32)
    sketch_documents(np.zeros(1, np.uint64), bounds, 1, scratch, np.zeros(DIGITS, np.int64), words, bounds.copy())
    given = read_only(words)
    compare_pairs(given, bounds, given, bounds, bounds[:1], bounds[:1], 1, np.zeros(1))
