"""Whole documents in the normal form that near duplicates are compared in, as `text/normalize.py` writes it.

The text engine makes the same form chunk by chunk, and cuts it into words; here a document's is one string, with the blanks that
it has. A code point whose form depends on its neighbours leaves its document to Python.

Source: datatrove 0.10.1, utils/text.py, `simplify_text`.
"""

from __future__ import annotations

import numpy as np

from curation.text.english.layout import BY_PYTHON, NUMBER, NUMBER_SEPARATOR, SAME, SPACE, TO_BLANK, Tables
from curation.text.english.tables import load
from curation.text.kernels.compiling import Bytes, Int64s, entry, inlined, kernel

GROWTH = 4  # a normal form has at most so many times the bytes of its text
_BLANK, _ZERO = 32, 48
_SPECIAL = 1 << SPACE | 1 << TO_BLANK | 1 << NUMBER | 1 << NUMBER_SEPARATOR
_NO_NUMBER, _BEFORE_SEPARATOR, _BEHIND_SEPARATOR = range(3)  # where in a number the last code point was


@entry
def normalise_texts(
    tables: Tables, buffer: Bytes, starts: Int64s, stops: Int64s, text: Bytes, bounds: Int64s, left: Int64s
) -> int:
    """The normal forms of documents buffer[starts[d]:stops[d]] into text[bounds[d]:bounds[d + 1]].

    Gives the number of documents that are left to Python, whose numbers are in `left` and whose forms are empty. `text` has
    GROWTH bytes for each byte of the documents.
    """
    bounds[0] = written = count = 0
    for document in range(len(starts)):
        size = normalise_text(tables, buffer, starts[document], stops[document], text, written)
        if size < 0:
            left[count] = document
            count += 1
            size = 0
        written += size
        bounds[document + 1] = written
    return count


@kernel
def normalise_text(tables: Tables, buffer: Bytes, start: int, stop: int, text: Bytes, first: int) -> int:
    """One document's normal form into text[first:]; gives its bytes, -1 if it is left to Python."""
    at, end = np.int64(start), np.int64(first)
    was_blank, number = False, _NO_NUMBER
    while at < stop:
        point, size = code_point(buffer, at)
        place = np.int64(tables.page[point >> 8]) * 256 + (point & 255)
        classes = tables.classes[place]
        if classes & _SPECIAL:
            if (classes >> NUMBER) & 1:
                if number == _NO_NUMBER:
                    text[end] = _ZERO
                    end += 1
                    number, was_blank = _BEFORE_SEPARATOR, False
                at += size
                continue
            separates = number == _BEFORE_SEPARATOR and (classes >> NUMBER_SEPARATOR) & 1
            if separates and is_number(tables, buffer, at + size, stop):
                at += size
                number = _BEHIND_SEPARATOR
                continue
            if (classes >> SPACE) & 1 or (classes >> TO_BLANK) & 1:
                if not was_blank and end > first:
                    text[end] = _BLANK
                    end += 1
                at += size
                number, was_blank = _NO_NUMBER, True
                continue
        form = np.int64(tables.normal[place])
        if form == BY_PYTHON:
            return -1
        if form == SAME:
            for offset in range(size):
                text[end + offset] = buffer[at + offset]
            end += size
        else:  # none of it for a mark, which ends a run of blanks all the same
            for offset in range(form & 31):
                text[end + offset] = tables.pool[(form >> 5) + offset]
            end += form & 31
        at += size
        number, was_blank = _NO_NUMBER, False
    while end > first and text[end - 1] == _BLANK:
        end -= 1
    return end - first


@inlined
def code_point(buffer: Bytes, at: int) -> tuple[int, int]:
    """The code point that begins at a byte of valid UTF-8, and its bytes."""
    byte = np.int64(buffer[at])
    if byte < 0x80:
        return byte, 1
    second = np.int64(buffer[at + 1]) & 0x3F
    if byte < 0xE0:
        return (byte & 0x1F) << 6 | second, 2
    third = np.int64(buffer[at + 2]) & 0x3F
    if byte < 0xF0:
        return (byte & 0x0F) << 12 | second << 6 | third, 3
    return (byte & 0x07) << 18 | second << 12 | third << 6 | (np.int64(buffer[at + 3]) & 0x3F), 4


@kernel
def is_number(tables: Tables, buffer: Bytes, at: int, stop: int) -> bool:
    """Whether a digit begins at a byte that is still the document's."""
    if at >= stop:
        return False
    point, _ = code_point(buffer, at)
    place = np.int64(tables.page[point >> 8]) * 256 + (point & 255)
    return bool((tables.classes[place] >> NUMBER) & 1)


def warm_up() -> None:
    """Uses each entry once."""
    buffer, places = np.zeros(8, np.uint8), np.array([0, 2])
    buffer.flags.writeable = False  # as those of batches
    normalise_texts(load(), buffer, places[:1], places[1:], np.zeros(8, np.uint8), places.copy(), np.zeros(1, np.int64))
