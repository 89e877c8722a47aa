r"""Lines by every line end (`str.splitlines`), found in the gaps between chunks, and what is known of each.

Lines and paragraphs by `\n` alone are in `repetition.py`: each published filter cuts lines in its own way.
"""

from __future__ import annotations

import numpy as np

from curation.text.kernels.compiling import Bytes, Int32s, Int64s, entry, kernel
from curation.text.kernels.triggers import (
    BEGINNINGS,
    BEGINS_COOKIES,
    BEGINS_IPSUM,
    BEGINS_POLICY,
    BEGINS_USE,
    ENDS_LOREM,
    ENDS_PRIVACY,
    ENDS_TERMS,
    ENDS_USE,
    ENDS_USES,
    IS_OF,
)
from curation.text.kernels.vocabulary import (
    BEGINS_BULLET,
    BREAKS_FROM_0,
    BREAKS_FROM_1,
    CHARACTERS,
    ENDS_3_DOTS,
    ENDS_ELLIPSIS,
    HAS_BRACKET,
    HAS_CURLY,
    HAS_JAVASCRIPT,
    HAS_TRIGGER,
    MARKS,
    OPEN_AFTER,
    TEXT_BYTES,
    TRIGGERS,
    Vocabulary,
)
from curation.text.kernels.whitespace import line_end_bytes

# Columns of a line, int64[lines, 7]
LINE_START, LINE_STOP, LINE_WORDS, LINE_LONGEST, LINE_MARKS, LINE_SENTENCES, LINE_DOCUMENT = range(7)
LINE_COLUMNS = 7

# Bits of LINE_MARKS
LINE_ENDS_3_DOTS = 1 << 1
LINE_HAS_BRACKET = 1 << 2
LINE_HAS_CURLY = 1 << 3
LINE_HAS_JAVASCRIPT = 1 << 4
LINE_HAS_LOREM_IPSUM = 1 << 5
LINE_HAS_POLICY = 1 << 6
LINE_BEGINS_BULLET = 1 << 7
LINE_ENDS_ELLIPSIS = 1 << 8  # ... or …
LAST_BYTE_SHIFT = 16  # bits 16 to 23: the line's last byte


@entry
def find_lines(
    records: Int32s,
    buffer: Bytes,
    bounds: Int64s,
    numbers: Int32s,
    starts: Int32s,
    offsets: Int64s,
    gaps: Int32s,
    line_stops: Int32s,
    line_offsets: Int64s,
) -> None:
    """Fills in where the lines of each document end, as places in the list of chunks, and line_offsets[documents + 1].

    Only `gaps` and the ends of documents are looked at: in one blank no line ends.
    """
    lines, index = np.int64(0), 0
    line_offsets[0] = 0
    for document in range(len(bounds) - 1):
        first, stop = np.int64(offsets[document]), np.int64(offsets[document + 1])
        end = np.int64(bounds[document])  # of the chunk before the gap
        while index < len(gaps) and gaps[index] < stop:
            place = np.int64(gaps[index])
            if place > first:
                end = np.int64(starts[place - 1]) + records[numbers[place - 1], TEXT_BYTES]
            lines, _ = end_lines(buffer, end, np.int64(starts[place]), place, line_stops, lines, True)
            index += 1
        if stop > first:
            end = np.int64(starts[stop - 1]) + records[numbers[stop - 1], TEXT_BYTES]
        lines, is_open = end_lines(buffer, end, np.int64(bounds[document + 1]), stop, line_stops, lines, stop > first)
        if is_open:
            line_stops[lines] = stop
            lines += 1
        line_offsets[document + 1] = lines


@kernel
def end_lines(
    buffer: Bytes, gap: int, gap_stop: int, place: int, line_stops: Int32s, lines: int, is_open: bool
) -> tuple[int, bool]:
    """Ends lines at the line ends of a gap; gives the number of lines, and whether one is open behind the gap.

    is_open   whether one is before it
    """
    while gap < gap_stop:
        size = line_end_bytes(buffer, gap, gap_stop)
        is_open = size == 0
        if size:
            line_stops[lines] = place
            lines += 1
        gap += max(size, 1)
    return lines, is_open


@entry
def place_lines(
    records: Int32s,
    numbers: Int32s,
    starts: Int32s,
    offsets: Int64s,
    line_stops: Int32s,
    line_offsets: Int64s,
    lines: Int64s,
) -> None:
    """Fills in LINE_START, LINE_STOP (without white space around), LINE_WORDS and LINE_DOCUMENT of each line."""
    for document in range(len(offsets) - 1):
        first = np.int64(offsets[document])
        for line in range(line_offsets[document], line_offsets[document + 1]):
            stop = np.int64(line_stops[line])
            row = lines[line]
            row[LINE_DOCUMENT], row[LINE_WORDS] = document, stop - first
            if stop > first:
                row[LINE_START] = starts[first]
                row[LINE_STOP] = starts[stop - 1] + records[numbers[stop - 1], TEXT_BYTES]
            else:
                row[LINE_START] = row[LINE_STOP] = 0
            first = stop


@entry
def describe_lines(
    vocabulary: Vocabulary, buffer: Bytes, numbers: Int32s, starts: Int32s, offsets: Int64s, lines: Int64s
) -> None:
    """Fills in LINE_LONGEST (characters of the longest word by white space) and LINE_MARKS.

    Lines stand in order, document after document; LINE_WORDS says how many chunks each takes up.
    """
    place = np.int64(0)
    for line in range(len(lines)):
        row = lines[line]
        if line == 0 or row[LINE_DOCUMENT] != lines[line - 1, LINE_DOCUMENT]:
            place = np.int64(offsets[row[LINE_DOCUMENT]])
        stop = place + row[LINE_WORDS]
        longest = seen = marks = 0
        for at in range(place, stop):
            record = vocabulary.records[numbers[at]]
            longest = max(longest, record[CHARACTERS])
            seen |= record[MARKS]
        if stop > place:
            marks = marks_of_ends(vocabulary.records, numbers, place, stop)
        if seen & (HAS_BRACKET | HAS_CURLY | HAS_JAVASCRIPT | HAS_TRIGGER):
            marks |= LINE_HAS_BRACKET if seen & HAS_BRACKET else 0
            marks |= LINE_HAS_CURLY if seen & HAS_CURLY else 0
            marks |= LINE_HAS_JAVASCRIPT if seen & HAS_JAVASCRIPT else 0
            if seen & HAS_TRIGGER:
                marks |= phrases_of(vocabulary, buffer, numbers, starts, place, stop)
        row[LINE_LONGEST] = longest
        row[LINE_MARKS] = marks | marks_of_last_byte(buffer, row[LINE_START], row[LINE_STOP])
        place = stop


@kernel
def marks_of_ends(records: Int32s, numbers: Int32s, first: int, stop: int) -> int:
    """LINE_BEGINS_BULLET and LINE_ENDS_ELLIPSIS of a line of chunks [first, stop)."""
    marks = 0
    if records[numbers[first], MARKS] & BEGINS_BULLET:
        marks |= LINE_BEGINS_BULLET
    if records[numbers[stop - 1], MARKS] & (ENDS_3_DOTS | ENDS_ELLIPSIS):
        marks |= LINE_ENDS_ELLIPSIS
    return marks


@kernel
def marks_of_last_byte(buffer: Bytes, start: int, stop: int) -> int:
    """The last byte, and LINE_ENDS_3_DOTS."""
    if stop <= start:
        return 0
    marks = np.int64(buffer[stop - 1]) << LAST_BYTE_SHIFT
    if buffer[stop - 1] == 46 and stop - start >= 3 and buffer[stop - 2] == 46 and buffer[stop - 3] == 46:
        marks |= LINE_ENDS_3_DOTS
    return marks


@kernel
def is_one_blank(records: Int32s, buffer: Bytes, numbers: Int32s, starts: Int32s, place: int) -> bool:
    """Whether exactly one blank stands before a chunk."""
    end = np.int64(starts[place - 1]) + records[numbers[place - 1], TEXT_BYTES]
    return starts[place] == end + 1 and buffer[end] == 32


@kernel
def phrases_of(vocabulary: Vocabulary, buffer: Bytes, numbers: Int32s, starts: Int32s, first: int, stop: int) -> int:
    """LINE_HAS_LOREM_IPSUM and LINE_HAS_POLICY of a line of chunks [first, stop)."""
    records, extras, marks = vocabulary.records, vocabulary.extras, 0
    for place in range(first + 1, stop):
        if records[numbers[place], MARKS] & HAS_TRIGGER == 0:
            continue
        here = extras[numbers[place], TRIGGERS]
        if here & BEGINNINGS == 0 or not is_one_blank(records, buffer, numbers, starts, place):
            continue
        before = triggers_at(vocabulary, numbers, place - 1)
        if here & BEGINS_IPSUM and before & ENDS_LOREM:
            marks |= LINE_HAS_LOREM_IPSUM
        if here & BEGINS_POLICY and before & ENDS_PRIVACY or here & BEGINS_COOKIES and before & (ENDS_USE | ENDS_USES):
            marks |= LINE_HAS_POLICY
        if before & IS_OF and place - 2 >= first and is_one_blank(records, buffer, numbers, starts, place - 1):
            two_before = triggers_at(vocabulary, numbers, place - 2)
            if here & BEGINS_COOKIES and two_before & ENDS_USE or here & BEGINS_USE and two_before & ENDS_TERMS:
                marks |= LINE_HAS_POLICY
    return marks


@kernel
def triggers_at(vocabulary: Vocabulary, numbers: Int32s, place: int) -> int:
    """The trigger bits of the chunk at a place."""
    return np.int64(vocabulary.extras[numbers[place], TRIGGERS])


@entry
def count_sentences(
    records: Int32s, buffer: Bytes, numbers: Int32s, starts: Int32s, count: int, spans: Int64s, spans_counts: Int64s
) -> None:
    """Sentences of each span of bytes as a text of its own; an empty one has one.

    A sentence begins with the first token behind a sentence mark that is no mark itself. White space other than one blank
    behind a word is a token, too. Source: spaCy 3.8.18, pipeline/sentencizer.pyx, `Sentencizer.predict`.

    numbers, starts, count   list of chunks, those with phrases joined
    spans                    int64[spans, 2]: ascending and not overlapping, cut at no chunk
    """
    place = np.int64(0)
    for span in range(len(spans)):
        start, stop = spans[span, 0], spans[span, 1]
        while place < count and starts[place] < start:
            place += 1
        sentences, is_open, gap = 1, 0, start
        while place < count and starts[place] < stop:
            record = records[numbers[place]]
            begin = np.int64(starts[place])
            if is_open and gap != begin and not (begin == gap + 1 and buffer[gap] == 32):
                sentences += 1
                is_open = 0
            sentences += record[BREAKS_FROM_1] if is_open else record[BREAKS_FROM_0]
            is_open = (record[OPEN_AFTER] >> is_open) & 1
            gap = begin + record[TEXT_BYTES]
            place += 1
        if is_open and gap != stop and not (stop == gap + 1 and buffer[gap] == 32):
            sentences += 1
        spans_counts[span] = sentences
