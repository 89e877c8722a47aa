"""Sketches: the smallest hashes of a text's shingles, and how many two texts have in common."""

from __future__ import annotations

from typing import Any

import numpy as np

from curation.text.kernels.compiling import Int64s, UInt64s, entry, kernel

U32 = np.uint32
UInt32s = np.ndarray[Any, Any]
DIGITS = 256
_FEW = 48  # of so many hashes sorting by insertion is the faster way


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
    sketches: UInt32s, bounds: Int64s, first: Int64s, second: Int64s, size: int, similarities: UInt64s
) -> None:
    """Fills in float64[pairs]: the Jaccard similarity of documents first[i] and second[i].

    Where both sketches are shorter than `size` they are all that the documents have, and it is exact; else it is the share of
    common ones among the `size` smallest of both. 0 if both are empty.
    """
    for pair in range(len(first)):
        at, stop = bounds[first[pair]], bounds[first[pair] + 1]
        other, end = bounds[second[pair]], bounds[second[pair] + 1]
        most = size if stop - at >= size or end - other >= size else 2 * size
        seen = common = np.int64(0)
        while seen < most and at < stop and other < end:
            a, b = sketches[at], sketches[other]
            common += a == b
            at += a <= b
            other += b <= a
            seen += 1
        seen = min(most, seen + (stop - at) + (end - other))
        similarities[pair] = common / seen if seen else 0.0


def warm_up() -> None:
    """Uses each entry once."""
    bounds, words = np.array([0, 1]), np.zeros(1, np.uint32)
    scratch = np.zeros((2, 1), np.uint32)
    sketch_documents(np.zeros(1, np.uint64), bounds, 1, scratch, np.zeros(DIGITS, np.int64), words, bounds.copy())
    compare_pairs(words, bounds, bounds[:1], bounds[:1], 1, np.zeros(1))
