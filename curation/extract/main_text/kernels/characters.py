"""Bytes: their classes, hashes of names in lower case, searches for a byte or a word, code points as UTF-8.

A name (of a tag, an attribute, an entity) is known by the FNV-1a hash of its bytes (Fowler, Noll and Vo), looked up in an open
hash table: two arrays, keys uint64 and values int32, as long as a power of two, -1 where a slot is free.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from numba import types
from numba.extending import intrinsic

from curation.text.kernels.compiling import Bytes, Int32s, UInt64s, inlined, kernel
from curation.text.kernels.primitives import load8

U = np.uint64
TAB, LINE_FEED, BLANK, BANG, QUOTE, AMPERSAND, APOSTROPHE = 9, 10, 32, 33, 34, 38, 39
COMMA, HYPHEN, STOP, SLASH, ZERO, NINE, COLON, SEMICOLON = 44, 45, 46, 47, 48, 57, 58, 59
LESS, EQUALS, GREATER, QUESTION, AT_SIGN, UPPER_A, UPPER_Z, BAR = 60, 61, 62, 63, 64, 65, 90, 124
NUMBER_SIGN, DOLLAR, LOWER_X, BRACE, END_BRACE = 35, 36, 120, 123, 125
CASE = 32  # the bit by which ASCII letters of either case differ

OTHER, LOWER, UPPER, DIGIT, BEYOND_ASCII = range(5)
CLASS = np.zeros(256, np.uint8)  # of each byte
CLASS[ord("a") : ord("z") + 1], CLASS[ord("A") : ord("Z") + 1] = LOWER, UPPER
CLASS[ord("0") : ord("9") + 1], CLASS[128:] = DIGIT, BEYOND_ASCII
IS_SPACE = np.zeros(256, np.uint8)  # HTML's ASCII white space
IS_SPACE[list(b" \t\n\r\f")] = 1

HASH_START, HASH_FACTOR = U(0xCBF29CE484222325), U(0x100000001B3)
_LOW_BITS, _HIGH_BITS = U(0x0101010101010101), U(0x8080808080808080)


def name_hash(name: str) -> int:
    """The hash of a name, as `hash_lower` has it."""
    value = int(HASH_START)
    for byte in name.encode():
        value = ((value ^ byte) * int(HASH_FACTOR)) & 0xFFFFFFFFFFFFFFFF
    return value


def hash_table(names: Iterable[tuple[str, int]], bits: int) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int32]]:
    """An open table of 2 to the power of `bits` slots: keys and values."""
    mask = (1 << bits) - 1
    keys, values = np.zeros(mask + 1, np.uint64), np.full(mask + 1, -1, np.int32)
    for name, value in names:
        key = name_hash(name)
        slot = (key ^ (key >> 29)) & mask
        while values[slot] >= 0 and int(keys[slot]) != key:
            slot = (slot + 1) & mask
        keys[slot], values[slot] = key, value
    return keys, values


@inlined
def looked_up(keys: UInt64s, values: Int32s, key: np.uint64) -> int:
    """The value of a key, -1 if the table has none."""
    mask = keys.shape[0] - 1
    slot = np.int64((key ^ (key >> U(29))) & U(mask))
    while values[slot] >= 0 and keys[slot] != key:
        slot = (slot + 1) & mask
    return np.int64(values[slot])


@inlined
def mixed(value: np.uint64) -> np.uint64:
    """The value with its bits spread (a round of MurmurHash3's finaliser)."""
    value ^= value >> U(33)
    value *= U(0xFF51AFD7ED558CCD)
    value ^= value >> U(33)
    return value


@inlined
def lower(byte: int) -> int:
    """An ASCII letter in lower case, any other byte unchanged."""
    return byte | CASE if UPPER_A <= byte <= UPPER_Z else byte


@inlined
def is_letter(byte: int) -> bool:
    return CLASS[byte] == LOWER or CLASS[byte] == UPPER


@kernel
def hash_lower(buffer: Bytes, start: int, stop: int) -> np.uint64:
    """The hash of a range, its ASCII letters in lower case."""
    value = HASH_START
    for place in range(start, stop):
        value = (value ^ U(lower(buffer[place]))) * HASH_FACTOR
    return value


@kernel
def holds(buffer: Bytes, start: int, stop: int, word: Bytes) -> bool:
    """Whether a range holds a word that is given in lower case."""
    size = word.shape[0]
    place = start
    while place + size <= stop:
        matched = 0
        while matched < size and lower(buffer[place + matched]) == word[matched]:
            matched += 1
        if matched == size:
            return True
        place += 1
    return False


@intrinsic
def trailing_zeros(_context, _word):  # type: ignore[no-untyped-def]
    """How many low bits of a word are zero."""

    def generate(context, builder, _signature, arguments):  # type: ignore[no-untyped-def]
        return builder.cttz(arguments[0], context.get_constant(types.boolean, False))

    return types.uint64(types.uint64), generate


@kernel
def find(buffer: Bytes, start: int, stop: int, byte: int) -> int:
    """Where a byte next stands in a range, its end if it does not. Eight bytes at a time."""
    sought = _LOW_BITS * U(byte)
    place = start
    while place + 8 <= stop:
        differing = load8(buffer, place) ^ sought
        found = (differing - _LOW_BITS) & ~differing & _HIGH_BITS
        if found != U(0):
            return place + np.int64(trailing_zeros(found) >> U(3))
        place += 8
    while place < stop and buffer[place] != byte:
        place += 1
    return place


@kernel
def put_code_point(code: int, text: Bytes, end: int) -> int:
    """Appends a code point as UTF-8; gives the new end."""
    if code < 0x80:
        text[end] = code
        return end + 1
    if code < 0x800:
        text[end] = 0xC0 | (code >> 6)
        text[end + 1] = 0x80 | (code & 63)
        return end + 2
    if code < 0x10000:
        text[end] = 0xE0 | (code >> 12)
        text[end + 1] = 0x80 | ((code >> 6) & 63)
        text[end + 2] = 0x80 | (code & 63)
        return end + 3
    text[end] = 0xF0 | (code >> 18)
    text[end + 1] = 0x80 | ((code >> 12) & 63)
    text[end + 2] = 0x80 | ((code >> 6) & 63)
    text[end + 3] = 0x80 | (code & 63)
    return end + 4
