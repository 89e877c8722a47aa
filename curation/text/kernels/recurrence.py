r"""Runs of words, and lines, that a document has more than once: every copy counts, the first included.

That is what sets these counts apart from those of `ngrams.py` and `repetition.py`, where the first copy is free. Words are
chunks, so runs without white space; lines are the parts between runs of `\n`.

Source: Soldaini et al. 2024 (Dolma); allenai/dolma 669f534, python/dolma/taggers/gopher.py.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from curation.text.kernels.compiling import Bytes, Int32s, Int64s, UInt64s, entry, kernel
from curation.text.kernels.primitives import (
    MIX_0,
    MIX_1,
    fold,
    hash_range,
    power_of_two,
    same_bytes,
)
from curation.text.kernels.vectors import count_characters, find_newlines
from curation.text.kernels.vocabulary import CHARACTERS

U = np.uint64

# Columns of what `count_recurring_runs` gives; characters are those of the words, without what stands between them
RUN_TOP = 0  # 2, 3, 4 words: characters of the most frequent run times its frequency
RUN_RECURRING = 3  # 5 … 10 words: characters of all runs that stand there more than once, overlapping ones added up
RUN_ALL = 9  # 5 … 10 words: characters of all runs
RUN_COUNTS = 15
LONGEST_TOP, LONGEST_RUN = 4, 10

# Columns of what `count_recurring_lines` gives
LINES, RECURRING_LINES, RECURRING_LINE_CHARACTERS, BULLET_LINES, ELLIPSIS_LINES = range(5)
LINE_COUNTS = 5


class RunScratch(NamedTuple):
    """Room for one document's words.

    runs, recurs     int32, uint8: which distinct run begins at a word; whether that run stands elsewhere, too
    ends             int64[words + 1]: characters up to each word
    table            int32[power of two]: hash table of distinct runs
    lefts, rights    int32: a distinct run is the run of one word less, `lefts`, and the word `rights`
    counts, firsts   int32: how often a distinct run stands there, and at which word first
    """

    runs: Int32s
    recurs: Bytes
    ends: Int64s
    table: Int32s
    lefts: Int32s
    rights: Int32s
    counts: Int32s
    firsts: Int32s


def new_run_scratch(words: int) -> RunScratch:
    """For documents of at most so many words."""
    size = words + 16
    power = 64
    while power < 4 * size:
        power *= 2
    return RunScratch(
        runs=np.zeros(size, np.int32),
        recurs=np.zeros(size, np.uint8),
        ends=np.zeros(size, np.int64),
        table=np.zeros(power, np.int32),
        lefts=np.zeros(size, np.int32),
        rights=np.zeros(size, np.int32),
        counts=np.zeros(size, np.int32),
        firsts=np.zeros(size, np.int32),
    )


@entry
def count_recurring_runs(
    records: Int32s, numbers: Int32s, offsets: Int64s, scratch: RunScratch, counts: Int64s
) -> None:
    """Fills in counts, int64[documents, RUN_COUNTS], from a list of chunks; see `segmenting.py`."""
    for document in range(len(offsets) - 1):
        first, words = np.int64(offsets[document]), np.int64(offsets[document + 1] - offsets[document])
        row = counts[document]
        scratch.ends[0] = 0
        for place in range(words):
            scratch.ends[place + 1] = scratch.ends[place] + records[numbers[first + place], CHARACTERS]
            scratch.runs[place], scratch.recurs[place] = 0, 1
        scratch.recurs[words] = 1
        number_runs(numbers, first, words, 1, scratch)
        for size in range(2, LONGEST_RUN + 1):
            best, frequency = number_runs(numbers, first, words, size, scratch)
            if size <= LONGEST_TOP:
                if words >= size:
                    row[RUN_TOP + size - 2] = frequency * (scratch.ends[best + size] - scratch.ends[best])
                continue
            recurring = everything = np.int64(0)
            for place in range(words - size + 1):
                characters = scratch.ends[place + size] - scratch.ends[place]
                everything += characters
                if scratch.recurs[place]:
                    recurring += characters
            row[RUN_RECURRING + size - 5], row[RUN_ALL + size - 5] = recurring, everything


@kernel
def number_runs(numbers: Int32s, first: int, words: int, size: int, scratch: RunScratch) -> tuple[int, int]:
    """Turns what is known of the runs of `size` - 1 words into what is known of those of `size`.

    A run recurs only if both runs of one word less in it do, so that few places are looked at. Gives the place and
    frequency of the most frequent run, of equals that of the first.
    """
    runs, recurs, table = scratch.runs, scratch.recurs, scratch.table
    mask = power_of_two(2 * words) - 1
    for slot in range(mask + 1):
        table[slot] = -1
    distinct, best, frequency = 0, np.int64(0), np.int64(1)
    for place in range(words - size + 1):
        if recurs[place] == 0 or recurs[place + 1] == 0:
            recurs[place] = 0
            continue
        left, right = runs[place], numbers[first + place + size - 1]
        slot = np.int64(fold(U(left) ^ MIX_0, U(right) ^ MIX_1)) & mask
        while True:
            run = np.int64(table[slot])
            if run < 0:
                run = np.int64(distinct)
                table[slot] = run
                scratch.lefts[run], scratch.rights[run] = left, right
                scratch.counts[run], scratch.firsts[run] = 0, place
                distinct += 1
                break
            if scratch.lefts[run] == left and scratch.rights[run] == right:
                break
            slot = (slot + 1) & mask
        runs[place] = run
        scratch.counts[run] += 1
    for run in range(distinct):  # they are numbered by where they first stand
        if scratch.counts[run] > frequency:
            best, frequency = np.int64(scratch.firsts[run]), np.int64(scratch.counts[run])
    for place in range(max(words - size + 1, 0)):
        if recurs[place]:
            recurs[place] = scratch.counts[runs[place]] > 1
    for place in range(max(words - size + 1, 0), words):
        recurs[place] = 0
    return best, frequency


@entry
def count_recurring_lines(
    buffer: Bytes,
    bounds: Int64s,
    counts: Int64s,
    table: Int32s,
    newlines: Int32s,
    starts: Int32s,
    stops: Int32s,
    hashes: UInt64s,
    copied: Bytes,
) -> None:
    """Fills in counts, int64[documents, LINE_COUNTS].

    table, newlines, starts, stops, hashes, copied   scratch: `table` 4 times, the others once, a document's lines + 4
    """
    for document in range(len(bounds) - 1):
        start, stop = np.int64(bounds[document]), np.int64(bounds[document + 1])
        newline_count = find_newlines(buffer, start, stop, newlines)
        mask = power_of_two(2 * (newline_count + 2)) - 1
        for slot in range(mask + 1):
            table[slot] = -1
        lines = recurring = characters = bullets = ellipses = newline = 0
        line_start = start
        while True:
            line_stop = np.int64(newlines[newline]) if newline < newline_count else stop
            starts[lines], stops[lines], copied[lines] = line_start, line_stop, 0
            hashes[lines] = hash_range(buffer, line_start, line_stop)
            other = first_copy(buffer, table, mask, starts, stops, hashes, lines)
            if other >= 0:
                size = count_characters(buffer, line_start, line_stop)
                copies = 1 if copied[other] else 2
                copied[other] = 1
                recurring += copies
                characters += copies * size
            if line_stop > line_start:
                bullets += buffer[line_start] == 42 or buffer[line_start] == 45
                ellipses += ends_in_ellipsis(buffer, line_start, line_stop)
            lines += 1
            if newline >= newline_count:
                break
            while newline + 1 < newline_count and newlines[newline + 1] == newlines[newline] + 1:
                newline += 1
            line_start = np.int64(newlines[newline]) + 1
            newline += 1
        row = counts[document]
        row[LINES], row[RECURRING_LINES], row[RECURRING_LINE_CHARACTERS] = lines, recurring, characters
        row[BULLET_LINES], row[ELLIPSIS_LINES] = bullets, ellipses


@kernel
def first_copy(
    buffer: Bytes, table: Int32s, mask: int, starts: Int32s, stops: Int32s, hashes: UInt64s, line: int
) -> int:
    """The earlier line of the same bytes; -1 if there is none, and then this one is remembered."""
    size = stops[line] - starts[line]
    slot = np.int64(hashes[line]) & mask
    while True:
        other = np.int64(table[slot])
        if other < 0:
            table[slot] = line
            return -1
        if (
            hashes[other] == hashes[line]
            and stops[other] - starts[other] == size
            and same_bytes(buffer, starts[other], buffer, starts[line], size)
        ):
            return other
        slot = (slot + 1) & mask


@kernel
def ends_in_ellipsis(buffer: Bytes, start: int, stop: int) -> bool:
    """Whether a line's last character is `…`."""
    return stop - start >= 3 and buffer[stop - 3] == 0xE2 and buffer[stop - 2] == 0x80 and buffer[stop - 1] == 0xA6
