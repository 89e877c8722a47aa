"""Shingles of characters: a hash of each run of so many code points."""

from __future__ import annotations

import numpy as np

from curation.text.kernels.compiling import Bytes, Int64s, UInt64s, entry, inlined
from curation.text.kernels.normal_forms import xxh64


@entry
def count_characters(text: Bytes, bounds: Int64s, counts: Int64s) -> None:
    """Fills in the code points of each text."""
    for document in range(len(counts)):
        part = text[bounds[document] : bounds[document + 1]]
        count = 0
        for place in range(len(part)):
            count += (part[place] & 0xC0) != 0x80
        counts[document] = count


@entry
def hash_characters(text: Bytes, bounds: Int64s, characters: int, hashes: UInt64s, offsets: Int64s) -> None:
    """xxh64 (seed 0) of the UTF-8 of each run of `characters` code points, in order, repetitions included.

    Text d, which is text[bounds[d]:bounds[d + 1]], fills hashes[offsets[d]:offsets[d + 1]].
    """
    for document in range(len(bounds) - 1):
        start = end = np.int64(bounds[document])
        written, last = np.int64(offsets[document]), np.int64(offsets[document + 1])
        if written == last:
            continue
        for _ in range(characters):
            end = behind_character(text, end)
        hashes[written] = xxh64(text, start, end - start)
        for place in range(written + 1, last):
            start = behind_character(text, start)
            end = behind_character(text, end)
            hashes[place] = xxh64(text, start, end - start)


@inlined
def behind_character(text: Bytes, at: int) -> int:
    """Where the code point that begins at a byte of valid UTF-8 ends."""
    byte = text[at]
    return at + 1 + (byte >= 0xC0) + (byte >= 0xE0) + (byte >= 0xF0)


def warm_up() -> None:
    """Uses each entry once."""
    text, bounds = np.zeros(2, np.uint8), np.array([0, 2])
    count_characters(text, bounds, np.zeros(1, np.int64))
    hash_characters(text, bounds, 2, np.zeros(1, np.uint64), np.array([0, 1]))
