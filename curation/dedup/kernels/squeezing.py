"""White space squeezed: what makes two texts the same to exact deduplication."""

from __future__ import annotations

import numpy as np

from curation.text.kernels.compiling import Bytes, Int64s, entry
from curation.text.kernels.whitespace import BYTE_KINDS, SPACE_BYTE, WORD_BYTE, wide_space_bytes

BLANK = np.uint8(32)


@entry
def squeeze(buffer: Bytes, bounds: Int64s, squeezed: Bytes, squeezed_bounds: Int64s) -> None:
    """Copies texts with each run of white space as one blank, none at either end.

    squeezed  as long as the buffer
    """
    place = 0
    for text in range(len(bounds) - 1):
        at, stop = bounds[text], bounds[text + 1]
        begin, waiting = place, False
        while at < stop:
            byte = buffer[at]
            kind = BYTE_KINDS[byte]
            width = 0
            if kind == SPACE_BYTE:
                width = 1
            elif kind != WORD_BYTE:
                width = wide_space_bytes(buffer, at)
            if width:
                waiting = place > begin
                at += width
            else:
                if waiting:
                    squeezed[place] = BLANK
                    place += 1
                    waiting = False
                squeezed[place] = byte
                place += 1
                at += 1
        squeezed_bounds[text + 1] = place


def warm_up() -> None:
    """Compiles the kernel of this file."""
    buffer = np.zeros(8, np.uint8)
    buffer.flags.writeable = False
    squeeze(buffer, np.array([0, 1]), np.empty(8, np.uint8), np.zeros(2, np.int64))
