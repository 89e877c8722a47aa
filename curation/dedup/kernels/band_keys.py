"""One key for each band of a signature: documents that agree in all values of a band have it in common."""

from __future__ import annotations

import numpy as np

from curation.text.kernels.compiling import UInt64s, entry, kernel

U = np.uint64
# The steps of splitmix64. Source: Steele, Lea, Flood 2014, Fast splittable pseudorandom number generators.
_GOLDEN, _FIRST, _SECOND = U(0x9E3779B97F4A7C15), U(0xBF58476D1CE4E5B9), U(0x94D049BB133111EB)


@kernel
def mix(value: np.uint64) -> np.uint64:
    """splitmix64's finaliser: a bijection in which each bit of the input moves half of those of the output."""
    value = (value ^ (value >> U(30))) * _FIRST
    value = (value ^ (value >> U(27))) * _SECOND
    return value ^ (value >> U(31))


@entry
def hash_bands(signatures: UInt64s, rows: int, keys: UInt64s) -> None:
    """Fills in keys, uint64[documents, bands], from the first bands * rows values of uint64[documents, values].

    A band's state begins with its number, so that equal values in two bands give two keys, and takes in one value after the
    other: for given other values the key is a bijection of each.
    """
    for document in range(len(keys)):
        row = signatures[document]
        for band in range(keys.shape[1]):
            state = mix(U(band + 1) * _GOLDEN)
            for value in range(band * rows, (band + 1) * rows):
                state = mix((state ^ row[value]) + _GOLDEN)
            keys[document, band] = state


def warm_up() -> None:
    """Uses each entry once."""
    hash_bands(np.zeros((1, 2), np.uint64), 1, np.zeros((1, 2), np.uint64))
