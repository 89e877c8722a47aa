"""Whole numbers in ascending order, by their digits: each pass is a counting sort by one byte, from the lowest to the highest.

Many of the numbers that are sorted here have few bits, as documents' numbers do, or have zeros between two parts, as edges do;
a byte that all have in common is no pass.
"""

from __future__ import annotations

import numpy as np

from curation.text.kernels.compiling import Int64s, UInt64s, entry

U = np.uint64
DIGIT_BITS = 8
DIGITS = 64 // DIGIT_BITS
VALUES = 1 << DIGIT_BITS  # of a digit
_MASK = U(VALUES - 1)


@entry
def sort_by_digits(values: UInt64s, spare: UInt64s, places: Int64s) -> bool:
    """Puts values in ascending order, and says whether that stands in the spare array, which is as long, and not in their own.

    The other array is left in disorder. places: int64[VALUES], any.
    """
    differing = U(0)
    for value in values:
        differing |= value ^ values[0]
    source, target, in_spare = values, spare, False
    for digit in range(DIGITS):
        shift = U(digit * DIGIT_BITS)
        if (differing >> shift) & _MASK:
            places[:] = 0
            for value in source:
                places[np.int64((value >> shift) & _MASK)] += 1
            begin = 0
            for number in range(VALUES):
                count = places[number]
                places[number] = begin
                begin += count
            for value in source:
                number = np.int64((value >> shift) & _MASK)
                target[places[number]] = value
                places[number] += 1
            source, target, in_spare = target, source, not in_spare
    return in_spare


def warm_up() -> None:
    """Compiles the kernels of this file."""
    sort_by_digits(np.zeros(1, np.uint64), np.zeros(1, np.uint64), np.zeros(VALUES, np.int64))
