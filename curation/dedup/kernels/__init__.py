"""Kernels of deduplication, compiled and kept as those of the text engine are; see `curation/text/kernels/compiling.py`.

Each module has, beside its kernels, a function `warm_up()` that calls each of its entries once, on next to nothing but with
the types of real work: dtypes, dimensions, and which arrays are read-only. `corpusmill compile` calls them all, so a new
kernel is a new file here and nothing else.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

import numpy as np
import numpy.typing as npt


def modules() -> list[ModuleType]:
    """All modules of kernels in this folder, imported."""
    return [importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]


def warm_up() -> None:
    """Compiles every kernel of deduplication that is not kept yet, by using it once."""
    for module in modules():
        module.warm_up()


def read_only(array: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """A view that cannot be written to, as arrays over Arrow's buffers are: kernels are compiled for such anew."""
    view = array.view()
    view.flags.writeable = False
    return view
