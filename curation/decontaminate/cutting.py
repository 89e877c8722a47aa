"""What overlaps with evaluation items cut out of a text, with some text around it.

Source: Brown et al. 2020 (GPT-3), appendix C. The pieces that are left stay one document, with an empty line between them; a cut is
widened to the nearest white space, where there is some near.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from curation.text.kernels.compiling import Int64s

WIDENED = 40  # characters that a cut is widened by at most, so as not to leave half a word
SEAM = "\n\n"


class Cut(NamedTuple):
    """The text that is left, and how many spans and characters were cut out. `pieces`: how many parts stood beside them."""

    text: str
    pieces: int
    spans: int
    characters: int


def cut_spans(text: str, starts: Int64s, stops: Int64s, window: int, min_piece: int) -> Cut:
    """The text without spans of characters and `window` characters on either side, nor pieces below `min_piece`."""
    wide = _merged(text, np.maximum(starts - window, 0), np.minimum(stops + window, len(text)))
    edges = [0, *(edge for span in wide for edge in span), len(text)]
    pieces = [text[start:stop].strip() for start, stop in zip(edges[::2], edges[1::2], strict=True)]
    pieces = [piece for piece in pieces if piece]
    left = SEAM.join(piece for piece in pieces if len(piece) >= min_piece)
    return Cut(left, len(pieces), len(wide), len(text) - len(left))


def characters_at(content: bytes, places: Int64s) -> Int64s:
    """Places in bytes of UTF-8 as places in characters."""
    begins = (np.frombuffer(content, np.uint8) & 0xC0) != 0x80
    return np.concatenate([[0], np.cumsum(begins)])[places]


def _merged(text: str, starts: Int64s, stops: Int64s) -> list[tuple[int, int]]:
    """The spans at white space, in order, those that meet as one."""
    merged: list[tuple[int, int]] = []
    order = np.argsort(starts, kind="stable")
    for start, stop in zip(starts[order].tolist(), stops[order].tolist(), strict=True):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], stop))
        else:
            merged.append((start, stop))
    wide: list[tuple[int, int]] = []
    for start, stop in merged:
        start, stop = _left(text, start), _right(text, stop)
        if wide and start <= wide[-1][1]:
            wide[-1] = (wide[-1][0], max(wide[-1][1], stop))
        else:
            wide.append((start, stop))
    return wide


def _left(text: str, start: int) -> int:
    """Where the word that `start` lies in begins, `start` itself if it has no beginning near."""
    for place in range(start, max(start - WIDENED, 0), -1):
        if text[place - 1].isspace():
            return place
    return 0 if start <= WIDENED else start


def _right(text: str, stop: int) -> int:
    for place in range(stop, min(stop + WIDENED, len(text))):
        if text[place].isspace():
            return place
    return len(text) if stop + WIDENED >= len(text) else stop
