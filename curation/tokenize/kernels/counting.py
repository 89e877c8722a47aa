"""How often each distinct pre-token occurs: a hash table that is looked up once for each pre-token of a text.

A slot holds what tells a pre-token of up to 16 bytes exactly, and its count, in half a cache line; the bytes of longer ones are
compared. Kernels allocate nothing: where room is short they stop, say where, and go on when there is more.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from curation.text.kernels.compiling import Bytes, Int64s, UInt64s, entry, kernel
from curation.text.kernels.primitives import key_hash, key_of, same_bytes
from curation.tokenize.kernels.pre_tokens import pre_token_end

U = np.uint64
PADDING = 64  # readable bytes behind every buffer

# Columns of the table
_LOW, _HIGH, _NUMBER_AND_SIZE, _COUNT = range(4)
_HALF, _SIZE = U(32), U(0xFFFFFFFF)

# Places of `used`
PRE_TOKENS_USED, TEXT_USED, LONG_BYTES = range(3)

# Places of `place`
DOCUMENT, POSITION = range(2)


class Counter(NamedTuple):
    """table   uint64[a power of two, 4]: two words of the pre-token, (number + 1) << 32 | bytes, count; open addressing
    starts  int64[pre-tokens + 1]: where each begins in `text`
    text    uint8: the pre-tokens' bytes, in the order in which they were met
    used    int64[3]: distinct pre-tokens, bytes of `text`, bytes in pre-tokens that were too long to count
    """

    table: UInt64s
    starts: Int64s
    text: Bytes
    used: Int64s


@kernel
def add(counter: Counter, buffer: Bytes, at: int, size: int, times: int) -> bool:
    """Counts a pre-token so many times. False, and no change, where there is no room for one that is new."""
    low, high = key_of(buffer, at, size)
    mask = counter.table.shape[0] - 1
    slot = np.int64(key_hash(low, high, size)) & mask
    while True:
        found = counter.table[slot, _NUMBER_AND_SIZE]
        if found == U(0):
            break
        if counter.table[slot, _LOW] == low and counter.table[slot, _HIGH] == high and found & _SIZE == U(size):
            number = np.int64(found >> _HALF) - 1
            if size <= 16 or same_bytes(counter.text, counter.starts[number], buffer, at, size):
                counter.table[slot, _COUNT] += U(times)
                return True
        slot = (slot + 1) & mask
    number, start = counter.used[PRE_TOKENS_USED], counter.used[TEXT_USED]
    if number + 1 >= len(counter.starts) or start + size + PADDING > len(counter.text):
        return False
    for place in range(size):
        counter.text[start + place] = buffer[at + place]
    row = counter.table[slot]
    row[_LOW], row[_HIGH], row[_COUNT] = low, high, U(times)
    row[_NUMBER_AND_SIZE] = U(number + 1) << _HALF | U(size)
    counter.used[PRE_TOKENS_USED], counter.used[TEXT_USED] = number + 1, start + size
    counter.starts[number + 1] = start + size
    return True


@entry
def count_texts(
    classes: Bytes, buffer: Bytes, bounds: Int64s, times: Int64s, pattern: int, longest: int, counter: Counter,
    place: Int64s,
) -> bool:  # fmt: skip
    """Counts the pre-tokens of documents, each as often as `times` says. False where room is short: then go on from `place`.

    buffer    uint8: the texts, `PADDING` bytes behind them
    longest   bytes of a pre-token; longer ones are left out
    place     int64[2]: the document and the byte of `buffer` where counting begins, and where it stopped
    """
    document, at = place[DOCUMENT], place[POSITION]
    while document < len(bounds) - 1:
        stop = bounds[document + 1] if times[document] > 0 else at
        while at < stop:
            end = pre_token_end(classes, buffer, at, stop, pattern)
            if end - at > longest:
                counter.used[LONG_BYTES] += (end - at) * times[document]
            elif not add(counter, buffer, at, end - at, times[document]):
                place[DOCUMENT], place[POSITION] = document, at
                return False
            at = end
        document += 1
        at = bounds[document]
    return True


@entry
def count_counted(buffer: Bytes, bounds: Int64s, counts: Int64s, counter: Counter, place: Int64s) -> bool:
    """Adds pre-tokens with their counts. False where room is short: then go on from the pre-token `place[DOCUMENT]`."""
    for number in range(place[DOCUMENT], len(bounds) - 1):
        size = bounds[number + 1] - bounds[number]
        if not add(counter, buffer, bounds[number], size, counts[number]):
            place[DOCUMENT] = number
            return False
    return True


@entry
def fill_table(old: UInt64s, new: UInt64s) -> None:
    """Puts the slots of a table into a larger one, which is zero."""
    mask = new.shape[0] - 1
    for slot in range(old.shape[0]):
        row = old[slot]
        if row[_NUMBER_AND_SIZE] != U(0):
            size = np.int64(row[_NUMBER_AND_SIZE] & _SIZE)
            to = np.int64(key_hash(row[_LOW], row[_HIGH], size)) & mask
            while new[to, _NUMBER_AND_SIZE] != U(0):
                to = (to + 1) & mask
            for column in range(4):
                new[to, column] = row[column]


@entry
def read_table(table: UInt64s, counts: Int64s, hashes: UInt64s) -> None:
    """The count of each pre-token and a hash of its bytes, by number."""
    for slot in range(table.shape[0]):
        row = table[slot]
        if row[_NUMBER_AND_SIZE] != U(0):
            number = np.int64(row[_NUMBER_AND_SIZE] >> _HALF) - 1
            counts[number] = np.int64(row[_COUNT])
            hashes[number] = key_hash(row[_LOW], row[_HIGH], np.int64(row[_NUMBER_AND_SIZE] & _SIZE))


def new_counter(pre_tokens: int, text_bytes: int) -> Counter:
    """Room for so many distinct pre-tokens, a power of two, and their bytes."""
    return Counter(
        table=np.zeros((2 * pre_tokens, 4), np.uint64),
        starts=np.zeros(pre_tokens + 1, np.int64),
        text=np.zeros(text_bytes + PADDING, np.uint8),
        used=np.zeros(3, np.int64),
    )


def warm_up() -> None:
    """Compiles the kernels of this file."""
    counter, place = new_counter(16, 16), np.zeros(2, np.int64)
    text = np.frombuffer(b"a" + bytes(PADDING), np.uint8)
    bounds, one = np.array([0, 1]), np.ones(1, np.int64)
    classes = np.zeros(256, np.uint8)
    for array in (text, classes):
        array.flags.writeable = False
    count_texts(classes, text, bounds, one, 0, 16, counter, place)
    count_counted(text, bounds, one, counter, np.zeros(2, np.int64))
    fill_table(counter.table, np.zeros((64, 4), np.uint64))
    read_table(counter.table, np.zeros(1, np.int64), np.zeros(1, np.uint64))
