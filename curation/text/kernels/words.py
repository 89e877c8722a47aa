"""Sums over a document's chunks, and its tokens one by one."""

from __future__ import annotations

import numpy as np

from curation.text.kernels.compiling import Int32s, Int64s, entry, kernel
from curation.text.kernels.vocabulary import (
    ELLIPSES,
    FIRST_TOKEN,
    HAS_COUNTS,
    HASHES,
    JOINED,
    LETTER_TOKENS,
    MARKS,
    STOP_WORD_SHIFT,
    TEXT_START,
    TOKEN_BYTES,
    TOKENS,
    WORD_CHARACTERS,
    WORDS,
    Vocabulary,
)

# Columns of what `count_words` gives
(
    COUNT_TOKENS,
    COUNT_WORDS,
    COUNT_WORD_CHARACTERS,
    COUNT_LETTER_TOKENS,
    COUNT_STOP_WORDS,
    COUNT_HASHES,
    COUNT_ELLIPSES,
) = range(7)
WORD_COUNTS = 7


@entry
def count_words(vocabulary: Vocabulary, numbers: Int32s, offsets: Int64s, counts: Int64s) -> None:
    """Fills in counts, int64[documents, WORD_COUNTS], from a list of chunks."""
    for document in range(len(offsets) - 1):
        tokens = words = characters = letter_tokens = stop_words = hashes = ellipses = 0
        for place in range(offsets[document], offsets[document + 1]):
            chunk = numbers[place]
            record = vocabulary.records[chunk]
            marks = np.int64(record[MARKS])
            tokens += record[TOKENS]
            words += record[WORDS]
            characters += record[WORD_CHARACTERS]
            letter_tokens += record[LETTER_TOKENS]
            stop_words |= marks >> STOP_WORD_SHIFT
            if marks & HAS_COUNTS:
                hashes += vocabulary.extras[chunk, HASHES]
                ellipses += vocabulary.extras[chunk, ELLIPSES]
        row = counts[document]
        row[COUNT_TOKENS], row[COUNT_WORDS], row[COUNT_WORD_CHARACTERS] = tokens, words, characters
        row[COUNT_LETTER_TOKENS], row[COUNT_HASHES], row[COUNT_ELLIPSES] = letter_tokens, hashes, ellipses
        distinct = 0
        for word in range(8):
            distinct += (stop_words >> word) & 1
        row[COUNT_STOP_WORDS] = distinct


@kernel
def token_of(vocabulary: Vocabulary, chunk: int, place: int) -> int:
    """The number of a chunk's token at a place."""
    record = vocabulary.records[chunk]
    if record[TOKENS] == 1:
        return np.int64(record[FIRST_TOKEN])
    return np.int64(vocabulary.token_lists[record[FIRST_TOKEN] + place])


@entry
def locate_tokens(
    vocabulary: Vocabulary, numbers: Int32s, starts: Int32s, offsets: Int64s, token_starts: Int64s, token_stops: Int64s
) -> int:
    """Where all tokens of a list of chunks begin and end, in bytes of the batch; gives their number."""
    count = 0
    for place in range(offsets[len(offsets) - 1]):
        chunk, at = numbers[place], np.int64(starts[place])
        record = vocabulary.records[chunk]
        joined = record[MARKS] & JOINED != 0
        for token in range(record[TOKENS]):
            if joined and vocabulary.text[record[TEXT_START] + at - starts[place]] == 32:
                at += 1
            token_starts[count] = at
            at += vocabulary.token_records[token_of(vocabulary, chunk, token), TOKEN_BYTES]
            token_stops[count] = at
            count += 1
    return count
