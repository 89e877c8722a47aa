"""The vocabulary: every distinct chunk and token met so far, and what is known of each. Flat arrays, bounded, cleared when full.

A chunk is a run of text without white space. The tokenizer's rules cut each chunk by itself, so a chunk is cut once, and its
record holds all that the measures need of it; a document is then a list of chunk numbers. Nothing depends on which chunks
are known, so clearing the vocabulary changes no result, only the time that the next documents take.

    text ─► chunk numbers ─► records (one cache line each) ─► token numbers ─► token records
                               └► bytes in `text`               └► bytes in `text`
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from curation.text.kernels.compiling import Bytes, Int32s, Int64s, UInt64s

# Columns of a chunk's record, int32[chunks, 16]
(
    TOKENS,  # how many
    FIRST_TOKEN,  # where their numbers begin in `token_lists`; the number itself if there is one token
    WORDS,  # tokens that are not symbols only
    LETTER_TOKENS,  # tokens that have a letter
    WORD_CHARACTERS,  # of the tokens in WORDS
    CHARACTERS,  # of the chunk
    MARKS,  # bits, see below
    BREAKS_FROM_0,  # sentences that begin in the chunk if no mark was open before it
    BREAKS_FROM_1,  # the same if one was
    OPEN_AFTER,  # bit 0 / 1: whether a mark is open behind the chunk, from either state
    NORMAL_START,  # the normal form in `normal_text`
    NORMAL_BYTES,
    NORMAL_TOKENS,  # how many, -1 while the normal form is not made
    NORMAL_LIST,  # their lengths in `normal_lengths`
    TEXT_START,  # the chunk in `text`
    TEXT_BYTES,
) = range(16)

# Bits of MARKS
HAS_PHRASE = 1 << 0  # a special case was applied again over several tokens
OPENS_PHRASE = 1 << 1  # its last token can begin a special case that goes on in the next chunk
CONTINUES_PHRASE = 1 << 2  # its first token can continue one
HAS_BRACKET = 1 << 3  # [
HAS_CURLY = 1 << 4  # {
HAS_JAVASCRIPT = 1 << 5  # in any case
HAS_TRIGGER = 1 << 6  # part of a phrase that C4 looks for, see TRIGGERS
BEGINS_BULLET = 1 << 7  # • or -
ENDS_3_DOTS = 1 << 8
ENDS_ELLIPSIS = 1 << 9  # …
ENDS_TERMINAL = 1 << 10  # a sentence mark of any script
HAS_COUNTS = 1 << 11  # hashes or ellipses, see below
JOINED = 1 << 12  # several chunks with single blanks between them, cut as one
STOP_WORD_SHIFT = 16  # bits 16 to 23: which of the eight English stop words are among its tokens

# Columns of `extras`, int32[chunks, 4]
HASHES, ELLIPSES, TRIGGERS, SLOT = range(4)

# Columns of a token's record, int32[tokens, 4]
TOKEN_CHARACTERS, TOKEN_BYTES, TOKEN_START = range(3)

# `used`, int64[8]
CHUNKS_USED, TOKENS_USED, LISTS_USED, TEXT_USED, NORMAL_USED, NORMAL_LISTS_USED = range(6)

TEXT_PER_CHUNK = 24  # bytes, the mean for which there is room
PADDING = 64


class Vocabulary(NamedTuple):
    """chunk_table     uint64[2 * chunks, 4]: key, key, (number + 1) << 32 | bytes, open addressing; bit 63: has marks of note
    records         int32[chunks, 16]
    extras          int32[chunks, 4]
    token_table     uint64[2 * chunks, 4]: the same for tokens
    token_records   int32[chunks, 4]
    token_lists     int32: token numbers of the chunks that have several
    text            uint8: the chunks' bytes
    normal_text     uint8: normal forms, a blank behind each token
    normal_lengths  int32: bytes of each token of a normal form, its blank included
    used            int64[8]: how much of each is in use
    """

    chunk_table: UInt64s
    records: Int32s
    extras: Int32s
    token_table: UInt64s
    token_records: Int32s
    token_lists: Int32s
    text: Bytes
    normal_text: Bytes
    normal_lengths: Int32s
    used: Int64s


def new_vocabulary(chunks: int) -> Vocabulary:
    """Room for so many chunks, a power of two: about 500 bytes each once it is full, none before they are used."""
    room = chunks * TEXT_PER_CHUNK
    return Vocabulary(
        chunk_table=np.zeros((2 * chunks, 4), np.uint64),
        records=np.zeros((chunks, 16), np.int32),
        extras=np.zeros((chunks, 4), np.int32),
        token_table=np.zeros((2 * chunks, 4), np.uint64),
        token_records=np.zeros((chunks, 4), np.int32),
        token_lists=np.zeros(room, np.int32),
        text=np.zeros(room + PADDING, np.uint8),
        normal_text=np.zeros(2 * room, np.uint8),
        normal_lengths=np.zeros(room, np.int32),
        used=np.zeros(8, np.int64),
    )


def clear(vocabulary: Vocabulary) -> None:
    """Forgets all chunks and tokens."""
    vocabulary.chunk_table[:] = 0
    vocabulary.token_table[:] = 0
    vocabulary.used[:] = 0


class Scratch(NamedTuple):
    """Room to cut one chunk in, by code points: what they are, and where its tokens begin and end."""

    code_points: Int32s
    classes: Int64s
    candidates: Int32s
    byte_starts: Int32s
    ends: Int32s
    suffixes: Int32s
    token_starts: Int32s
    token_ends: Int32s
    matches: Int32s
    normal: Bytes


def new_scratch(longest: int) -> Scratch:
    """For chunks of at most so many bytes."""
    n = longest + PADDING
    return Scratch(
        code_points=np.zeros(n, np.int32),
        classes=np.zeros(n, np.int64),
        candidates=np.zeros(n, np.int32),
        byte_starts=np.zeros(n, np.int32),
        ends=np.zeros(n, np.int32),
        suffixes=np.zeros(n, np.int32),
        token_starts=np.zeros(2 * n, np.int32),
        token_ends=np.zeros(2 * n, np.int32),
        matches=np.zeros(16 * n, np.int32),
        normal=np.zeros(4 * n, np.uint8),
    )
