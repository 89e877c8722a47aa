"""Asking for memory before it is written to.

A processor fetches ahead by itself where it is written to in order, in some thirty places at once. A kernel that writes to more,
as one that sorts into partitions does, waits for each line of its cache, three times as long in all as one that asks in time.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

_FOR_WRITING, _KEEP, _DATA = 1, 3, 1  # as LLVM's reference of `llvm.prefetch` has them


@intrinsic  # type: ignore[untyped-decorator]
def prefetch(_typing: Any, array: Any, place: Any) -> Any:
    """`prefetch(array, place)` in a kernel: array[place] will be written to soon. `place` may be outside of the array."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        first = make_array(signature.args[0])(context, builder, arguments[0]).data
        address = builder.bitcast(builder.gep(first, [arguments[1]]), ir.IntType(8).as_pointer())
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [address.type, number, number, number])
        function = builder.module.declare_intrinsic("llvm.prefetch", [address.type], kind)
        builder.call(function, [address, number(_FOR_WRITING), number(_KEEP), number(_DATA)])
        return context.get_dummy_value()

    return types.void(array, place), generate


def warm_up() -> None:
    """Nothing here is compiled by itself."""
