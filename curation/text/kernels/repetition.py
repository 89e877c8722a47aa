r"""Lines and paragraphs by `\n` alone, and how many of them come again within their document.

Gopher's lines are the parts between runs of `\n`, so a text that begins or ends with one has an empty first or last line.
FineWeb's are the parts between single `\n` that are not blank: the same parts but for the blank ones. Gopher's paragraphs are
the parts of the stripped text between runs of two or more.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from curation.text.kernels.compiling import Bytes, Int32s, Int64s, UInt64s, entry, kernel
from curation.text.kernels.primitives import hash_range, insert_range, power_of_two
from curation.text.kernels.vectors import count_characters, find_newlines
from curation.text.kernels.vocabulary import ENDS_TERMINAL, MARKS, TEXT_BYTES


class PartScratch(NamedTuple):
    """Room for one document's parts: lines or paragraphs.

    newlines              int32: where they stand
    starts, stops, hashes int32, int32, uint64: of each part
    table                 int32[power of two]: hash table of parts
    """

    newlines: Int32s
    starts: Int32s
    stops: Int32s
    hashes: UInt64s
    table: Int32s


def new_part_scratch(longest: int) -> PartScratch:
    """For documents of at most `longest` bytes."""
    parts = longest + 4
    room = 64
    while room < 4 * parts:
        room *= 2
    newlines, starts, stops, table = (np.empty(size, np.int32) for size in (parts, parts, parts, room))
    return PartScratch(newlines, starts, stops, np.empty(parts, np.uint64), table)


# Columns of what `count_repetition` gives; "characters" of a kind are those of the parts that came before
(
    REP_CHARACTERS,  # of the document
    REP_NEWLINES,
    REP_LINES,
    REP_REPEATED_LINES,
    REP_REPEATED_LINE_CHARACTERS,
    REP_FILLED,  # lines that are not blank
    REP_FILLED_TERMINAL,  # of those, ending in a sentence mark of any script
    REP_FILLED_SHORT,  # of those, of at most `short` characters
    REP_REPEATED_FILLED_CHARACTERS,
    REP_PARAGRAPHS,
    REP_REPEATED_PARAGRAPHS,
    REP_REPEATED_PARAGRAPH_CHARACTERS,
) = range(12)
REPETITION_COUNTS = 12


@kernel
def characters_of(buffer: Bytes, start: int, stop: int, ascii_only: bool) -> int:
    """Characters of a range, at once where the document is ASCII."""
    return stop - start if ascii_only else count_characters(buffer, start, stop)


@entry
def count_repetition(
    records: Int32s,
    buffer: Bytes,
    bounds: Int64s,
    numbers: Int32s,
    starts: Int32s,
    offsets: Int64s,
    short: int,
    counts: Int64s,
    scratch: PartScratch,
) -> None:
    """Fills in counts, int64[documents, REPETITION_COUNTS].

    short   characters that a short line has at most
    """
    for document in range(len(bounds) - 1):
        start, stop = np.int64(bounds[document]), np.int64(bounds[document + 1])
        first, last = np.int64(offsets[document]), np.int64(offsets[document + 1])
        row = counts[document]
        row[REP_CHARACTERS] = count_characters(buffer, start, stop)
        ascii_only = row[REP_CHARACTERS] == stop - start
        count = find_newlines(buffer, start, stop, scratch.newlines)
        row[REP_NEWLINES] = count
        chunks = (records, numbers, starts, first, last)
        count_lines(buffer, start, stop, chunks, short, ascii_only, row, count, scratch)
        if last > first:
            text_start = np.int64(starts[first])
            text_stop = np.int64(starts[last - 1]) + records[numbers[last - 1], TEXT_BYTES]
        else:
            text_start = text_stop = start
        count_paragraphs(buffer, text_start, text_stop, ascii_only, row, count, scratch)


@kernel
def clear_table(scratch: PartScratch, parts: int) -> int:
    """Empties the hash table for so many parts; gives its mask."""
    mask = power_of_two(2 * parts) - 1
    for slot in range(mask + 1):
        scratch.table[slot] = -1
    return mask


@kernel
def comes_again(buffer: Bytes, start: int, stop: int, part: int, mask: int, scratch: PartScratch) -> bool:
    """Notes a part of a document; whether one of the same bytes was noted before."""
    scratch.starts[part], scratch.stops[part] = start, stop
    scratch.hashes[part] = hash_range(buffer, start, stop)
    return insert_range(scratch.table, mask, buffer, scratch.starts, scratch.stops, scratch.hashes, part)


@kernel
def count_lines(
    buffer: Bytes,
    start: int,
    stop: int,
    chunks: tuple[Int32s, Int32s, Int32s, int, int],
    short: int,
    ascii_only: bool,
    row: Int64s,
    count: int,
    scratch: PartScratch,
) -> None:
    """The columns of lines of one document, which has `count` newlines and, of the list of chunks, [first, last)."""
    records, numbers, starts, first, last = chunks
    newlines, mask = scratch.newlines, clear_table(scratch, count + 2)
    lines = repeated = repeated_characters = filled = terminal = short_lines = repeated_filled = 0
    line_start, place, newline = start, first, 0
    while True:
        line_stop = np.int64(newlines[newline]) if newline < count else stop
        begin = place
        while place < last and starts[place] < line_stop:
            place += 1
        characters = np.int64(-1)
        if comes_again(buffer, line_start, line_stop, lines, mask, scratch):
            characters = characters_of(buffer, line_start, line_stop, ascii_only)
            repeated += 1
            repeated_characters += characters
        lines += 1
        if place > begin:
            filled += 1
            if characters > 0:
                repeated_filled += characters
            end = np.int64(starts[place - 1]) + records[numbers[place - 1], TEXT_BYTES]
            terminal += end == line_stop and records[numbers[place - 1], MARKS] & ENDS_TERMINAL != 0
            size = line_stop - line_start
            if size <= short or (
                not ascii_only and size <= 4 * short and count_characters(buffer, line_start, line_stop) <= short
            ):
                short_lines += 1
        if newline >= count:
            break
        while newline + 1 < count and newlines[newline + 1] == newlines[newline] + 1:
            newline += 1
        line_start = np.int64(newlines[newline]) + 1
        newline += 1
    row[REP_LINES], row[REP_REPEATED_LINES], row[REP_REPEATED_LINE_CHARACTERS] = lines, repeated, repeated_characters
    row[REP_FILLED], row[REP_FILLED_TERMINAL], row[REP_FILLED_SHORT] = filled, terminal, short_lines
    row[REP_REPEATED_FILLED_CHARACTERS] = repeated_filled


@kernel
def count_paragraphs(
    buffer: Bytes, start: int, stop: int, ascii_only: bool, row: Int64s, count: int, scratch: PartScratch
) -> None:
    """The columns of paragraphs of one document, whose stripped text is [start, stop)."""
    newlines, mask = scratch.newlines, clear_table(scratch, count + 2)
    paragraphs = repeated = repeated_characters = newline = 0
    begin = start
    while True:
        end, following = stop, stop
        while newline < count:
            last = newline
            while last + 1 < count and newlines[last + 1] == newlines[last] + 1:
                last += 1
            run_start, run_stop = np.int64(newlines[newline]), np.int64(newlines[last]) + 1
            newline = last + 1
            if run_stop - run_start > 1 and start <= run_start < stop:
                end, following = run_start, run_stop
                break
        if comes_again(buffer, begin, end, paragraphs, mask, scratch):
            repeated += 1
            repeated_characters += characters_of(buffer, begin, end, ascii_only)
        paragraphs += 1
        if end == stop:
            break
        begin = following
    row[REP_PARAGRAPHS], row[REP_REPEATED_PARAGRAPHS] = paragraphs, repeated
    row[REP_REPEATED_PARAGRAPH_CHARACTERS] = repeated_characters


@entry
def third_longest_lines(buffer: Bytes, bounds: Int64s, lengths: Int64s) -> None:
    r"""Characters of the third longest line by `\n` of each document, 0 where there are fewer than three."""
    for document in range(len(bounds) - 1):
        first = second = third = np.int64(-1)
        length = np.int64(0)
        for at in range(bounds[document], bounds[document + 1] + 1):
            if at < bounds[document + 1] and buffer[at] != 10:
                length += (buffer[at] & 0xC0) != 0x80
                continue
            if length > first:
                first, second, third = length, first, second
            elif length > second:
                second, third = length, second
            elif length > third:
                third = length
            length = np.int64(0)
        lengths[document] = max(third, np.int64(0))
