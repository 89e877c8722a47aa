"""Byte-level BPE: a pre-token's bytes become tokens, the pair of the least rank first, of equals the leftmost.

All pairs stand in one hash table, with their rank and the token that they become. Sources: Sennrich et al. 2016;
github.com/huggingface/tokenizers, `models/bpe/word.rs`, which merges in this order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from curation.text.kernels.compiling import Bytes, Int32s, UInt64s, entry, inlined, kernel
from curation.text.kernels.primitives import ALL_ONES, MIX_0, MIX_1, fold

U = np.uint64
LONGEST = 1 << 16  # bytes of a pre-token
SHORT = 48  # symbols that are all looked through for each merge; where there are more, pairs are queued

_KEY, _VALUE = range(2)
_HALF, _LOW_HALF = U(32), U(0xFFFFFFFF)
_NONE = ALL_ONES


class Merges(NamedTuple):
    """pairs  uint64[a power of two, 2]: left << 32 | right, rank << 32 | token; open addressing, all ones where a slot is free
    bytes  int32[256]: the token of each byte
    """

    pairs: UInt64s
    bytes: Int32s


class Room(NamedTuple):
    """What a pre-token in the making needs.

    symbols  int32: first its bytes' tokens; at the end its tokens, from the first place on
    values   uint64: what the table says of each symbol and the one behind it
    before, behind  int32: the places of the symbols beside it, where pairs are queued
    queue    uint64: rank << 32 | place; a heap, the least on top
    """

    symbols: Int32s
    values: UInt64s
    before: Int32s
    behind: Int32s
    queue: UInt64s


def new_room() -> Room:
    """Room for a pre-token of `LONGEST` bytes: 2.9 MB, of which ordinary text touches the first pages."""
    return Room(
        symbols=np.empty(LONGEST, np.int32),
        values=np.empty(LONGEST, np.uint64),
        before=np.empty(LONGEST, np.int32),
        behind=np.empty(LONGEST, np.int32),
        queue=np.empty(3 * LONGEST, np.uint64),
    )


@inlined
def value_of(pairs: UInt64s, left: int, right: int) -> np.uint64:
    """Rank and token of a pair; `_NONE` where it is never merged."""
    key = U(left) << _HALF | U(right)
    mask = pairs.shape[0] - 1
    slot = np.int64(fold(key ^ MIX_0, MIX_1)) & mask
    while pairs[slot, _KEY] != key and pairs[slot, _KEY] != _NONE:
        slot = (slot + 1) & mask
    return pairs[slot, _VALUE]


@entry
def put_pairs(pairs: UInt64s, keys: UInt64s, values: UInt64s) -> None:
    """Fills a table of pairs, which is all ones. Of a pair that comes twice the later value counts."""
    mask = pairs.shape[0] - 1
    for place in range(len(keys)):
        slot = np.int64(fold(keys[place] ^ MIX_0, MIX_1)) & mask
        while pairs[slot, _KEY] != _NONE and pairs[slot, _KEY] != keys[place]:
            slot = (slot + 1) & mask
        pairs[slot, _KEY], pairs[slot, _VALUE] = keys[place], values[place]


@kernel
def merged(merges: Merges, room: Room, text: Bytes, at: int, size: int) -> int:
    """Makes the tokens of a pre-token of 1 to `LONGEST` bytes. They begin `room.symbols`; gives their number."""
    symbols, values, pairs = room.symbols, room.values, merges.pairs
    symbols[0] = merges.bytes[text[at]]
    for place in range(1, size):
        symbols[place] = merges.bytes[text[at + place]]
        values[place - 1] = value_of(pairs, symbols[place - 1], symbols[place])
    values[size - 1] = _NONE
    return merged_by_looking(pairs, symbols, values, size) if size <= SHORT else merged_by_queue(pairs, room, size)


@kernel
def merged_by_looking(pairs: UInt64s, symbols: Int32s, values: UInt64s, count: int) -> int:
    """Merges a few symbols; those behind move up."""
    while True:
        least, found = _NONE, 0
        for place in range(count - 1):
            if values[place] < least:
                least, found = values[place], place
        if least == _NONE:
            return count
        symbols[found] = np.int64(least & _LOW_HALF)
        count -= 1
        for place in range(found + 1, count):
            symbols[place], values[place] = symbols[place + 1], values[place + 1]
        values[found] = value_of(pairs, symbols[found], symbols[found + 1]) if found + 1 < count else _NONE
        if found > 0:
            values[found - 1] = value_of(pairs, symbols[found - 1], symbols[found])


@kernel
def merged_by_queue(pairs: UInt64s, room: Room, size: int) -> int:
    """Merges many symbols, which stay in their places until the end. What is queued may be out of date by its turn."""
    symbols, values, before, behind, queue = room.symbols, room.values, room.before, room.behind, room.queue
    queued = 0
    for place in range(size):
        before[place], behind[place] = place - 1, place + 1
        queued = pushed(queue, queued, values[place], place)
    while queued > 0:
        top = queue[0]
        queued = popped(queue, queued)
        place = np.int64(top & _LOW_HALF)
        if (values[place] ^ top) >> _HALF != U(0):
            continue
        symbols[place] = np.int64(values[place] & _LOW_HALF)
        gone, first = np.int64(behind[place]), np.int64(before[place])
        after = np.int64(behind[gone])
        behind[place] = after
        values[gone] = values[place] = _NONE
        if after < size:
            before[after] = place
            values[place] = value_of(pairs, symbols[place], symbols[after])
            queued = pushed(queue, queued, values[place], place)
        if first >= 0:
            values[first] = value_of(pairs, symbols[first], symbols[place])
            queued = pushed(queue, queued, values[first], first)
    count = place = 0
    while place < size:
        symbols[count] = symbols[place]
        count += 1
        place = np.int64(behind[place])
    return count


@kernel
def pushed(queue: UInt64s, queued: int, value: np.uint64, place: int) -> int:
    """Queues the pair at a place, if it is one that is merged. Gives how many are queued."""
    if value == _NONE:
        return queued
    key, at = value & ~_LOW_HALF | U(place), queued
    while at > 0 and queue[(at - 1) >> 1] > key:
        queue[at] = queue[(at - 1) >> 1]
        at = (at - 1) >> 1
    queue[at] = key
    return queued + 1


@kernel
def popped(queue: UInt64s, queued: int) -> int:
    """Takes the top away. Gives how many are left."""
    left = queued - 1
    key, at = queue[left], 0
    while 2 * at + 1 < left:
        child = 2 * at + 1
        if child + 1 < left and queue[child + 1] < queue[child]:
            child += 1
        if key <= queue[child]:
            break
        queue[at] = queue[child]
        at = child
    queue[at] = key
    return left


def warm_up() -> None:
    """Compiles what is called from Python; the merges are compiled into the kernels that encode."""
    put_pairs(np.full((16, 2), _NONE, np.uint64), np.zeros(1, np.uint64), np.zeros(1, np.uint64))
