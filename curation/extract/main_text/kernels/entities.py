"""Character references: `&amp;`, `&#233;`, `&#xE9;`, with or without their semicolon where HTML allows it.

Names are those of the HTML standard, from Python's `html.entities`. Numbers from 128 to 159 are windows-1252, no-break spaces are
spaces, and characters without width (soft hyphen, zero-width space, marks of direction, byte order mark) vanish.
"""

from __future__ import annotations

from html.entities import html5

import numpy as np

from curation.extract.main_text.kernels.characters import (
    AMPERSAND,
    BLANK,
    CLASS,
    DIGIT,
    HASH_FACTOR,
    HASH_START,
    LOWER,
    LOWER_X,
    NINE,
    NUMBER_SIGN,
    SEMICOLON,
    ZERO,
    U,
    hash_table,
    looked_up,
    put_code_point,
)
from curation.text.kernels.compiling import Bytes, kernel

MAX_NAME = 32  # bytes; the longest name of the standard has 31
MAX_DIGITS = 8
REPLACEMENT = 0xFFFD
NO_BREAK_SPACE = 0xA0
SOFT_HYPHEN, ZERO_WIDTH_SPACE, LEFT_TO_RIGHT, RIGHT_TO_LEFT, BYTE_ORDER_MARK = 0xAD, 0x200B, 0x200E, 0x200F, 0xFEFF
_READ_AS = {NO_BREAK_SPACE: " ", **dict.fromkeys((SOFT_HYPHEN, ZERO_WIDTH_SPACE, LEFT_TO_RIGHT, RIGHT_TO_LEFT), "")}

_CHARACTERS = {name.rstrip(";"): characters.translate(_READ_AS).encode() for name, characters in html5.items()}
_NAMES = sorted(_CHARACTERS)
_KEYS, _VALUES = hash_table([(name, number) for number, name in enumerate(_NAMES)], 13)
_SIZES = np.array([len(_CHARACTERS[name]) for name in _NAMES], np.uint8)
_BYTES = np.array([list(_CHARACTERS[name].ljust(8, b"\0")) for name in _NAMES], np.uint8)
_WITHOUT_SEMICOLON = np.array([name in html5 for name in _NAMES], np.uint8)
_WINDOWS_1252 = np.array(
    [ord(bytes([128 + i]).decode("cp1252", "ignore") or chr(128 + i)) for i in range(32)], np.int32
)

# How much longer the characters of a reference can be than the reference: `&nGt;` has 5 bytes, its two characters 6.
GROWTH = max(len(value) / (len(name) + 1 + (name not in html5)) for name, value in _CHARACTERS.items())


@kernel
def read_reference(html: Bytes, start: int, text: Bytes, end: int) -> tuple[int, int]:
    """Reads the reference at an ampersand and appends its characters. Gives where each goes on; `start` if it is none."""
    if start + 1 < len(html) and html[start + 1] == NUMBER_SIGN:
        return _read_number(html, start, text, end)
    return _read_name(html, start, text, end)


@kernel
def _read_number(html: Bytes, start: int, text: Bytes, end: int) -> tuple[int, int]:
    at, code, digits = start + 2, 0, 0
    if at < len(html) and (html[at] | 32) == LOWER_X:
        at += 1
        while at < len(html) and digits < MAX_DIGITS:
            byte = html[at]
            if ZERO <= byte <= NINE:
                code = code * 16 + byte - ZERO
            elif 97 <= (byte | 32) <= 102:
                code = code * 16 + (byte | 32) - 87
            else:
                break
            at += 1
            digits += 1
    else:
        while at < len(html) and digits < MAX_DIGITS and ZERO <= html[at] <= NINE:
            code = code * 10 + html[at] - ZERO
            at += 1
            digits += 1
    if digits == 0:
        return start, end
    if at < len(html) and html[at] == SEMICOLON:
        at += 1
    if 128 <= code < 160:
        code = np.int64(_WINDOWS_1252[code - 128])
    if code == 0 or code > 0x10FFFF or 0xD800 <= code < 0xE000:
        code = REPLACEMENT
    if code == NO_BREAK_SPACE or code < BLANK:
        code = BLANK
    is_mark = code == LEFT_TO_RIGHT or code == RIGHT_TO_LEFT or code == BYTE_ORDER_MARK
    if is_mark or code == SOFT_HYPHEN or code == ZERO_WIDTH_SPACE:
        return at, end
    return at, put_code_point(code, text, end)


@kernel
def _read_name(html: Bytes, start: int, text: Bytes, end: int) -> tuple[int, int]:
    at, key, number = start + 1, HASH_START, -1
    following, longest = start, -1  # behind the longest beginning that needs no semicolon, and its number
    while at < len(html) and at - start <= MAX_NAME and LOWER <= CLASS[html[at]] <= DIGIT:
        key = (key ^ U(html[at])) * HASH_FACTOR
        at += 1
        number = looked_up(_KEYS, _VALUES, key)
        if number >= 0 and _WITHOUT_SEMICOLON[number] != 0:
            following, longest = at, number
    if number >= 0 and at < len(html) and html[at] == SEMICOLON:
        at += 1
    elif longest >= 0:
        at, number = following, longest
    else:
        return start, end
    size = np.int64(_SIZES[number])
    for place in range(size):
        text[end + place] = _BYTES[number, place]
    return at, end + size


assert AMPERSAND == ord("&") and max(map(len, _NAMES)) < MAX_NAME
