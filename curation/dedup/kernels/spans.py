"""Hashes of runs of units in their normal form; units are those of `units.py`."""

from __future__ import annotations

import numpy as np

from curation.dedup.kernels.units import character_bytes, is_white_space, table_entry
from curation.text.columns import batch_of
from curation.text.english.layout import BY_PYTHON, NUMBER, NUMBER_SEPARATOR, SAME, SPACE, TO_BLANK, Tables
from curation.text.kernels.compiling import Bytes, Int64s, UInt64s, entry, kernel
from curation.text.kernels.normal_forms import xxh64

U = np.uint64
_BLANK, _ZERO, _A, _Z = 32, 48, 97, 122
_LEFT = -1  # in place of an end: the normal form is Python's to make


@kernel
def number_stop(tables: Tables, buffer: Bytes, at: int, stop: int) -> int:
    """Where the number ends whose first digit ends at `at`: digits, and once a separator with digits behind it."""
    separated = False
    while at < stop:
        size = character_bytes(buffer[at])
        classes = tables.classes[table_entry(tables, buffer, at, size)]
        if (classes >> NUMBER) & 1:
            at += size
            continue
        after = at + size
        if separated or (classes >> NUMBER_SEPARATOR) & 1 == 0 or after >= stop:
            break
        size = character_bytes(buffer[after])
        if (tables.classes[table_entry(tables, buffer, after, size)] >> NUMBER) & 1 == 0:
            break
        separated = True
        at = after + size
    return at


@kernel
def normalise(tables: Tables, buffer: Bytes, start: int, stop: int, by_line: bool, out: Bytes, begin: int) -> int:
    """Writes the normal form of a range to `out` from `begin` on; gives its end, _LEFT where it is Python's to make.

    Source: `curation.text.normalize.normalized`, or `curation.dedup.spans.line_form` where `by_line`.
    """
    at, end, after_blank = start, begin, True
    while at < stop:
        lead = buffer[at]
        if _A <= (lead | 32) <= _Z:
            out[end] = lead | 32
            end += 1
            at += 1
            after_blank = False
            continue
        size = character_bytes(lead)
        entry_ = table_entry(tables, buffer, at, size)
        classes = tables.classes[entry_]
        if (classes >> NUMBER) & 1:
            out[end] = _ZERO
            end += 1
            after_blank = False
            at = at + size if by_line else number_stop(tables, buffer, at + size, stop)
            continue
        if (classes >> SPACE) & 1 or ((classes >> TO_BLANK) & 1 and not by_line):
            if not after_blank and end > begin:
                out[end] = _BLANK
                end += 1
            after_blank = True
        elif (classes >> TO_BLANK) & 1 == 0:
            form = int(tables.normal[entry_])
            if form == BY_PYTHON:
                return _LEFT
            if form == SAME:
                for place in range(size):
                    out[end + place] = buffer[at + place]
                end += size
            else:
                for place in range(form & 31):
                    out[end + place] = tables.pool[(form >> 5) + place]
                end += form & 31
            # a mark that vanishes parts two blanks in the one form, which collapses them before, and not in the other
            after_blank = after_blank and by_line and form != SAME and form & 31 == 0
        at += size
    while end > begin and out[end - 1] == _BLANK:
        end -= 1
    return end


@entry
def hash_runs(
    tables: Tables,
    buffer: Bytes,
    bounds: Int64s,
    stops: Int64s,
    unit_offsets: Int64s,
    run: int,
    by_line: bool,
    min_characters: int,
    text: Bytes,
    begins: Int64s,
    hashes: UInt64s,
    offsets: Int64s,
    left: Int64s,
) -> int:
    """xxh64 of each run of `run` units, their normal forms joined by blanks; 0 for a run without letters or of too few.

    A last unit of white space is in no run. Gives how many documents are left to Python; their numbers are in `left`.

    stops, unit_offsets   of the units, as `find_lines` gives them
    text, begins          scratch for one document: its units' normal forms and where each begins
    hashes, offsets       filled: uint64, and int64[documents + 1]: which a document has
    """
    written = count = 0
    offsets[0] = 0
    for document in range(len(bounds) - 1):
        first, units = unit_offsets[document], unit_offsets[document + 1] - unit_offsets[document]
        if units:
            last = stops[first + units - 2] if units > 1 else bounds[document]
            units -= is_white_space(tables, buffer, last, stops[first + units - 1])
        runs = max(0, units - run + 1)
        if runs:
            start, end = bounds[document], 0
            for unit in range(units):
                begins[unit] = end
                end = normalise(tables, buffer, start, stops[first + unit], by_line, text, end)
                if end == _LEFT:
                    break
                text[end] = _BLANK
                end += 1
                start = stops[first + unit]
            begins[units] = end
            if end == _LEFT:
                left[count] = document
                count += 1
                hashes[written : written + runs] = U(0)
            else:
                for number in range(runs):
                    hashes[written + number] = run_hash(
                        text, begins[number], begins[number + run] - 1, run, min_characters
                    )
        written += runs
        offsets[document + 1] = written
    return count


@kernel
def count_characters(text: Bytes, start: int, stop: int) -> int:
    """Code points in a range of UTF-8 that nothing is padded behind."""
    count = 0
    for place in range(start, stop):
        count += (text[place] & 0xC0) != 0x80
    return count


@kernel
def run_hash(text: Bytes, start: int, stop: int, run: int, min_characters: int) -> np.uint64:
    """The hash of a run's normal form, 0 where it counts for nothing. A hash that happens to be 0 becomes 1."""
    size = stop - start
    if size == run - 1 or (size < 4 * min_characters and count_characters(text, start, stop) < min_characters):
        return U(0)
    return max(xxh64(text, start, size), U(1))


def warm_up() -> None:
    """Compiles the kernels by using each once."""
    texts, stops, offsets = batch_of(["One."]), np.array([4]), np.array([0, 1])
    scratch = np.empty(256, np.uint8), np.empty(64, np.int64), np.empty(64, np.uint64)
    tables, found = texts.segmenter.tables, (texts.buffer, texts.bounds, stops, offsets)
    hash_runs(tables, *found, 1, True, 0, *scratch, np.zeros(2, np.int64), np.empty(1, np.int64))
