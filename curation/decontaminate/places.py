"""Where units stand in a text: exact for characters of unspaced scripts, to the run without white space for words."""

from __future__ import annotations

import unicodedata

import numpy as np

from curation.decontaminate.units import UNSPACED, Units
from curation.text.kernels.compiling import Int64s
from curation.text.kernels.vocabulary import TEXT_BYTES
from curation.text.punctuation import PUNCTUATION

NO_UNIT = ("Mn", "Nd")  # categories that the normal form takes out, or makes `0` of


def places_of(units: Units, firsts: Int64s, lasts: Int64s) -> tuple[Int64s, Int64s]:
    """Where the first units of runs begin and the last ones end, in bytes of the batch."""
    sizes = units.vocabulary.records[units.found.numbers[units.chunks[lasts]], TEXT_BYTES]
    starts = units.found.starts[units.chunks[firsts]].astype(np.int64) + units.base
    stops = units.found.starts[units.chunks[lasts]].astype(np.int64) + units.base + sizes
    known: dict[int, Int64s] = {}
    for found, places, side in ((firsts, starts, 0), (lasts, stops, 1)):
        for number in np.flatnonzero(units.narrow[found]).tolist():
            unit = int(found[number])
            chunk = int(units.chunks[unit])
            if chunk not in known:
                known[chunk] = _in_chunk(units, chunk)
            spans = known[chunk]
            if len(spans):
                places[number] = spans[unit - int(np.searchsorted(units.chunks, chunk)), side]
    return starts, stops


def _in_chunk(units: Units, chunk: int) -> Int64s:
    """The bytes of the batch in which each unit of a chunk stands, int64[units, 2]; none where that cannot be told.

    It can be told if the text has as many characters of unspaced scripts as the normal form: they are in the same order.
    """
    first, stop = np.searchsorted(units.chunks, [chunk, chunk + 1])
    start = int(units.found.starts[chunk]) + units.base
    size = int(units.vocabulary.records[units.found.numbers[chunk], TEXT_BYTES])
    at, spans = start, []
    for character in units.buffer[start : start + size].tobytes().decode():
        width = len(character.encode())
        if is_unit(character):
            spans.append((at, at + width))
        at += width
    narrow = np.flatnonzero(units.narrow[first:stop])
    if len(narrow) != len(spans):
        return np.zeros((0, 2), np.int64)
    placed = np.zeros((stop - first, 2), np.int64)
    placed[narrow] = spans
    return placed


def is_unit(character: str) -> bool:
    """Whether a character of a text is a unit by itself in its normal form."""
    if not UNSPACED.match(character) or character in PUNCTUATION:
        return False
    return unicodedata.category(character) not in NO_UNIT
