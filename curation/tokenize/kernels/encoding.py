"""What is done with every byte of a text and every token of it, beside the encoding itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from curation.text.kernels.compiling import Bytes, Int64s, entry
from curation.text.kernels.primitives import load8

HIGH_BITS = np.uint64(0x8080808080808080)

Tokens = npt.NDArray[Any]  # int32, read-only
Room = npt.NDArray[Any]  # uint16 or int32


@entry
def are_all(text: Bytes, state: Bytes, wanted: int) -> bool:
    """Whether all characters of a UTF-8 text that are not ASCII are in one state. False for what is no UTF-8.

    state   uint8: of each code point
    """
    at, stop = 0, len(text)
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


def warm_up() -> None:
    """Compiles the kernels of this file."""
    text, ids = np.frombuffer(b"a", np.uint8), np.frombuffer(bytes(4), np.int32)
    are_all(text, np.zeros(256, np.uint8), 1)
    for kind in (np.uint16, np.int32):
        put_ends(ids, np.array([2]), 0, 9, np.empty(2, kind))
