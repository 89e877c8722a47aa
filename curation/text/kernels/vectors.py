"""Sixty-four bytes at a time: which of them are so and so, as the bits of a word. One or two vector instructions where there are.

The buffer must have 64 readable bytes behind the range that is looked at; batches are padded.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from curation.text.kernels.compiling import Bytes, Int32s, kernel

U = np.uint64
WIDTH = 64
_BYTE, _WORD, _VECTOR = ir.IntType(8), ir.IntType(64), ir.VectorType(ir.IntType(8), WIDTH)
_ALL_ONES = U(0xFFFFFFFFFFFFFFFF)
_NEWLINE = 10
_BELOW_CONTINUATION = -65  # as signed bytes, those that continue a character are the least, -128 to -65


def _compared(comparison: str, context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """A word with a bit for each byte of an array from a position on that compares so with a number."""
    data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
    vector = builder.load(builder.bitcast(builder.gep(data, [arguments[1]]), _VECTOR.as_pointer()))
    vector.align = 1
    first = builder.insert_element(
        ir.Constant(_VECTOR, ir.Undefined), builder.trunc(arguments[2], _BYTE), ir.IntType(32)(0)
    )
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
    limits = builder.shuffle_vector(first, ir.Constant(_VECTOR, ir.Undefined), zeros)
    return builder.bitcast(builder.icmp_signed(comparison, vector, limits), _WORD)


@intrinsic  # type: ignore[untyped-decorator]
def bytes_up_to(_context: Any, array: Any, _position: Any, _limit: Any) -> Any:
    """Bit i: byte i from `position` on, as a signed number, is at most `limit`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _compared("<=", context, builder, signature, arguments)

    return types.uint64(array, types.intp, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def bytes_equal(_context: Any, array: Any, _position: Any, _value: Any) -> Any:
    """Bit i: byte i from `position` on is `value`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _compared("==", context, builder, signature, arguments)

    return types.uint64(array, types.intp, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def ones(_context: Any, _x: Any) -> Any:
    """How many bits of a word are set."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), generate


@intrinsic  # type: ignore[untyped-decorator]
def trailing_zeros(_context: Any, _x: Any) -> Any:
    """Zero bits below the lowest one of a word that is not 0."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), generate


@kernel
def count_characters(buffer: Bytes, start: int, stop: int) -> int:
    """Code points in a range of UTF-8."""
    count = stop - start
    for at in range(start, stop, WIDTH):
        continued = bytes_up_to(buffer, at, _BELOW_CONTINUATION)
        if at + WIDTH > stop:
            continued &= _ALL_ONES >> U(at + WIDTH - stop)
        count -= ones(continued)
    return count


@kernel
def find_newlines(buffer: Bytes, start: int, stop: int, newlines: Int32s) -> int:
    r"""The places of all `\n` in a range; gives their number."""
    count = 0
    for at in range(start, stop, WIDTH):
        found = bytes_equal(buffer, at, _NEWLINE)
        if at + WIDTH > stop:
            found &= _ALL_ONES >> U(at + WIDTH - stop)
        while found != U(0):
            newlines[count] = at + trailing_zeros(found)
            count += 1
            found &= found - U(1)
    return count
