r"""Texts into units: sentences, lines, paragraphs; and the white space around what is left of a text without some of them.

The units of a document are one behind the other and cover all of it: a sentence has the white space before it, a line its
`\n`, a paragraph the `\n`s behind it. So units that are cut out leave nothing of themselves. An empty document has none.
"""

from __future__ import annotations

import numpy as np

from curation.text.columns import batch_of
from curation.text.english.layout import PUNCTUATION_CATEGORY, SENTENCE_END, SPACE, Tables
from curation.text.kernels.compiling import Bytes, Int32s, Int64s, entry, inlined, kernel
from curation.text.kernels.vocabulary import (
    BREAKS_FROM_0,
    BREAKS_FROM_1,
    JOINED,
    MARKS,
    OPEN_AFTER,
    TEXT_BYTES,
    TEXT_START,
    TOKEN_BYTES,
    TOKENS,
    Vocabulary,
)
from curation.text.kernels.words import token_of

_NEWLINE, _BLANK = 10, 32
_WORD, _MARK, _PUNCTUATION = range(3)  # kinds of tokens, for sentences


@inlined
def character_bytes(lead: int) -> int:
    """Bytes of the character that begins with a byte."""
    return 1 if lead < 0x80 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4


@kernel
def table_entry(tables: Tables, buffer: Bytes, at: int, size: int) -> int:
    """Where the tables have the character of `size` bytes at `at`."""
    point = np.int64(buffer[at])
    if size == 2:
        point = (point & 0x1F) << 6 | (np.int64(buffer[at + 1]) & 0x3F)
    elif size > 2:
        point = point & (0x0F if size == 3 else 0x07)
        for place in range(1, size):
            point = point << 6 | (np.int64(buffer[at + place]) & 0x3F)
    return int(tables.page[point >> 8]) * 256 + int(point & 255)


@entry
def find_lines(buffer: Bytes, bounds: Int64s, least: int, stops: Int64s, offsets: Int64s) -> None:
    r"""Where the units of each document end that runs of at least `least` times `\n` end: 1 for lines, 2 for paragraphs.

    stops    int64, filled: units of all documents; offsets int64[documents + 1]: which a document has
    """
    count = 0
    offsets[0] = 0
    for document in range(len(bounds) - 1):
        start, stop = bounds[document], bounds[document + 1]
        at = last = start
        while at < stop:
            if buffer[at] != _NEWLINE:
                at += 1
                continue
            first = at
            at += 1
            while least > 1 and at < stop and buffer[at] == _NEWLINE:
                at += 1
            if at - first >= least:
                stops[count] = last = at
                count += 1
        if last < stop:
            stops[count] = stop
            count += 1
        offsets[document + 1] = count


@kernel
def token_kind(tables: Tables, buffer: Bytes, start: int, stop: int) -> int:
    """Whether a token is a sentence mark, punctuation or a word."""
    at = start
    while at < stop:
        size = character_bytes(buffer[at])
        classes = tables.classes[table_entry(tables, buffer, at, size)]
        if at == start and at + size == stop and (classes >> SENTENCE_END) & 1:
            return _MARK
        if (classes >> PUNCTUATION_CATEGORY) & 1 == 0:
            return _WORD
        at += size
    return _PUNCTUATION


@entry
def find_sentences(
    tables: Tables,
    vocabulary: Vocabulary,
    buffer: Bytes,
    bounds: Int64s,
    numbers: Int32s,
    starts: Int32s,
    chunk_offsets: Int64s,
    stops: Int64s,
    offsets: Int64s,
) -> None:
    """Where the sentences of each document end. `count_sentences` of `curation/text/kernels/lines.py` counts the same ones.

    numbers, starts, chunk_offsets   list of chunks, those with phrases joined
    stops, offsets                   filled, as in `find_lines`
    """
    count = 0
    offsets[0] = 0
    for document in range(len(bounds) - 1):
        start, stop = bounds[document], bounds[document + 1]
        is_open, end = 0, start
        for place in range(chunk_offsets[document], chunk_offsets[document + 1]):
            record, begin = vocabulary.records[numbers[place]], int(starts[place])
            if is_open and end != begin and not (begin == end + 1 and buffer[end] == _BLANK):
                stops[count] = end
                count += 1
                is_open = 0
            if record[BREAKS_FROM_1] if is_open else record[BREAKS_FROM_0]:
                count = find_breaks(tables, vocabulary, numbers[place], buffer, begin, end, is_open, stops, count)
            is_open = (record[OPEN_AFTER] >> is_open) & 1
            end = begin + record[TEXT_BYTES]
        if is_open and end != stop and not (stop == end + 1 and buffer[end] == _BLANK):
            stops[count] = end
            count += 1
        if stop > start:
            stops[count] = stop
            count += 1
        offsets[document + 1] = count


@kernel
def find_breaks(
    tables: Tables,
    vocabulary: Vocabulary,
    chunk: int,
    buffer: Bytes,
    at: int,
    end: int,
    is_open: int,
    stops: Int64s,
    count: int,
) -> int:
    """Notes the ends of sentences before or in a chunk at `at`; `end` is where the token before ended. Gives their number."""
    record = vocabulary.records[chunk]
    to_text = int(record[TEXT_START]) - at
    for token in range(record[TOKENS]):
        if record[MARKS] & JOINED and vocabulary.text[to_text + at] == _BLANK:
            at += 1
        stop = at + vocabulary.token_records[token_of(vocabulary, chunk, token), TOKEN_BYTES]
        kind = token_kind(tables, buffer, at, stop)
        if kind == _MARK:
            is_open = 1
        elif is_open and kind == _WORD:
            stops[count] = end
            count += 1
            is_open = 0
        at = end = stop
    return count


@kernel
def is_white_space(tables: Tables, buffer: Bytes, start: int, stop: int) -> bool:
    """Whether a range has nothing else."""
    at = start
    while at < stop:
        size = character_bytes(buffer[at])
        if (tables.classes[table_entry(tables, buffer, at, size)] >> SPACE) & 1 == 0:
            return False
        at += size
    return True


@entry
def trim(tables: Tables, buffer: Bytes, bounds: Int64s, covered: Bytes) -> None:
    """Covers the white space that a document would begin with if what is covered went, and end with if its end did."""
    for document in range(len(bounds) - 1):
        start, stop = bounds[document], bounds[document + 1]
        at, end_goes = start, stop > start and covered[stop - 1] != 0
        while at < stop:
            size = character_bytes(buffer[at])
            if covered[at] == 0 and not is_white_space(tables, buffer, at, at + size):
                break
            covered[at : at + size] = 1
            at += size
        while end_goes and stop > start:
            at = stop - 1
            while buffer[at] & 0xC0 == 0x80:  # inside of a character
                at -= 1
            if covered[at] == 0 and not is_white_space(tables, buffer, at, stop):
                break
            covered[at:stop] = 1
            stop = at


def warm_up() -> None:
    """Compiles the kernels by using each once."""
    texts = batch_of(["One. Two.\n\nThree 3.5"])
    segmenter = texts.segmenter
    stops, offsets = np.empty(64, np.int64), np.zeros(2, np.int64)
    find_lines(texts.buffer, texts.bounds, 1, stops, offsets)
    for portion, view, found in texts.segmented():
        lists = (found.joined, found.joined_starts, found.joined_offsets)
        find_sentences(segmenter.tables, segmenter.vocabulary, view, portion.bounds, *lists, stops, offsets)
    trim(segmenter.tables, texts.buffer, texts.bounds, np.zeros(256, np.uint8))
