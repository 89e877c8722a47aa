"""Texts made of parts of others: lines without their citations, documents of the lines that are kept."""

from __future__ import annotations

import numpy as np

from curation.text.english.layout import DIGIT, Tables
from curation.text.kernels.compiling import Bytes, Int64s, entry, kernel
from curation.text.kernels.lines import LINE_START, LINE_STOP
from curation.text.kernels.primitives import load8, same_bytes, store8
from curation.text.kernels.whitespace import BYTE_KINDS, SPACE_BYTE, wide_space_bytes

_OPEN, _CLOSE = ord("["), ord("]")
_EDIT = np.frombuffer(b"[edit]", np.uint8)
_NEEDED = np.frombuffer(b"[citation needed]", np.uint8)


@entry
def cut_citations(
    tables: Tables, buffer: Bytes, lines: Int64s, chosen: Int64s, out: Bytes, bounds: Int64s, cut: Int64s
) -> None:
    """Copies the chosen lines without `[12]`, `[]`, `[edit]` and `[citation needed]`, one behind the other.

    lines    as in `lines.py`; `chosen` are rows of it
    out      uint8: the copies; bounds int64[chosen + 1]: where each begins; cut int64[chosen]: citations taken out
    """
    written = np.int64(0)
    bounds[0] = 0
    for index in range(len(chosen)):
        row = lines[chosen[index]]
        at, stop = row[LINE_START], row[LINE_STOP]
        cut[index] = 0
        while at < stop:
            if buffer[at] == _OPEN:
                size = citation_bytes(tables, buffer, at, stop)
                if size:
                    cut[index] += 1
                    at += size
                    continue
            out[written] = buffer[at]
            written += 1
            at += 1
        bounds[index + 1] = written


@kernel
def citation_bytes(tables: Tables, buffer: Bytes, at: int, stop: int) -> int:
    """Bytes of the citation that begins with the bracket at `at`, 0 if none."""
    end = at + 1
    while end < stop:
        size = digit_bytes(tables, buffer, end)
        if size == 0:
            break
        end += size
    if end < stop and buffer[end] == _CLOSE:
        return end + 1 - at
    if at + len(_EDIT) <= stop and same_bytes(buffer, at, _EDIT, 0, len(_EDIT)):
        return len(_EDIT)
    if at + len(_NEEDED) <= stop and same_bytes(buffer, at, _NEEDED, 0, len(_NEEDED)):
        return len(_NEEDED)
    return 0


@kernel
def digit_bytes(tables: Tables, buffer: Bytes, at: int) -> int:
    r"""Bytes of the decimal digit of any script (`\d`) at `at`, 0 if it is none."""
    lead = np.int64(buffer[at])
    if lead < 0x80:
        return 1 if 48 <= lead <= 57 else 0
    if lead < 0xC2:
        return 0
    second, third, fourth = (
        np.int64(buffer[at + 1]) & 63,
        np.int64(buffer[at + 2]) & 63,
        np.int64(buffer[at + 3]) & 63,
    )
    if lead < 0xE0:
        point, size = (lead & 31) << 6 | second, 2
    elif lead < 0xF0:
        point, size = (lead & 15) << 12 | second << 6 | third, 3
    else:
        point, size = (lead & 7) << 18 | second << 12 | third << 6 | fourth, 4
    return size if (tables.classes[tables.page[point >> 8] * 256 + (point & 255)] >> DIGIT) & 1 else 0


@kernel
def space_bytes(buffer: Bytes, at: int) -> int:
    """Bytes of the white space at `at`, 0 if it is none."""
    return 1 if BYTE_KINDS[buffer[at]] == SPACE_BYTE else wide_space_bytes(buffer, at)


@entry
def join_lines(
    first: Bytes,
    second: Bytes,
    spans: Int64s,
    from_second: Bytes,
    offsets: Int64s,
    as_it_is: Bytes,
    out: Bytes,
    bounds: Int64s,
) -> None:
    r"""Documents of lines joined by `\n`, without white space around the whole unless they stay `as_it_is`.

    spans        int64[lines, 2]: the lines that are kept, in bytes of `first`, or of `second` where `from_second` says so
    offsets      int64[documents + 1]: which lines a document has
    out, bounds  uint8 and int64[documents + 1]: the documents, one behind the other
    """
    bounds[0] = 0
    for document in range(len(offsets) - 1):
        begin = at = bounds[document]
        for line in range(offsets[document], offsets[document + 1]):
            if line > offsets[document]:
                out[at] = 10
                at += 1
            start, size = spans[line, 0], spans[line, 1] - spans[line, 0]
            if from_second[line]:
                copy_bytes(second, start, out, at, size)
            else:
                copy_bytes(first, start, out, at, size)
            at += size
        bounds[document + 1] = at if as_it_is[document] else strip_in_place(out, begin, at)


@kernel
def copy_bytes(source: Bytes, start: int, out: Bytes, to: int, size: int) -> None:
    """Copies a range, eight bytes at a time; up to seven bytes behind it are overwritten."""
    for offset in range(0, size, 8):
        store8(out, to + offset, load8(source, start + offset))


@kernel
def strip_in_place(out: Bytes, begin: int, end: int) -> int:
    """Moves the range [begin, end) without white space around it to `begin`; gives its new end."""
    start = begin
    while start < end and space_bytes(out, start):
        start += space_bytes(out, start)
    stop = end
    while stop > start:
        last = stop - 1
        while last > start and out[last] & 0xC0 == 0x80:  # inside of a character
            last -= 1
        if space_bytes(out, last) == 0:
            break
        stop = last
    if start > begin:
        for place in range(start, stop):
            out[begin + place - start] = out[place]
    return begin + stop - start
