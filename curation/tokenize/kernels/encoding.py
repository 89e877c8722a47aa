"""What is done with every byte of a text and every token of it, beside the encoding itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from curation.text.kernels.compiling import Bytes, Int64s, UInt64s, entry, kernel
from curation.text.kernels.primitives import MIX_0, MIX_1, MIX_2, fold, load8

HIGH_BITS = np.uint64(0x8080808080808080)
HASHED = 64  # bytes at either end of a text
PROVEN = 1  # the state of a character that two encoders are known to treat alike

Tokens = npt.NDArray[Any]  # int32, read-only
Room = npt.NDArray[Any]  # uint16 or int32


@entry
def are_all(text: Bytes, state: Bytes, wanted: int) -> bool:
    """Whether all characters of a UTF-8 text that are not ASCII are in one state. False for what is no UTF-8.

    state   uint8: of each code point
    """
    return in_one_state(text, 0, len(text), state, wanted)


@kernel
def in_one_state(text: Bytes, at: int, stop: int, state: Bytes, wanted: int) -> bool:
    """`are_all` of a part of a text."""
    while at < stop:
        while at + 8 <= stop and load8(text, at) & HIGH_BITS == np.uint64(0):
            at += 8
        if at == stop:
            return True
        first = np.int64(text[at])
        if first < 0x80:
            at += 1
            continue
        size = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
        if at + size > stop:
            return False
        code = first & (0x7F >> size)
        for place in range(at + 1, at + size):
            code = code << 6 | np.int64(text[place]) & 0x3F
        if code >= len(state) or state[code] != wanted:
            return False
        at += size
    return True


@entry
def hash_ends(text: Bytes, bounds: Int64s, hashes: UInt64s) -> None:
    """A hash of the first and last bytes of each text, and of its size."""
    for document in range(len(bounds) - 1):
        start, stop = bounds[document], bounds[document + 1]
        value = hash_words(text, start, min(start + HASHED, stop), MIX_2 ^ np.uint64(stop - start))
        hashes[document] = hash_words(text, max(start, stop - HASHED), stop, value)


@kernel
def hash_words(text: Bytes, at: int, stop: int, value: np.uint64) -> np.uint64:
    """The hash of what was before and of a range. Nothing behind it is read."""
    while at + 8 <= stop:
        value = fold(value ^ load8(text, at), MIX_1)
        at += 8
    last = np.uint64(0)
    while at < stop:
        last = last << np.uint64(8) | np.uint64(text[at])
        at += 1
    return fold(value ^ last, MIX_0)


@entry
def put_ends(ids: Tokens, lengths: Int64s, end: int, limit: int, room: Room) -> bool:
    """Fills `room` with the documents' tokens, each with its end behind it. False where a token is not in [0, limit].

    lengths   of the documents, their ends among them
    """
    taken = put = 0
    for length in lengths:
        for _ in range(length - 1):
            token = ids[taken]
            if token < 0 or token > limit:
                return False
            room[put] = token
            taken += 1
            put += 1
        room[put] = end
        put += 1
    return True


@entry
def copy_ranges(source: Bytes, starts: Int64s, sizes: Int64s, targets: Int64s, room: Bytes) -> None:
    """Copies ranges of bytes, each to a place of its own."""
    for number in range(len(starts)):
        start, target = starts[number], targets[number]
        for place in range(sizes[number]):
            room[target + place] = source[start + place]


def warm_up() -> None:
    """Compiles the kernels of this file."""
    text, ids = np.frombuffer(b"a", np.uint8), np.frombuffer(bytes(4), np.int32)
    are_all(text, np.zeros(256, np.uint8), 1)
    hash_ends(text, np.array([0, 1]), np.empty(1, np.uint64))
    copy_ranges(text, np.array([0]), np.array([1]), np.array([0]), np.empty(1, np.uint8))
    for kind in (np.uint16, np.int32):
        put_ends(ids, np.array([2]), 0, 9, np.empty(2, kind))
