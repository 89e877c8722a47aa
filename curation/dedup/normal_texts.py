"""Texts in their normal form, a batch at a time: what exact hashes and shingles of characters are made of."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from curation.dedup.kernels.normal_texts import GROWTH, normalise_texts
from curation.text.batch import PORTION, TextBatch
from curation.text.kernels.compiling import Bytes, Int64s
from curation.text.normalize import normalized
from curation.text.segmenter import process_segmenter


class NormalTexts(NamedTuple):
    """UTF-8 of all texts: text d is content[bounds[d]:bounds[d + 1]]."""

    content: Bytes
    bounds: Int64s


def normal_texts(texts: TextBatch, rows: Int64s | None = None) -> NormalTexts:
    """The normal forms of the batch's texts, or of some rows of it: `text.normalize.normalized`, in compiled code.

    A text with a letter whose small form depends on its neighbours (a capital sigma) goes through Python, 20 times slower.
    Memory beyond the result: GROWTH times the longest text, or PORTION.
    """
    rows = np.arange(len(texts)) if rows is None else rows
    starts, stops = texts.bounds[rows], texts.bounds[rows + 1]
    tables = process_segmenter().tables
    parts, bounds = [np.zeros(0, np.uint8)], [np.zeros(1, np.int64)]
    total, first = 0, 0
    sizes = np.concatenate([[0], np.cumsum(stops - starts)])
    while first < len(rows):
        stop = max(first + 1, int(np.searchsorted(sizes, sizes[first] + PORTION, "right")) - 1)
        here = slice(first, stop)
        content = np.empty(GROWTH * int(sizes[stop] - sizes[first]), np.uint8)
        part_bounds, left = np.zeros(stop - first + 1, np.int64), np.zeros(stop - first, np.int64)
        count = normalise_texts(tables, texts.buffer, starts[here], stops[here], content, part_bounds, left)
        part = NormalTexts(content[: part_bounds[-1]].copy(), part_bounds)
        if count:
            part = _completed(part, left[:count], [texts.string(row) for row in rows[here][left[:count]].tolist()])
        parts.append(part.content)
        bounds.append(part.bounds[1:] + total)
        total += int(part.bounds[-1])
        first = stop
    return NormalTexts(np.concatenate(parts), np.concatenate(bounds))


def _completed(texts: NormalTexts, left: Int64s, strings: list[str]) -> NormalTexts:
    """The texts with the forms of those that were left to Python."""
    forms = [normalized(string).encode() for string in strings]
    sizes = np.diff(texts.bounds)
    sizes[left] = [len(form) for form in forms]
    pieces, done = [], 0
    for document, form in zip(left.tolist(), forms, strict=True):
        place = int(texts.bounds[document])
        pieces += [texts.content[done:place].tobytes(), form]
        done = place
    content = b"".join([*pieces, texts.content[done:].tobytes()])
    return NormalTexts(np.frombuffer(bytearray(content), np.uint8), np.concatenate([[0], np.cumsum(sizes)]))
