"""Asking for memory before it is looked at or written to.

A processor fetches ahead by itself where memory is gone through in order, in some thirty places at once. A kernel that writes
to more, as one that sorts into partitions does, or that jumps, as one that compares pairs does, waits for each line of its cache;
one that asks in time does not.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from curation.text.kernels.compiling import inlined

LINE = 64  # bytes that a cache fetches at once

_READING, _WRITING, _KEEP, _DATA = 0, 1, 3, 1  # as LLVM's reference of `llvm.prefetch` has them


@intrinsic  # type: ignore[untyped-decorator]
def prefetch(_typing: Any, array: Any, place: Any) -> Any:
    """`prefetch(array, place)` in a kernel: array[place] will be written to soon. `place` may be outside of the array."""
    return types.void(array, place), partial(_generate, _WRITING)


@intrinsic  # type: ignore[untyped-decorator]
def prefetch_for_reading(_typing: Any, array: Any, place: Any) -> Any:
    """`prefetch`, where array[place] will only be looked at."""
    return types.void(array, place), partial(_generate, _READING)


@inlined
def prefetch_stretch(array, start, stop):  # type: ignore[no-untyped-def]
    """`prefetch_for_reading` of all places from `start` up to `stop`, counted as if the array were flat, without gaps."""
    for place in range(start, stop, LINE // array.itemsize):
        prefetch_for_reading(array, place)


def _generate(purpose: int, context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    first = make_array(signature.args[0])(context, builder, arguments[0]).data
    address = builder.bitcast(builder.gep(first, [arguments[1]]), ir.IntType(8).as_pointer())
    number = ir.IntType(32)
    kind = ir.FunctionType(ir.VoidType(), [address.type, number, number, number])
    function = builder.module.declare_intrinsic("llvm.prefetch", [address.type], kind)
    builder.call(function, [address, number(purpose), number(_KEEP), number(_DATA)])
    return context.get_dummy_value()


def warm_up() -> None:
    """Nothing here is compiled by itself."""
