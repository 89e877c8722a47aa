"""What is known of a chunk: its tokens, and everything that measures count of it, found once for each distinct chunk."""

from __future__ import annotations

import numpy as np

from curation.text.english.layout import LETTER, PUNCTUATION_CATEGORY, SENTENCE_END, SYMBOL, TERMINAL, Tables
from curation.text.kernels.compiling import Bytes, entry, kernel
from curation.text.kernels.cutting import cut_run, decode
from curation.text.kernels.plain import cut_plain, is_sentence_mark
from curation.text.kernels.primitives import key_hash, key_of, load8, low_bytes, same_bytes
from curation.text.kernels.triggers import JAVASCRIPT, has_word_at, triggers_of
from curation.text.kernels.vocabulary import (
    BEGINS_BULLET,
    BREAKS_FROM_0,
    BREAKS_FROM_1,
    CHARACTERS,
    CHUNKS_USED,
    ELLIPSES,
    ENDS_3_DOTS,
    ENDS_ELLIPSIS,
    ENDS_TERMINAL,
    FIRST_TOKEN,
    HAS_BRACKET,
    HAS_COUNTS,
    HAS_CURLY,
    HAS_JAVASCRIPT,
    HAS_PHRASE,
    HAS_TRIGGER,
    HASHES,
    JOINED,
    LETTER_TOKENS,
    LISTS_USED,
    MARKS,
    NORMAL_TOKENS,
    OPEN_AFTER,
    SLOT,
    STOP_WORD_SHIFT,
    TEXT_BYTES,
    TEXT_START,
    TEXT_USED,
    TOKEN_BYTES,
    TOKEN_CHARACTERS,
    TOKEN_START,
    TOKENS,
    TOKENS_USED,
    TRIGGERS,
    WORD_CHARACTERS,
    WORDS,
    Scratch,
    Vocabulary,
)

U = np.uint64
FULL = -1
NOTED = U(1) << U(63)  # in the chunk table: the chunk has marks that `segmenting.noted_chunks` looks for

STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")
"""Source: Rae et al. 2021 (Gopher), A1.1."""

_STOP_WORD_KEYS = np.array([int.from_bytes(word.encode(), "little") for word in STOP_WORDS], np.uint64)
_HASH, _HYPHEN, _DOT, _BRACKET, _CURLY, _BULLET, _ELLIPSIS = (ord(c) for c in "#-.[{•…")


@entry
def cut_new_chunks(tables: Tables, vocabulary: Vocabulary, scratch: Scratch, first: int) -> int:
    """Cuts and describes all chunks from number `first` on. Gives the number of chunks, or FULL."""
    stop = np.int64(vocabulary.used[CHUNKS_USED])
    for chunk in range(first, stop):
        if not describe(tables, vocabulary, scratch, chunk):
            return FULL
    return stop


@kernel
def describe(tables: Tables, vocabulary: Vocabulary, scratch: Scratch, chunk: int) -> bool:
    """Fills in a chunk's record. False if there is no room for its tokens."""
    record = vocabulary.records[chunk]
    start, marks = np.int64(record[TEXT_START]), np.int64(record[MARKS]) & JOINED
    tokens = 0 if marks else cut_plain(tables, vocabulary, scratch, chunk)
    if tokens:
        size = np.int64(record[TEXT_BYTES])
        found = describe_plain_tokens(vocabulary, scratch, chunk, start, tokens)
        marks |= describe_plain_characters(vocabulary, scratch, chunk, size)
    else:
        size = decode(tables, vocabulary.text, start, np.int64(record[TEXT_BYTES]), scratch)
        tokens, phrases, links = cut_run(tables, scratch, size)
        marks |= links | (HAS_PHRASE if phrases else 0)
        found = describe_tokens(vocabulary, scratch, chunk, start, tokens)
        marks |= describe_characters(vocabulary, scratch, chunk, size) | describe_ends(scratch, size)
    if not found:
        return False
    if not marks & JOINED:
        triggers = triggers_of(scratch.code_points, size)
        vocabulary.extras[chunk, TRIGGERS] = triggers
        if triggers:
            marks |= HAS_TRIGGER
    record[MARKS] |= marks
    record[CHARACTERS] = size
    record[NORMAL_TOKENS] = -1
    if marks & (HAS_PHRASE | HAS_BRACKET):
        slot = np.int64(vocabulary.extras[chunk, SLOT])
        vocabulary.chunk_table[slot, 2] = vocabulary.chunk_table[slot, 2] | NOTED
    return True


@kernel
def keep_tokens(vocabulary: Vocabulary, chunk: int, first: int, tokens: int) -> None:
    """Notes a chunk's tokens, whose numbers stand in `token_lists` from `first` on."""
    record = vocabulary.records[chunk]
    record[TOKENS] = tokens
    if tokens == 1:
        record[FIRST_TOKEN] = vocabulary.token_lists[first]
    else:
        record[FIRST_TOKEN] = first
        vocabulary.used[LISTS_USED] = first + tokens


@kernel
def stop_word_bit(vocabulary: Vocabulary, start: int, size: int) -> int:
    """The bit of the stop word that the token of `size` bytes at `start` is, 0 if it is none."""
    if size <= 4:
        key = load8(vocabulary.text, start) & low_bytes(size)
        for word in range(len(_STOP_WORD_KEYS)):
            if key == _STOP_WORD_KEYS[word]:
                return 1 << word
    return 0


@kernel
def describe_plain_tokens(vocabulary: Vocabulary, scratch: Scratch, chunk: int, start: int, tokens: int) -> bool:
    """`describe_tokens` for a plain chunk: a word, and perhaps a mark."""
    record, first = vocabulary.records[chunk], np.int64(vocabulary.used[LISTS_USED])
    if first + tokens > len(vocabulary.token_lists):
        return False
    for token in range(tokens):
        number = token_number(vocabulary, scratch, start, scratch.token_starts[token], scratch.token_ends[token])
        if number < 0:
            return False
        vocabulary.token_lists[first + token] = number
    letters = np.int64(scratch.token_ends[0])
    record[WORDS] = record[LETTER_TOKENS] = 1
    record[WORD_CHARACTERS] = letters
    record[BREAKS_FROM_0], record[BREAKS_FROM_1] = 0, 1
    record[OPEN_AFTER] = 3 if tokens == 2 and is_sentence_mark(scratch.code_points[letters]) else 0
    record[MARKS] |= stop_word_bit(vocabulary, start, letters) << STOP_WORD_SHIFT
    keep_tokens(vocabulary, chunk, first, tokens)
    return True


@kernel
def describe_plain_characters(vocabulary: Vocabulary, scratch: Scratch, chunk: int, size: int) -> int:
    """`describe_characters` and `describe_ends` for a plain chunk."""
    points, marks = scratch.code_points, 0
    vocabulary.extras[chunk, HASHES] = vocabulary.extras[chunk, ELLIPSES] = 0
    if is_sentence_mark(points[size - 1]):
        marks |= ENDS_TERMINAL
    for at in range(size - len(JAVASCRIPT) + 1):
        if (points[at] | 32) == JAVASCRIPT[0] and has_word_at(points, size, JAVASCRIPT, at):
            marks |= HAS_JAVASCRIPT
    return marks


@kernel
def describe_tokens(vocabulary: Vocabulary, scratch: Scratch, chunk: int, start: int, tokens: int) -> bool:
    """What a chunk's record says of its tokens. False if there is no room for them."""
    record, first = vocabulary.records[chunk], np.int64(vocabulary.used[LISTS_USED])
    if first + tokens > len(vocabulary.token_lists):
        return False
    words = letter_tokens = word_characters = stop_words = 0
    breaks_0 = breaks_1 = 0  # the sentence automaton, run from both states
    open_0, open_1 = False, True
    for token in range(tokens):
        low, high = np.int64(scratch.token_starts[token]), np.int64(scratch.token_ends[token])
        number = token_number(vocabulary, scratch, start, low, high)
        if number < 0:
            return False
        vocabulary.token_lists[first + token] = number
        symbols, letter, punctuation = True, False, True
        for at in range(low, high):
            classes = scratch.classes[at]
            symbols &= (classes >> SYMBOL) & 1 == 1
            letter |= (classes >> LETTER) & 1 == 1
            punctuation &= (classes >> PUNCTUATION_CATEGORY) & 1 == 1
        if not symbols:
            words += 1
            word_characters += high - low
        letter_tokens += letter
        size = np.int64(scratch.byte_starts[high] - scratch.byte_starts[low])
        stop_words |= stop_word_bit(vocabulary, start + scratch.byte_starts[low], size)
        ends = high - low == 1 and (scratch.classes[low] >> SENTENCE_END) & 1 == 1
        if ends:
            open_0 = open_1 = True
        elif not punctuation:
            breaks_0 += open_0
            breaks_1 += open_1
            open_0 = open_1 = False
    record[WORDS], record[LETTER_TOKENS], record[WORD_CHARACTERS] = words, letter_tokens, word_characters
    record[BREAKS_FROM_0], record[BREAKS_FROM_1] = breaks_0, breaks_1
    record[OPEN_AFTER] = np.int64(open_0) | np.int64(open_1) << 1
    record[MARKS] |= stop_words << STOP_WORD_SHIFT
    keep_tokens(vocabulary, chunk, first, tokens)
    return True


@kernel
def describe_characters(vocabulary: Vocabulary, scratch: Scratch, chunk: int, size: int) -> int:
    """Counts hashes and ellipses into `extras`; gives the marks of what a chunk has somewhere."""
    points = scratch.code_points
    hashes = ellipses = marks = at = 0
    while at < size:
        point = points[at]
        if point == _HASH:
            hashes += 1
        elif point == _ELLIPSIS:
            ellipses += 1
        elif point == _DOT and at + 2 < size and points[at + 1] == _DOT and points[at + 2] == _DOT:
            ellipses += 1
            at += 2
        elif point == _BRACKET:
            marks |= HAS_BRACKET
        elif point == _CURLY:
            marks |= HAS_CURLY
        elif (point == 106 or point == 74) and has_word_at(points, size, JAVASCRIPT, at):
            marks |= HAS_JAVASCRIPT
        at += 1
    vocabulary.extras[chunk, HASHES], vocabulary.extras[chunk, ELLIPSES] = hashes, ellipses
    return marks | HAS_COUNTS if hashes or ellipses else marks


@kernel
def describe_ends(scratch: Scratch, size: int) -> int:
    """Marks of how a chunk begins and ends."""
    points, marks = scratch.code_points, 0
    if points[0] == _HYPHEN or points[0] == _BULLET:
        marks |= BEGINS_BULLET
    if size >= 3 and points[size - 1] == _DOT and points[size - 2] == _DOT and points[size - 3] == _DOT:
        marks |= ENDS_3_DOTS
    if points[size - 1] == _ELLIPSIS:
        marks |= ENDS_ELLIPSIS
    if (scratch.classes[size - 1] >> TERMINAL) & 1:
        marks |= ENDS_TERMINAL
    return marks


@kernel
def token_number(vocabulary: Vocabulary, scratch: Scratch, start: int, low: int, high: int) -> int:
    """The number of the token at code points [low, high) of the chunk at `start`, a new one if it is new; FULL if full."""
    begin = start + scratch.byte_starts[low]
    size = np.int64(scratch.byte_starts[high] - scratch.byte_starts[low])
    table, records, text = vocabulary.token_table, vocabulary.token_records, vocabulary.text
    key, key_2 = key_of(text, begin, size)
    mask = np.int64(len(table) - 1)
    slot = np.int64(key_hash(key, key_2, size)) & mask
    while table[slot, 2] != U(0):
        value = np.int64(table[slot, 2])
        if table[slot, 0] == key and table[slot, 1] == key_2 and value & 0xFFFFFFFF == size:
            token = (value >> 32) - 1
            if size <= 16 or same_bytes(text, begin, text, np.int64(records[token, TOKEN_START]), size):
                return token
        slot = (slot + 1) & mask
    token = np.int64(vocabulary.used[TOKENS_USED])
    if token >= len(records):
        return FULL
    vocabulary.used[TOKENS_USED] = token + 1
    table[slot, 0] = key
    table[slot, 1] = key_2
    table[slot, 2] = U((token + 1) << 32 | size)
    records[token, TOKEN_CHARACTERS], records[token, TOKEN_BYTES] = high - low, size
    records[token, TOKEN_START] = begin
    return token


@kernel
def chunk_number(vocabulary: Vocabulary, buffer: Bytes, start: int, size: int, marks: int) -> int:
    """The number of the chunk of `size` bytes at `start`, a new one if it is new; bit 30 says NOTED. FULL if full."""
    table = vocabulary.chunk_table
    key, key_2 = key_of(buffer, start, size)
    mask = np.int64(len(table) - 1)
    slot = np.int64(key_hash(key, key_2, size)) & mask
    while table[slot, 2] != U(0):
        value = np.int64(table[slot, 2])
        if table[slot, 0] == key and table[slot, 1] == key_2 and value & 0xFFFFFFFF == size:
            chunk = ((value >> 32) & 0x7FFFFFFF) - 1
            if size <= 16 or same_bytes(
                buffer, start, vocabulary.text, np.int64(vocabulary.records[chunk, TEXT_START]), size
            ):
                return chunk | NOTED_BIT if value < 0 else chunk
        slot = (slot + 1) & mask
    chunk = new_chunk(vocabulary, buffer, start, size, marks)
    if chunk >= 0:
        table[slot, 0] = key
        table[slot, 1] = key_2
        table[slot, 2] = U((chunk + 1) << 32 | size)
        vocabulary.extras[chunk, SLOT] = slot
    return chunk


NOTED_BIT = np.int32(1 << 30)


@kernel
def new_chunk(vocabulary: Vocabulary, buffer: Bytes, start: int, size: int, marks: int) -> int:
    """A record for an unseen chunk, and its bytes kept; FULL if there is no room."""
    chunk, begin = np.int64(vocabulary.used[CHUNKS_USED]), np.int64(vocabulary.used[TEXT_USED])
    if chunk >= len(vocabulary.records) or begin + size + 64 > len(vocabulary.text):
        return FULL
    for at in range(size):
        vocabulary.text[begin + at] = buffer[start + at]
    record = vocabulary.records[chunk]
    record[TEXT_START], record[TEXT_BYTES], record[MARKS] = begin, size, marks
    vocabulary.used[TEXT_USED] = begin + size
    vocabulary.used[CHUNKS_USED] = chunk + 1
    return chunk
