"""Shingles of words that were cut elsewhere: the hash of each run of so many, joined by blanks."""

from __future__ import annotations

import numpy as np

from curation.text.kernels.compiling import Bytes, Int64s, UInt64s, entry
from curation.text.kernels.normal_forms import xxh64

_BLANK = 32


@entry
def hash_words(
    buffer: Bytes,
    starts: Int64s,
    stops: Int64s,
    first_words: Int64s,
    words: int,
    joined: Bytes,
    begins: Int64s,
    hashes: UInt64s,
    offsets: Int64s,
) -> None:
    """xxh64 (seed 0) of each run of `words` words joined by blanks, in order, repetitions included.

    starts, stops  of all words, in bytes of `buffer`; text d has those from first_words[d] to first_words[d + 1]
    joined         scratch for one text: its words with a blank behind each; begins: where they begin there
    hashes         text d fills hashes[offsets[d]:offsets[d + 1]]
    """
    for document in range(len(first_words) - 1):
        if offsets[document] == offsets[document + 1]:
            continue
        first, count, end = first_words[document], np.int64(0), np.int64(0)
        for word in range(first, first_words[document + 1]):
            begins[count] = end
            for place in range(starts[word], stops[word]):
                joined[end] = buffer[place]
                end += 1
            joined[end] = _BLANK
            end += 1
            count += 1
        begins[count] = end
        for shingle in range(count - words + 1):
            start = begins[shingle]
            hashes[offsets[document] + shingle] = xxh64(joined, start, begins[shingle + words] - 1 - start)


def warm_up() -> None:
    """Uses each entry once."""
    numbers = np.array([0, 1])
    scratch, hashes = np.zeros(16, np.uint8), np.zeros(1, np.uint64)
    hash_words(scratch.copy(), numbers[:1], numbers[1:], numbers, 1, scratch, numbers.copy(), hashes, numbers)
