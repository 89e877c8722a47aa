"""How kernels are compiled: once a machine, and again whenever one of their sources changes.

`kernel` marks a function that other kernels call; each caller compiles it anew into itself. `entry` marks one that Python
calls; it is compiled at its first call and kept on disk. Reference counting is off, so a kernel may allocate nothing: all
arrays, scratch included, come from its caller. In exchange a call costs nothing and arrays are borrowed. An index below zero
is outside of its array, as in C.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt
from numba.core import types
from numba.core.caching import IndexDataCacheFile
from numba.core.compiler import Compiler
from numba.np import arrayobj

Function = TypeVar("Function", bound=Callable[..., Any])

# Elements are Any: what an element is, and what comes of arithmetic on it, is the compiler's matter and not mypy's.
Bytes = npt.NDArray[Any]  # uint8
Int32s = npt.NDArray[Any]
Int64s = npt.NDArray[Any]
UInt64s = npt.NDArray[Any]

SOURCES = sorted([*Path(__file__).parent.glob("*.py"), Path(__file__).parents[1] / "english/layout.py"])  # of this room


@contextmanager
def indices_as_they_are() -> Iterator[None]:
    """Meanwhile numba counts no index below zero from the end of an array: four instructions less at each access.

    Where numba no longer has the function that does it, kernels are slower and as right.
    """
    shipped = getattr(arrayobj, "fix_integer_index", None)

    def cast_only(context: Any, builder: Any, index_type: Any, index: Any, _size: Any) -> Any:
        return context.cast(builder, index, index_type, types.intp if index_type.signed else types.uintp)

    if shipped is None:
        yield
        return
    arrayobj.fix_integer_index = cast_only
    try:
        yield
    finally:
        arrayobj.fix_integer_index = shipped


class KernelCompiler(Compiler):  # type: ignore[misc]
    """Compiles kernels alone so: numba holds its lock while it works, and nobody else's functions are compiled then."""

    def compile_extra(self, func: Any) -> Any:
        with indices_as_they_are():
            return super().compile_extra(func)


OPTIONS: dict[str, Any] = {"_nrt": False, "error_model": "numpy", "pipeline_class": KernelCompiler}


def kernel(function: Function) -> Function:
    """Compiles a function that kernels call."""
    return cast(Function, numba.njit(**OPTIONS)(function))


def inlined(function: Function) -> Function:
    """Compiles a short function that kernels call often: it is put into its callers before types are known."""
    return cast(Function, numba.njit(**OPTIONS, inline="always")(function))


def entry(function: Function) -> Function:
    """Compiles a function that Python calls, and keeps the machine code on disk.

    numba renews what it keeps when the file of the function itself changes, but not when a kernel that it calls does. So
    what is kept is stamped with a digest of the sources of all kernels that it may call: those of its own folder and the
    text engine's. Where no folder can be written, nothing is kept.
    """
    try:
        compiled = numba.njit(**OPTIONS, cache=True)(function)
    except RuntimeError:  # no place for what is compiled: neither beside the sources nor in the user's cache
        return kernel(function)
    kept = compiled._cache
    kept._cache_file = IndexDataCacheFile(
        cache_path=kept._cache_path,
        filename_base=kept._impl.filename_base,
        source_stamp=sources_digest(Path(function.__code__.co_filename).parent),
    )
    _kept.append((function.__module__, kept._cache_file))
    return cast(Function, compiled)


_kept: list[tuple[str, IndexDataCacheFile]] = []


def are_kept(modules: Container[str]) -> bool:
    """Whether machine code of all entries that are imported from these modules, of their sources as they are, is on disk."""
    return all(file._load_index() for module, file in _kept if module in modules)


@functools.cache
def sources_digest(folder: Path) -> str:
    """SHA-256 over the kernels of a folder, those of the text engine, and the layout of its tables."""
    digest = hashlib.sha256(np.__version__.encode())
    for path in sorted({*SOURCES, *folder.glob("*.py")}):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
