"""Pairs of symbols while merges are learned: how often each occurs, and which is merged next.

A table holds the counts; a heap holds what was queued, with the count of that time. An entry whose count has changed since is
found out when it comes up, and goes back with the count of now.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from curation.text.kernels.compiling import Int32s, Int64s, UInt64s, entry, inlined, kernel
from curation.text.kernels.primitives import MIX_0, MIX_1, fold

U = np.uint64
_SYMBOL_BITS, _SYMBOL = U(32), U(0xFFFFFFFF)

# Columns of `pairs`; a key is left << 32 | right, plus one
_KEY, _PAIR_COUNT = range(2)

# Columns of `heap`
_COUNT, _PAIR, _FIRST, _SIZE = range(4)

# Places of `used`, int64[8]: how much of each is in use
TOKENS, MERGES, HEAP, PAIRS, PLACES, TOKEN_BYTES, LOGGED, TOUCHED = range(8)


class Queue(NamedTuple):
    """pairs    uint64[a power of two, 2]: key, count of each pair; open addressing
    heap     uint64[room, 4]: count, key, where its words begin in `places`, how many; the next to be merged on top
    places   int32: numbers of words
    """

    pairs: UInt64s
    heap: UInt64s
    places: Int32s


@inlined
def key_of_pair(left: int, right: int) -> np.uint64:
    """A pair as one word, never 0."""
    return (U(left) << _SYMBOL_BITS | U(right)) + U(1)


@kernel
def pair_slot(pairs: UInt64s, key: np.uint64) -> int:
    """The slot of a pair, or the empty one where it belongs."""
    mask = pairs.shape[0] - 1
    slot = np.int64(fold(key ^ MIX_0, MIX_1)) & mask
    while pairs[slot, _KEY] != key and pairs[slot, _KEY] != U(0):
        slot = (slot + 1) & mask
    return slot


@inlined
def left_of(key: np.uint64) -> int:
    """The left symbol of a pair."""
    return np.int64((key - U(1)) >> _SYMBOL_BITS)


@inlined
def right_of(key: np.uint64) -> int:
    """The right one."""
    return np.int64((key - U(1)) & _SYMBOL)


@kernel
def count_of_pair(pairs: UInt64s, key: np.uint64) -> int:
    """How often a pair occurs."""
    return np.int64(pairs[pair_slot(pairs, key), _PAIR_COUNT])


@kernel
def add_to_pair(pairs: UInt64s, used: Int64s, key: np.uint64, change: int) -> None:
    """Changes the count of a pair."""
    slot = pair_slot(pairs, key)
    if pairs[slot, _KEY] == U(0):
        pairs[slot, _KEY] = key
        used[PAIRS] += 1
    pairs[slot, _PAIR_COUNT] += U(change)


@inlined
def is_before(heap: UInt64s, one: int, other: int) -> bool:
    """Whether an entry is merged before another: more often, then the smaller pair, then the one queued first."""
    if heap[one, _COUNT] != heap[other, _COUNT]:
        return heap[one, _COUNT] > heap[other, _COUNT]
    if heap[one, _PAIR] != heap[other, _PAIR]:
        return heap[one, _PAIR] < heap[other, _PAIR]
    return heap[one, _FIRST] < heap[other, _FIRST]


@kernel
def exchange(heap: UInt64s, one: int, other: int) -> None:
    """Exchanges two entries."""
    for column in range(4):
        kept = heap[one, column]
        heap[one, column] = heap[other, column]
        heap[other, column] = kept


@kernel
def push(heap: UInt64s, used: Int64s, count: int, key: np.uint64, first: int, size: int) -> None:
    """Queues a pair."""
    at = used[HEAP]
    used[HEAP] = at + 1
    row = heap[at]
    row[_COUNT], row[_PAIR], row[_FIRST], row[_SIZE] = U(count), key, U(first), U(size)
    while at > 0 and is_before(heap, at, (at - 1) >> 1):
        exchange(heap, at, (at - 1) >> 1)
        at = (at - 1) >> 1


@kernel
def sink(heap: UInt64s, used: Int64s) -> None:
    """Brings the top entry to its place."""
    at, size = 0, used[HEAP]
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and is_before(heap, child + 1, child):
            child += 1
        if not is_before(heap, child, at):
            break
        exchange(heap, at, child)
        at = child


@kernel
def recount_top(queue: Queue, used: Int64s) -> bool:
    """Whether the top entry has the count of now; if not it gets it, and its new place."""
    count = U(count_of_pair(queue.pairs, queue.heap[0, _PAIR]))
    if count == queue.heap[0, _COUNT]:
        return True
    queue.heap[0, _COUNT] = count
    sink(queue.heap, used)
    return False


@kernel
def remove_top(queue: Queue, used: Int64s) -> tuple[np.uint64, int, int, int]:
    """Takes the top entry out: its pair, its count, where its words begin in `places`, and how many there are."""
    top = queue.heap[0]
    key, count, first, size = top[_PAIR], np.int64(top[_COUNT]), np.int64(top[_FIRST]), np.int64(top[_SIZE])
    used[HEAP] -= 1
    exchange(queue.heap, 0, used[HEAP])
    sink(queue.heap, used)
    return key, count, first, size


@entry
def fill_pairs(old: UInt64s, new: UInt64s) -> None:
    """Puts the pairs of a table into a larger one, which is zero."""
    for slot in range(old.shape[0]):
        if old[slot, _KEY] != U(0):
            to = pair_slot(new, old[slot, _KEY])
            new[to, _KEY], new[to, _PAIR_COUNT] = old[slot, _KEY], old[slot, _PAIR_COUNT]


def warm_up() -> None:
    """Compiles the entry of this file; all else is compiled into `merging`."""
    fill_pairs(np.zeros((2, 2), np.uint64), np.zeros((4, 2), np.uint64))
