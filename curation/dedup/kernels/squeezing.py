"""White space squeezed: what makes two texts the same to exact deduplication."""

from __future__ import annotations

import numpy as np

from curation.text.kernels.compiling import Bytes, Int64s, entry
from curation.text.kernels.primitives import load8, store8
from curation.text.kernels.vectors import WIDTH, bytes_up_to, trailing_zeros
from curation.text.kernels.vocabulary import PADDING
from curation.text.kernels.whitespace import BYTE_KINDS, SPACE_BYTE, WORD_BYTE, wide_space_bytes

_BLANK = 32
BLANK = np.uint8(_BLANK)


@entry
def squeeze(buffer: Bytes, bounds: Int64s, squeezed: Bytes, squeezed_bounds: Int64s) -> None:
    """Copies texts with each run of white space as one blank, none at either end.

    squeezed  as long as the buffer, which has PADDING readable bytes behind the texts
    """
    place = 0
    for text in range(len(bounds) - 1):
        at, stop = bounds[text], bounds[text + 1]
        begin, waiting = place, False
        while at < stop:
            kind = BYTE_KINDS[buffer[at]]
            width = 0
            if kind == SPACE_BYTE:
                width = 1
            elif kind != WORD_BYTE:
                width = wide_space_bytes(buffer, at)
            if width:
                waiting = place > begin
                at += width
                continue
            if waiting:
                squeezed[place] = BLANK
                place += 1
                waiting = False
            squeezed[place] = buffer[at]
            place, at = place + 1, at + 1
            marks = bytes_up_to(buffer, at, _BLANK)  # white space, or no ASCII: looked at one by one
            plain = min(trailing_zeros(marks) if marks else WIDTH, stop - at)
            for offset in range(0, plain, 8):
                store8(squeezed, place + offset, load8(buffer, at + offset))
            place, at = place + plain, at + plain
        squeezed_bounds[text + 1] = place


def warm_up() -> None:
    """Compiles the kernel of this file."""
    buffer = np.zeros(8 + PADDING, np.uint8)
    buffer.flags.writeable = False
    squeeze(buffer, np.array([0, 1]), np.empty(len(buffer), np.uint8), np.zeros(2, np.int64))
