"""Byte-level BPE: a pre-token's bytes become tokens, the pair of the least rank first, of equals the leftmost.

All pairs stand in one hash table, with their rank and the token that they become. Sources: Sennrich et al. 2016;
github.com/huggingface/tokenizers, `models/bpe/word.rs`, which merges in this order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from curation.text.kernels.compiling import Bytes, Int32s, UInt64s, entry, inlined, kernel
from curation.text.kernels.primitives import ALL_ONES, MIX_0, MIX_1, fold

U = np.uint64
LONGEST = 1 << 16  # bytes of a pre-token
SHORT = 48  # symbols that are all looked through for each merge; where there are more, pairs are queued
MOST = 1 << 24  # tokens, and merges

_KEY, _VALUE = range(2)
_BUCKET, _STRIDE = 4, 8  # slots that are compared at once, and values
_HALF = U(32)
_RANK, _PLACE, _PLACES, _TOKEN = U(40), U(24), U(0xFFFF), U(MOST - 1)  # the parts of a value
_NONE = ALL_ONES


class Merges(NamedTuple):
    """What merges make of pairs, as values: rank << 40 | token, and between them room for a place in a text.

    pairs   uint64[a power of two, 2]: left << 32 | right, and the value; all ones where a slot is free. Buckets of four slots
            fill a cache line; what finds one full stands in the next
    firsts  uint64[256 * 256]: the values of pairs of bytes
    bytes   int32[256]: the token of each byte
    """

    pairs: UInt64s
    firsts: UInt64s
    bytes: Int32s


class Room(NamedTuple):
    """What a pre-token in the making needs.

    symbols  int32: first its bytes' tokens; at the end its tokens, from the first place on
    values   uint64: of each symbol and the one behind it, with its place; `_NONE` where there is no merge
    before, behind  int32: the places of the symbols beside it
    queue    uint64: values; a heap, the least on top
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
        values=np.empty(LONGEST + _STRIDE, np.uint64),
        before=np.empty(LONGEST, np.int32),
        behind=np.empty(LONGEST, np.int32),
        queue=np.empty(3 * LONGEST, np.uint64),
    )


def new_merges(triples: npt.NDArray[np.uint64], tokens: Int32s) -> Merges:
    """Merges by rank, each as left, right and what becomes of them, and the token of each byte. Fewer than `MOST`."""
    pairs = np.full((max(16, 1 << (2 * len(triples)).bit_length()), 2), 2**64 - 1, np.uint64)
    merges = Merges(pairs, np.empty(256 * 256, np.uint64), tokens)
    ranks = np.arange(len(triples), dtype=np.uint64)
    put_pairs(merges, triples[:, 0] << _HALF | triples[:, 1], ranks << _RANK | triples[:, 2])
    return merges


@inlined
def value_of(pairs: UInt64s, left: int, right: int) -> np.uint64:
    """The value of a pair; `_NONE` where it is never merged. Nothing is jumped over: what a pair becomes cannot be foreseen."""
    key = U(left) << _HALF | U(right)
    mask = pairs.shape[0] - _BUCKET
    at = np.int64(fold(key ^ MIX_0, MIX_1)) & mask
    while True:
        last = pairs[at + 3, _KEY]
        value = (
            (pairs[at, _VALUE] | (U(0) if pairs[at, _KEY] == key else _NONE))
            & (pairs[at + 1, _VALUE] | (U(0) if pairs[at + 1, _KEY] == key else _NONE))
            & (pairs[at + 2, _VALUE] | (U(0) if pairs[at + 2, _KEY] == key else _NONE))
            & (pairs[at + 3, _VALUE] | (U(0) if last == key else _NONE))
        )
        if (value != _NONE) | (last == _NONE):
            return value
        at = (at + _BUCKET) & mask


@entry
def put_pairs(merges: Merges, keys: UInt64s, values: UInt64s) -> None:
    """Fills the tables, of which `pairs` is all ones. Of a pair that comes twice the later value counts."""
    pairs, firsts, tokens = merges
    mask = pairs.shape[0] - 1
    for place in range(len(keys)):
        slot = np.int64(fold(keys[place] ^ MIX_0, MIX_1)) & (mask - (_BUCKET - 1))
        while pairs[slot, _KEY] != _NONE and pairs[slot, _KEY] != keys[place]:
            slot = (slot + 1) & mask
        pairs[slot, _KEY], pairs[slot, _VALUE] = keys[place], values[place]
    for left in range(256):
        for right in range(256):
            firsts[left << 8 | right] = value_of(pairs, tokens[left], tokens[right])


@kernel
def merged(merges: Merges, room: Room, text: Bytes, at: int, size: int) -> int:
    """Makes the tokens of a pre-token of 1 to `LONGEST` bytes. They begin `room.symbols`; gives their number."""
    symbols, values, behind = room.symbols, room.values, room.behind
    for place in range(size):
        symbols[place] = merges.bytes[text[at + place]]
        room.before[place], behind[place] = place - 1, place + 1
    for place in range(size - 1):
        pair = np.int64(text[at + place]) << 8 | np.int64(text[at + place + 1])
        values[place] = merges.firsts[pair] | U(place) << _PLACE
    for place in range(size - 1, size + _STRIDE):
        values[place] = _NONE
    if size <= SHORT:
        merge_by_looking(merges.pairs, room, size)
    else:
        merge_by_queue(merges.pairs, room, size)
    count = place = 0
    while place < size:
        symbols[count] = symbols[place]
        count += 1
        place = np.int64(behind[place])
    return count


@inlined
def place_of(value: np.uint64) -> int:
    """Where the pair of a value stands."""
    return np.int64(value >> _PLACE & _PLACES)


@inlined
def merge(pairs: UInt64s, room: Room, size: int, value: np.uint64) -> None:
    """Puts a pair's token in the place of its left symbol. The right one is gone; pairs on both sides have new values."""
    symbols, values, before, behind = room.symbols, room.values, room.before, room.behind
    place = place_of(value)
    symbols[place] = np.int64(value & _TOKEN)
    gone, first = np.int64(behind[place]), np.int64(before[place])
    after = np.int64(behind[gone])
    behind[place] = after
    values[gone] = values[place] = _NONE
    if after < size:
        before[after] = place
        values[place] = value_of(pairs, symbols[place], symbols[after]) | U(place) << _PLACE
    if first >= 0:
        values[first] = value_of(pairs, symbols[first], symbols[place]) | U(first) << _PLACE


@kernel
def merge_by_looking(pairs: UInt64s, room: Room, size: int) -> None:
    """Merges a few symbols: the least of all values is next."""
    values = room.values
    while True:
        least = _NONE
        for first in range(0, size, _STRIDE):
            for place in range(first, first + _STRIDE):
                least = min(least, values[place])
        if least == _NONE:
            return
        merge(pairs, room, size, least)


@kernel
def merge_by_queue(pairs: UInt64s, room: Room, size: int) -> None:
    """Merges many symbols. What is queued may be out of date by its turn."""
    values, queue, queued = room.values, room.queue, 0
    for place in range(size):
        queued = pushed(queue, queued, values[place])
    while queued > 0:
        top = queue[0]
        queued = popped(queue, queued)
        place = place_of(top)
        if values[place] == top:
            merge(pairs, room, size, top)
            first = np.int64(room.before[place])
            queued = pushed(queue, queued, values[place])
            if first >= 0:
                queued = pushed(queue, queued, values[first])


@kernel
def pushed(queue: UInt64s, queued: int, value: np.uint64) -> int:
    """Queues a value, if it is one of a merge. Gives how many are queued."""
    if value == _NONE:
        return queued
    at = queued
    while at > 0 and queue[(at - 1) >> 1] > value:
        queue[at] = queue[(at - 1) >> 1]
        at = (at - 1) >> 1
    queue[at] = value
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
    new_merges(np.zeros((1, 3), np.uint64), np.zeros(256, np.int32))
