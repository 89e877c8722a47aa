"""What the kernels are made of: unaligned loads and stores of eight bytes, hashes of byte ranges, comparisons.

Wherever eight bytes are loaded at a time, the buffer must have eight readable bytes behind the range; batches are padded.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from curation.text.kernels.compiling import Bytes, Int32s, UInt64s, inlined, kernel

U = np.uint64
_WORD = ir.IntType(64)

# Odd constants with evenly spread bits, from wyhash and the golden ratio.
MIX_0, MIX_1, MIX_2 = U(0x9E3779B97F4A7C15), U(0xD6E8FEB86659FD93), U(0xA0761D6478BD642F)
ALL_ONES = U(0xFFFFFFFFFFFFFFFF)


@intrinsic  # type: ignore[untyped-decorator]
def load8(_context: Any, array: Any, _position: Any) -> Any:
    """Eight bytes of a uint8 array from `position` on, as a little-endian word."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        pointer = builder.bitcast(builder.gep(data, [arguments[1]]), _WORD.as_pointer())
        value = builder.load(pointer)
        value.align = 1
        return value

    return types.uint64(array, types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]
def store8(_context: Any, array: Any, _position: Any, _value: Any) -> Any:
    """Writes a word as eight bytes of a uint8 array from `position` on."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        pointer = builder.bitcast(builder.gep(data, [arguments[1]]), _WORD.as_pointer())
        stored = builder.store(arguments[2], pointer)
        stored.align = 1
        return context.get_dummy_value()

    return types.void(array, types.intp, types.uint64), generate


@intrinsic  # type: ignore[untyped-decorator]
def fold(_context: Any, _x: Any, _y: Any) -> Any:
    """High half xor low half of the 128-bit product of two words."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        wide = ir.IntType(128)
        product = builder.mul(builder.zext(arguments[0], wide), builder.zext(arguments[1], wide))
        high = builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), _WORD)
        return builder.xor(builder.trunc(product, _WORD), high)

    return types.uint64(types.uint64, types.uint64), generate


@inlined
def low_bytes(count: int) -> np.uint64:
    """A mask of the low `count` bytes, 1 to 8."""
    return ALL_ONES >> U(64 - 8 * count)


@inlined
def key_of(buffer: Bytes, start: int, size: int) -> tuple[np.uint64, np.uint64]:
    """Two words that tell a string of up to 16 bytes exactly; of a longer one a hash and its last eight bytes."""
    low = load8(buffer, start) & low_bytes(min(size, 8))
    high = load8(buffer, start + max(size - 8, 0))
    high = high if size > 8 else U(0)
    if size > 16:
        at = 8
        while at < size - 8:
            low = fold(low ^ MIX_0, load8(buffer, start + at) ^ MIX_1)
            at += 8
    return low, high


@inlined
def key_hash(low: np.uint64, high: np.uint64, size: int) -> np.uint64:
    """A hash of what `key_of` gives."""
    return fold(low ^ MIX_0 ^ U(size), high ^ MIX_1)


@kernel
def same_bytes(a: Bytes, a_start: int, b: Bytes, b_start: int, size: int) -> bool:
    """Whether two ranges of `size` bytes are equal."""
    at = 0
    while at + 8 <= size:
        if load8(a, a_start + at) != load8(b, b_start + at):
            return False
        at += 8
    if size >= 8:
        return bool(load8(a, a_start + size - 8) == load8(b, b_start + size - 8))
    while at < size:
        if a[a_start + at] != b[b_start + at]:
            return False
        at += 1
    return True


@kernel
def hash_range(buffer: Bytes, start: int, stop: int) -> np.uint64:
    """A 64-bit hash of a byte range."""
    if stop == start:
        return MIX_2
    value = MIX_2 ^ U(stop - start)
    at = start
    while at + 16 <= stop:
        value = fold(value ^ load8(buffer, at), MIX_1 ^ load8(buffer, at + 8))
        at += 16
    if at + 8 <= stop:
        value = fold(value ^ load8(buffer, at), MIX_1)
        at += 8
    if at < stop:
        value = fold(value ^ (load8(buffer, at) & low_bytes(stop - at)), MIX_0)
    return fold(value, MIX_2)


@kernel
def power_of_two(at_least: int) -> int:
    """The least power of two, 16 or more, that is not below a number."""
    power = 16
    while power < at_least:
        power *= 2
    return power


@kernel
def insert_range(
    table: Int32s, mask: int, buffer: Bytes, starts: Int32s, stops: Int32s, hashes: UInt64s, index: int
) -> bool:
    """Puts range `index` into a hash table of ranges; True, and no change, if one of the same bytes is there already.

    table   int32, mask + 1 slots: index of a range, or -1
    starts, stops, hashes   of each range, filled in for `index`
    """
    start, size, value = starts[index], stops[index] - starts[index], hashes[index]
    slot = np.int64(value) & mask
    while True:
        other = table[slot]
        if other < 0:
            table[slot] = index
            return False
        if (
            hashes[other] == value
            and stops[other] - starts[other] == size
            and same_bytes(buffer, starts[other], buffer, start, size)
        ):
            return True
        slot = (slot + 1) & mask
