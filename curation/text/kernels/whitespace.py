"""White space and line ends in UTF-8, as `str.isspace` and `str.splitlines` know them."""

from __future__ import annotations

import numpy as np

from curation.text.kernels.compiling import Bytes, kernel

# Kinds of bytes: 0 of a word, 1 ASCII white space, 2 may begin white space of several bytes
WORD_BYTE, SPACE_BYTE, PERHAPS_SPACE = range(3)
BYTE_KINDS = np.zeros(256, np.uint8)
BYTE_KINDS[[9, 10, 11, 12, 13, 28, 29, 30, 31, 32]] = SPACE_BYTE
BYTE_KINDS[[0xC2, 0xE1, 0xE2, 0xE3]] = PERHAPS_SPACE


@kernel
def wide_space_bytes(buffer: Bytes, at: int) -> int:
    """Bytes of the white space beyond ASCII at `at`, 0 if it is none."""
    lead, second, third = buffer[at], buffer[at + 1], buffer[at + 2]
    if lead == 0xC2:
        return 2 if second == 0x85 or second == 0xA0 else 0
    if lead == 0xE2:
        if second == 0x80:
            return 3 if third <= 0x8A or third == 0xA8 or third == 0xA9 or third == 0xAF else 0
        return 3 if second == 0x81 and third == 0x9F else 0
    if lead == 0xE3:
        return 3 if second == 0x80 and third == 0x80 else 0
    if lead == 0xE1:
        return 3 if second == 0x9A and third == 0x80 else 0
    return 0


@kernel
def line_end_bytes(buffer: Bytes, at: int, stop: int) -> int:
    r"""Bytes of the line end at `at`, 0 if it is none; `\r\n` is one, unless `stop` lies inside."""
    byte = buffer[at]
    if byte == 10 or byte == 11 or byte == 12 or (28 <= byte <= 30):
        return 1
    if byte == 13:
        return 2 if at + 1 < stop and buffer[at + 1] == 10 else 1
    if byte == 0xC2 and buffer[at + 1] == 0x85:
        return 2
    if byte == 0xE2 and buffer[at + 1] == 0x80 and (buffer[at + 2] == 0xA8 or buffer[at + 2] == 0xA9):
        return 3
    return 0
