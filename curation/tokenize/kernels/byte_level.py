"""From texts to the tokens of byte-level BPE: cut, look up, and merge what was not met before.

Pre-tokens that were met stand in a hash table with their tokens, half a cache line each: one of up to 16 bytes whole, and its
tokens if it has one or two. The bytes of longer ones, and tokens where there are more, stand apart. Where room is short those
are forgotten that were met once. Slots are fetched into the cache some time before they are looked at: pre-tokens go by groups.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from curation.text.kernels.compiling import Bytes, Int32s, Int64s, UInt64s, entry, inlined, kernel
from curation.text.kernels.primitives import key_hash, key_of, same_bytes
from curation.text.kernels.vectors import trailing_zeros
from curation.tokenize.kernels.byte_pairs import LONGEST, Merges, Room, merged, new_merges, new_room
from curation.tokenize.kernels.encoding import PROVEN, in_one_state
from curation.tokenize.kernels.pre_token_marks import Marks, mark_starts, new_marks

U = np.uint64
PADDING = 64  # readable bytes behind every buffer
KEPT = 1024  # bytes of a pre-token that is kept
GROUP = 64

_LOW, _HIGH, _FACTS, _FIRST_TWO = range(4)  # columns of the table
_SIZE, _IS_LONG, _COUNT_AT, _COUNT = U(0xFFFF), U(0x10000), U(17), U(0x7FF)  # and of its facts
_IS_MET_AGAIN = U(1 << 28)
_HALF, _LOW_HALF = U(32), U(0xFFFFFFFF)
_TOKENS, _TEXT = 4, 4  # for each slot: tokens, and bytes, that stand apart

PRE_TOKENS_USED, TEXT_USED, TOKENS_USED, PART = range(4)  # places of `used`
TOO_LONG, NOT_PROVEN = -1, -2  # in place of a number of tokens


class Known(NamedTuple):
    """table   uint64[a power of two, 4]: two words of the pre-token; its bytes, whether more stands apart, how many tokens,
            whether it was met again, and where in `tokens`; its first two tokens. Open addressing
    tokens  int32: of a pre-token with more than 16 bytes or two tokens, where it begins in `text`, and its tokens
    text    uint8: pre-tokens of more than 16 bytes
    used    int64[4]: pre-tokens, and where `text` and `tokens` are free; these two have two parts, of which one is used
    """

    table: UInt64s
    tokens: Int32s
    text: Bytes
    used: Int64s


class Group(NamedTuple):
    """Some pre-tokens that follow each other: their words, where they belong in the table, and where they end."""

    low: UInt64s
    high: UInt64s
    slots: Int64s
    ends: Int64s


def new_known(slots: int) -> Known:
    """Room for three pre-tokens in four slots, which are a power of two: 72 bytes a slot."""
    return Known(
        table=at_cache_lines(slots),
        tokens=np.zeros(2 * (_TOKENS * slots + KEPT + PADDING), np.int32),
        text=np.zeros(2 * (_TEXT * slots + KEPT + PADDING), np.uint8),
        used=np.zeros(4, np.int64),
    )


def at_cache_lines(slots: int) -> UInt64s:
    """An empty table of which no slot lies in two cache lines. Large ones get large pages, as numpy asks for them."""
    words = np.empty(4 * slots + 8, np.uint64)
    words.fill(0)
    skipped = -words.ctypes.data // 8 % 8
    return words[skipped : skipped + 4 * slots].reshape(slots, 4)


def new_group() -> Group:
    """Room for a group."""
    low, high = (np.empty(GROUP, np.uint64) for _ in range(2))
    slots, ends = (np.empty(GROUP, np.int64) for _ in range(2))
    return Group(low, high, slots, ends)


@intrinsic  # type: ignore[untyped-decorator]
def fetch(_context: Any, table: Any, _slot: Any) -> Any:
    """Begins to load a slot of a table into the cache, and does not wait."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        place = builder.gep(data, [builder.mul(arguments[1], ir.Constant(ir.IntType(64), 4))])
        number, pointer = ir.IntType(32), ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        to_read, keep, data_cache = number(0), number(3), number(1)
        builder.call(function, [builder.bitcast(place, pointer), to_read, keep, data_cache])
        return context.get_dummy_value()

    return types.void(table, types.intp), generate


@inlined
def slot_of(known: Known, buffer: Bytes, at: int, size: int, low: np.uint64, high: np.uint64, slot: int) -> int:
    """The slot of a pre-token, or the free one for it, from the slot on where it belongs."""
    mask = known.table.shape[0] - 1
    while True:
        row = known.table[slot]
        facts = row[_FACTS]
        if facts == U(0):
            break
        if row[_LOW] == low and row[_HIGH] == high and facts & _SIZE == U(size):
            if size <= 16 or same_bytes(known.text, np.int64(known.tokens[np.int64(facts >> _HALF)]), buffer, at, size):
                break
        slot = (slot + 1) & mask
    return slot


@kernel
def keep(
    known: Known, symbols: Int32s, count: int, buffer: Bytes, at: int, size: int, low: np.uint64, high: np.uint64,
    slot: int,
) -> None:  # fmt: skip
    """Puts a pre-token with its tokens into a free slot."""
    used, first = known.used, known.used[TOKENS_USED]
    row = known.table[slot]
    row[_LOW], row[_HIGH] = low, high
    row[_FACTS] = U(size) | U(count) << _COUNT_AT
    row[_FIRST_TWO] = U(symbols[0]) | (U(symbols[1]) << _HALF if count > 1 else U(0))
    if size > 16 or count > 2:
        row[_FACTS] |= _IS_LONG | U(first) << _HALF
        put_apart(known, symbols, 0, count, buffer, at, size)
    used[PRE_TOKENS_USED] += 1


@inlined
def put_apart(known: Known, symbols: Int32s, first: int, count: int, buffer: Bytes, at: int, size: int) -> None:
    """Puts tokens, from a place on, and the bytes of a pre-token of more than 16 behind all others that stand apart."""
    used, put = known.used, known.used[TOKENS_USED]
    known.tokens[put] = used[TEXT_USED]
    for place in range(count):
        known.tokens[put + 1 + place] = symbols[first + place]
    used[TOKENS_USED] = put + 1 + count
    if size > 16:
        for place in range(size):
            known.text[used[TEXT_USED] + place] = buffer[at + place]
        used[TEXT_USED] += size


@kernel
def has_room(known: Known) -> bool:
    """Whether one pre-token more is sure to find room."""
    used, after = known.used, known.used[PART] + 1
    return bool(
        4 * used[PRE_TOKENS_USED] < 3 * known.table.shape[0]
        and used[TOKENS_USED] + KEPT + 1 <= after * (len(known.tokens) >> 1)
        and used[TEXT_USED] + KEPT + PADDING <= after * (len(known.text) >> 1)
    )


@kernel
def make_room(known: Known) -> None:
    """Forgets the pre-tokens that were not met again since they came or this was last done; all, where that is too few.

    What stays moves, cluster by cluster from a free slot on, to the first free slot from where it belongs, and what stands
    apart to the other part.
    """
    table, used, part = known.table, known.used, 1 - known.used[PART]
    slots, start = table.shape[0], 0
    while table[start, _FACTS] != U(0):
        start += 1
    used[PRE_TOKENS_USED], used[PART] = 0, part
    used[TOKENS_USED], used[TEXT_USED] = part * (len(known.tokens) >> 1), part * (len(known.text) >> 1)
    for step in range(slots):
        old = table[(start + step) & (slots - 1)]
        low, high, facts, two = old[_LOW], old[_HIGH], old[_FACTS], old[_FIRST_TWO]
        old[_FACTS] = U(0)
        if facts & _IS_MET_AGAIN == U(0):
            continue
        size, count = np.int64(facts & _SIZE), np.int64(facts >> _COUNT_AT & _COUNT)
        if facts & _IS_LONG:
            first = np.int64(facts >> _HALF)
            facts = facts & _LOW_HALF | U(used[TOKENS_USED]) << _HALF
            put_apart(known, known.tokens, first + 1, count, known.text, np.int64(known.tokens[first]), size)
        slot = np.int64(key_hash(low, high, size)) & (slots - 1)
        while table[slot, _FACTS] != U(0):
            slot = (slot + 1) & (slots - 1)
        new = table[slot]
        new[_LOW], new[_HIGH], new[_FACTS], new[_FIRST_TWO] = low, high, facts & ~_IS_MET_AGAIN, two
        used[PRE_TOKENS_USED] += 1
    if 2 * used[PRE_TOKENS_USED] > slots or not has_room(known):
        for slot in range(slots):
            table[slot, _FACTS] = U(0)
        used[PRE_TOKENS_USED] = 0
        used[TOKENS_USED], used[TEXT_USED] = part * (len(known.tokens) >> 1), part * (len(known.text) >> 1)


@kernel
def put_tokens(
    merges: Merges, known: Known, room: Room, proven: Bytes, strict: bool, buffer: Bytes, at: int, size: int,
    low: np.uint64, high: np.uint64, belongs: int, tokens: Int32s, put: int,
) -> int:  # fmt: skip
    """Writes the tokens of any pre-token, and keeps those of one that is new. Gives their number, or why there are none."""
    slot = slot_of(known, buffer, at, size, low, high, belongs)
    facts = known.table[slot, _FACTS]
    if facts == U(0):
        if size > LONGEST:
            return TOO_LONG
        is_proven = in_one_state(buffer, at, at + size, proven, PROVEN)
        if strict and not is_proven:
            return NOT_PROVEN
        count = merged(merges, room, buffer, at, size)
        for place in range(count):
            tokens[put + place] = room.symbols[place]
        if size <= KEPT and is_proven:
            if not has_room(known):
                make_room(known)
                slot = slot_of(known, buffer, at, size, low, high, belongs)
            keep(known, room.symbols, count, buffer, at, size, low, high, slot)
        return count
    known.table[slot, _FACTS] = facts | _IS_MET_AGAIN
    count = np.int64(facts >> _COUNT_AT & _COUNT)
    if facts & _IS_LONG == U(0):
        two = known.table[slot, _FIRST_TWO]
        tokens[put], tokens[put + 1] = np.int64(two & _LOW_HALF), np.int64(two >> _HALF)
        return count
    first = np.int64(facts >> _HALF) + 1
    for place in range(count):
        tokens[put + place] = known.tokens[first + place]
    return count


@entry
def encode_texts(
    classes: Bytes, buffer: Bytes, bounds: Int64s, pattern: int, merges: Merges, known: Known, room: Room, marks: Marks,
    group: Group, proven: Bytes, strict: bool, tokens: Int32s, lengths: Int64s,
) -> int:  # fmt: skip
    """The tokens of texts end to end, and how many each has. Gives 0; `TOO_LONG` where a pre-token has more than `LONGEST`
    bytes, and, if it is to be strict, `NOT_PROVEN` where a text has a character that is not.

    buffer  uint8: the texts, valid UTF-8, `PADDING` bytes behind them
    marks   for the longest of them
    proven  uint8: the state of each code point. Pre-tokens of others than proven ones, and ASCII, are not kept, so that
            nothing needs to be looked up for those that are
    tokens  int32: as many as there are bytes, and one more
    """
    mask, put = known.table.shape[0] - 1, 0
    for document in range(len(bounds) - 1):
        start, stop, before = bounds[document], bounds[document + 1], put
        word, starts, end = 0, U(0), start
        if stop > start:
            mark_starts(classes, buffer, start, stop, pattern, marks)
            starts = marks.starts[0] & ~U(1)
        while end < stop:
            count, at = 0, end
            while count < GROUP and end < stop:
                first = end
                while starts == U(0):
                    word += 1
                    starts = marks.starts[word]
                end = start + 64 * word + trailing_zeros(starts)
                starts &= starts - U(1)
                low, high = key_of(buffer, first, end - first)
                slot = np.int64(key_hash(low, high, end - first)) & mask
                fetch(known.table, slot)
                group.low[count], group.high[count], group.slots[count], group.ends[count] = low, high, slot, end
                count += 1
            for place in range(count):
                low, high, slot = group.low[place], group.high[place], group.slots[place]
                size = group.ends[place] - at
                row = known.table[slot]
                facts = row[_FACTS]
                if row[_LOW] == low and row[_HIGH] == high and facts & (_SIZE | _IS_LONG) == U(size):
                    two = row[_FIRST_TWO]
                    tokens[put], tokens[put + 1] = np.int64(two & _LOW_HALF), np.int64(two >> _HALF)
                    put += np.int64(facts >> _COUNT_AT & _COUNT)
                    if facts & _IS_MET_AGAIN == U(0):
                        row[_FACTS] = facts | _IS_MET_AGAIN
                else:
                    found = put_tokens(
                        merges, known, room, proven, strict, buffer, at, size, low, high, slot, tokens, put
                    )
                    if found < 0:
                        return found
                    put += found
                at = group.ends[place]
        lengths[document] = put - before
    return 0


def warm_up() -> None:
    """Compiles the kernels of this file."""
    classes, text = np.zeros(256, np.uint8), np.frombuffer(b"a" + bytes(PADDING), np.uint8)
    classes.flags.writeable = False
    merges, known, room = new_merges(np.zeros((0, 3), np.uint64), np.zeros(256, np.int32)), new_known(16), new_room()
    tokens, lengths = np.zeros(2, np.int32), np.zeros(1, np.int64)
    encode_texts(
        classes, text, np.array([0, 1]), 0, merges, known, room, new_marks(1), new_group(), np.zeros(256, np.uint8), False,
        tokens, lengths,
    )  # fmt: skip
