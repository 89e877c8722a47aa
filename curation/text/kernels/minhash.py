"""The least value that each permutation gives to a document's shingles."""

from __future__ import annotations

import numpy as np

from curation.text.kernels.compiling import Int64s, UInt64s, entry

U = np.uint64
PRIME = U((1 << 61) - 1)  # a Mersenne prime
_SHIFT = U(61)
_LARGEST = U(0xFFFFFFFFFFFFFFFF)


@entry
def least_values(hashes: UInt64s, offsets: Int64s, factors: UInt64s, addends: UInt64s, signatures: UInt64s) -> None:
    """Fills in signatures, uint64[documents, permutations]: min of (x * factor + addend mod 2^64) mod (2^61 - 1).

    The product wraps around at 2^64, as datatrove's does. A document without shingles keeps its row as it is.
    """
    for document in range(len(offsets) - 1):
        part = hashes[offsets[document] : offsets[document + 1]]
        if len(part) == 0:
            continue
        for permutation in range(len(factors)):
            factor, addend = factors[permutation], addends[permutation]
            least = _LARGEST
            for place in range(len(part)):
                value = part[place] * factor + addend
                value = (value & PRIME) + (value >> _SHIFT)  # the remainder, or the remainder plus the prime
                value = min(value, value - PRIME)  # wraps to a large number where there is nothing to take off
                least = min(least, value)
            signatures[document, permutation] = least
