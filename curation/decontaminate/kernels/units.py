"""The units that n-grams are made of, as hashes: words of the normal form, or single characters of unspaced scripts.

The normal form is the text engine's (`curation/text/kernels/normal_forms.py`), made once for each distinct chunk.
"""

from __future__ import annotations

import numpy as np

from curation.text.columns import batch_of
from curation.text.kernels.compiling import Bytes, Int32s, Int64s, UInt64s, entry, kernel
from curation.text.kernels.normal_forms import xxh64
from curation.text.kernels.vocabulary import (
    NORMAL_BYTES,
    NORMAL_LIST,
    NORMAL_START,
    NORMAL_TOKENS,
    Vocabulary,
)


@kernel
def unspaced_bytes(text: Bytes, at: int) -> int:
    """Bytes of the character at `at` if its script sets no blanks between words, else 0.

    Thai, Lao, Tibetan, Myanmar, Khmer, kana, Han with its extensions. Source: Unicode Standard Annex 14, class SA, and
    Annex 24, scripts; the ranges are those of the blocks. `UNSPACED` in `decontaminate/units.py` says the same.
    """
    byte = np.int64(text[at])
    if byte < 0xE0:
        return 0
    second = np.int64(text[at + 1]) & 0x3F
    if byte < 0xF0:
        point = ((byte & 0x0F) << 12) | (second << 6) | (np.int64(text[at + 2]) & 0x3F)
        unspaced = (
            0x0E00 <= point <= 0x109F
            or 0x1780 <= point <= 0x17FF
            or 0x3040 <= point <= 0x30FF
            or 0x31F0 <= point <= 0x31FF
            or 0x3400 <= point <= 0x4DBF
            or 0x4E00 <= point <= 0x9FFF
            or 0xF900 <= point <= 0xFAFF
            or 0xFF66 <= point <= 0xFF9F
        )
        return 3 if unspaced else 0
    return 4 if 0x20000 <= ((byte & 0x07) << 18) | (second << 12) <= 0x3FFFF else 0


@kernel
def split_token(
    text: Bytes, start: int, stop: int, split: bool, place: int,
    hashes: UInt64s, chunks: Int32s, narrow: Bytes, written: int,
) -> int:  # fmt: skip
    """Writes the units of one word; gives the number of units written so far."""
    begin = at = start
    while at < stop:
        size = unspaced_bytes(text, at) if split else 0
        if size == 0:
            at += 1
            continue
        if begin < at:
            hashes[written], chunks[written], narrow[written] = xxh64(text, begin, at - begin), place, 0
            written += 1
        hashes[written], chunks[written], narrow[written] = xxh64(text, at, size), place, 1
        written += 1
        at += size
        begin = at
    if begin < stop:
        hashes[written], chunks[written], narrow[written] = xxh64(text, begin, stop - begin), place, 0
        written += 1
    return written


@entry
def hash_units(
    vocabulary: Vocabulary, numbers: Int32s, offsets: Int64s, split: bool,
    hashes: UInt64s, chunks: Int32s, narrow: Bytes, unit_offsets: Int64s,
) -> None:  # fmt: skip
    """The units of all documents of a list of chunks whose normal forms are made.

    split         whether characters of unspaced scripts are units of their own
    hashes        uint64: xxh64 of each unit; document d has [unit_offsets[d], unit_offsets[d + 1])
    chunks        int32: the place in `numbers` of the chunk that a unit stands in
    narrow        uint8: 1 where the unit is one character of an unspaced script
    unit_offsets  int64[documents + 1]
    """
    written = np.int64(0)
    unit_offsets[0] = 0
    for document in range(len(offsets) - 1):
        for place in range(offsets[document], offsets[document + 1]):
            record = vocabulary.records[numbers[place]]
            tokens, start = np.int64(record[NORMAL_TOKENS]), np.int64(record[NORMAL_START])
            for token in range(tokens):
                size = np.int64(record[NORMAL_BYTES])
                if tokens > 1:
                    size = np.int64(vocabulary.normal_lengths[record[NORMAL_LIST] + token])
                written = split_token(
                    vocabulary.normal_text, start, start + size - 1, split, place, hashes, chunks, narrow, written
                )
                start += size
        unit_offsets[document + 1] = written


def warm_up() -> None:
    """Uses each entry once."""
    batch = batch_of(["one"])
    for portion, _, found in batch.segmented(batch.segmenter.normalise):
        room = len(portion.bounds)
        arrays = np.empty(room, np.uint64), np.empty(room, np.int32), np.empty(room, np.uint8)
        hash_units(batch.segmenter.vocabulary, found.numbers, found.offsets, False, *arrays, np.zeros(room, np.int64))
