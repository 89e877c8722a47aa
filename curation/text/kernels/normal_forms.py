"""The normal form of chunks, in which near duplicates are compared, and the hashes of its runs of words.

Lower case, numbers as 0, punctuation as blanks, no diacritics: all of it looks at one chunk at a time, so it is made once for
each distinct chunk, cut into tokens, and kept as bytes with a blank behind each token. A document's normal form is those of its
chunks one behind the other, and a shingle is a range of it.

Source: datatrove 0.10.1, utils/text.py, `simplify_text`; pipeline/dedup/minhash.py, `get_shingles`.
"""

from __future__ import annotations

import numpy as np

from curation.text.english.layout import BY_PYTHON, NUMBER, NUMBER_SEPARATOR, SAME, SPACE, TO_BLANK, Tables
from curation.text.kernels.compiling import Bytes, Int32s, Int64s, UInt64s, entry, kernel
from curation.text.kernels.cutting import cut_run, decode
from curation.text.kernels.plain import LONGEST, cut_letters, plain_letters
from curation.text.kernels.primitives import load8, store8
from curation.text.kernels.vocabulary import (
    CHUNKS_USED,
    NORMAL_BYTES,
    NORMAL_LIST,
    NORMAL_LISTS_USED,
    NORMAL_START,
    NORMAL_TOKENS,
    NORMAL_USED,
    TEXT_BYTES,
    TEXT_START,
    Scratch,
    Vocabulary,
)

U = np.uint64
_BLANK, _ZERO = 32, 48
DONE, NO_ROOM, LEFT_TO_PYTHON = range(3)

# Primes of xxh64. Source: github.com/Cyan4973/xxHash, doc/xxhash_spec.md.
_PRIME_1, _PRIME_2, _PRIME_3, _PRIME_4, _PRIME_5 = (
    U(0x9E3779B185EBCA87), U(0xC2B2AE3D27D4EB4F), U(0x165667B19E3779F9), U(0x85EBCA77C2B2AE63), U(0x27D4EB2F165667C5)
)  # fmt: skip


@entry
def normalise_new(
    tables: Tables, vocabulary: Vocabulary, scratch: Scratch, first: int, left: Int32s
) -> tuple[int, int]:
    """Makes the normal forms of all chunks from number `first` on.

    Gives the number of chunks, -1 if there is no room, and how many are left to Python: their numbers are in `left`.
    """
    stop, count = np.int64(vocabulary.used[CHUNKS_USED]), 0
    for chunk in range(first, stop):
        outcome = normalise(tables, vocabulary, scratch, chunk)
        if outcome == NO_ROOM:
            return -1, count
        if outcome == LEFT_TO_PYTHON:
            left[count] = chunk
            count += 1
    return stop, count


@kernel
def normalise(tables: Tables, vocabulary: Vocabulary, scratch: Scratch, chunk: int) -> int:
    """The normal form of one chunk."""
    record = vocabulary.records[chunk]
    start = np.int64(record[TEXT_START])
    if normalise_plain(tables, vocabulary, scratch, chunk):
        return DONE
    size = decode(tables, vocabulary.text, start, np.int64(record[TEXT_BYTES]), scratch)
    classes, normal = scratch.classes, scratch.normal
    written = at = 0
    while at < size:
        if (classes[at] >> NUMBER) & 1:
            at = number_end(classes, at, size)
            normal[written] = _ZERO
            written += 1
            continue
        if (classes[at] >> TO_BLANK) & 1 or (classes[at] >> SPACE) & 1:
            if written and normal[written - 1] != _BLANK:
                normal[written] = _BLANK
                written += 1
            at += 1
            continue
        point = np.int64(scratch.code_points[at])
        form = np.int64(tables.normal[tables.page[point >> 8] * 256 + (point & 255)])
        if form == BY_PYTHON:
            return LEFT_TO_PYTHON
        if form == SAME:
            for place in range(scratch.byte_starts[at], scratch.byte_starts[at + 1]):
                normal[written] = vocabulary.text[start + place]
                written += 1
        else:
            for place in range(form & 31):
                normal[written] = tables.pool[(form >> 5) + place]
                written += 1
        at += 1
    if written and normal[written - 1] == _BLANK:
        written -= 1
    return DONE if keep_normal(tables, vocabulary, scratch, normal, chunk, written) else NO_ROOM


@kernel
def normalise_plain(tables: Tables, vocabulary: Vocabulary, scratch: Scratch, chunk: int) -> bool:
    """The normal form of a plain chunk: its letters in lower case, one token. False if it must go the long way."""
    record = vocabulary.records[chunk]
    start, size = np.int64(record[TEXT_START]), np.int64(record[TEXT_BYTES])
    letters = plain_letters(vocabulary.text, start, size)
    at, place = np.int64(vocabulary.used[NORMAL_USED]), np.int64(vocabulary.used[NORMAL_LISTS_USED])
    if letters == 0 or at + LONGEST + 8 > len(vocabulary.normal_text) or place >= len(vocabulary.normal_lengths):
        return False
    for letter in range(letters):
        scratch.code_points[letter] = vocabulary.text[start + letter] | 32
    if cut_letters(tables, scratch.code_points, letters, letters, scratch) == 0:
        return False
    for letter in range(letters):
        vocabulary.normal_text[at + letter] = scratch.code_points[letter]
    vocabulary.normal_text[at + letters] = _BLANK
    vocabulary.normal_lengths[place] = letters + 1
    record[NORMAL_START], record[NORMAL_BYTES] = at, letters + 1
    record[NORMAL_TOKENS], record[NORMAL_LIST] = 1, place
    vocabulary.used[NORMAL_USED], vocabulary.used[NORMAL_LISTS_USED] = at + letters + 1, place + 1
    return True


@kernel
def number_end(classes: Int64s, at: int, size: int) -> int:
    """Where the number at `at` ends: digits, and once a separator with digits behind it."""
    at += 1
    while at < size and (classes[at] >> NUMBER) & 1:
        at += 1
    if at + 1 < size and (classes[at] >> NUMBER_SEPARATOR) & 1 and (classes[at + 1] >> NUMBER) & 1:
        at += 2
        while at < size and (classes[at] >> NUMBER) & 1:
            at += 1
    return at


@entry
def keep_by_python(
    tables: Tables, vocabulary: Vocabulary, scratch: Scratch, normal: Bytes, chunk: int, size: int
) -> bool:
    """`keep_normal` for a normal form that Python made."""
    return keep_normal(tables, vocabulary, scratch, normal, chunk, size)


@kernel
def keep_normal(tables: Tables, vocabulary: Vocabulary, scratch: Scratch, normal: Bytes, chunk: int, size: int) -> bool:
    """Cuts the normal form `normal[:size]` and keeps its tokens. False if there is no room."""
    start, first = np.int64(vocabulary.used[NORMAL_USED]), np.int64(vocabulary.used[NORMAL_LISTS_USED])
    if start + 2 * size + 64 > len(vocabulary.normal_text) or first + size + 8 > len(vocabulary.normal_lengths):
        return False
    at, place, blank = start, first, True
    for byte in range(size):
        if normal[byte] != _BLANK:
            blank = False
    if not blank:
        points = decode(tables, normal, 0, size, scratch)
        tokens, _, _ = cut_run(tables, scratch, points)
        for token in range(tokens):
            low = scratch.byte_starts[scratch.token_starts[token]]
            high = scratch.byte_starts[scratch.token_ends[token]]
            for byte in range(low, high):
                vocabulary.normal_text[at] = normal[byte]
                at += 1
            vocabulary.normal_text[at] = _BLANK
            at += 1
            vocabulary.normal_lengths[place] = high - low + 1
            place += 1
    record = vocabulary.records[chunk]
    record[NORMAL_START], record[NORMAL_BYTES] = start, at - start
    record[NORMAL_TOKENS], record[NORMAL_LIST] = place - first, first
    vocabulary.used[NORMAL_USED], vocabulary.used[NORMAL_LISTS_USED] = at, place
    return True


@entry
def hash_shingles(
    vocabulary: Vocabulary,
    numbers: Int32s,
    offsets: Int64s,
    words: int,
    text: Bytes,
    ends: Int32s,
    hashes: UInt64s,
    hash_offsets: Int64s,
) -> None:
    """xxh64 of each run of `words` normalised words joined by blanks, in order, repetitions included.

    text, ends    scratch for one document: its normal form and where its words end
    hashes        uint64: all documents' hashes; hash_offsets int64[documents + 1]
    """
    written = np.int64(0)
    hash_offsets[0] = 0
    for document in range(len(offsets) - 1):
        count = unfold_normal(vocabulary, numbers, offsets[document], offsets[document + 1], text, ends)
        for shingle in range(count - words + 1):
            start = np.int64(ends[shingle])
            hashes[written] = xxh64(text, start, np.int64(ends[shingle + words]) - 1 - start)
            written += 1
        hash_offsets[document + 1] = written


@kernel
def unfold_normal(vocabulary: Vocabulary, numbers: Int32s, first: int, stop: int, text: Bytes, ends: Int32s) -> int:
    """The normal form of chunks [first, stop) into `text`; gives the number of its words, `ends[i]` where word i begins."""
    end = np.int64(0)
    count = 0
    ends[0] = 0
    for place in range(first, stop):
        record = vocabulary.records[numbers[place]]
        tokens = np.int64(record[NORMAL_TOKENS])
        if tokens == 0:
            continue
        start, size = np.int64(record[NORMAL_START]), np.int64(record[NORMAL_BYTES])
        for offset in range(0, size, 8):
            store8(text, end + offset, load8(vocabulary.normal_text, start + offset))
        if tokens == 1:
            end += size
            count += 1
            ends[count] = end
            continue
        for offset in range(tokens):
            end += vocabulary.normal_lengths[record[NORMAL_LIST] + offset]
            count += 1
            ends[count] = end
    return count


@kernel
def rotate(value: np.uint64, bits: int) -> np.uint64:
    """A word's bits rotated to the left."""
    return (value << U(bits)) | (value >> U(64 - bits))


@kernel
def xxh64_round(lane: np.uint64, word: np.uint64) -> np.uint64:
    """One step of a lane."""
    return rotate(lane + word * _PRIME_2, 31) * _PRIME_1


@kernel
def xxh64(buffer: Bytes, start: int, size: int) -> np.uint64:
    """xxh64 with seed 0 of a byte range."""
    at, stop = start, start + size
    if size >= 32:
        a, b, c, d = _PRIME_1 + _PRIME_2, _PRIME_2, U(0), U(0) - _PRIME_1
        while at + 32 <= stop:
            a = xxh64_round(a, load8(buffer, at))
            b = xxh64_round(b, load8(buffer, at + 8))
            c = xxh64_round(c, load8(buffer, at + 16))
            d = xxh64_round(d, load8(buffer, at + 24))
            at += 32
        value = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18)
        for lane in (a, b, c, d):
            value = (value ^ xxh64_round(U(0), lane)) * _PRIME_1 + _PRIME_4
    else:
        value = _PRIME_5
    value += U(size)
    while at + 8 <= stop:
        value = rotate(value ^ xxh64_round(U(0), load8(buffer, at)), 27) * _PRIME_1 + _PRIME_4
        at += 8
    if at + 4 <= stop:
        value = rotate(value ^ ((load8(buffer, at) & U(0xFFFFFFFF)) * _PRIME_1), 23) * _PRIME_2 + _PRIME_3
        at += 4
    while at < stop:
        value = rotate(value ^ (U(buffer[at]) * _PRIME_5), 11) * _PRIME_1
        at += 1
    value = (value ^ (value >> U(33))) * _PRIME_2
    value = (value ^ (value >> U(29))) * _PRIME_3
    return value ^ (value >> U(32))
