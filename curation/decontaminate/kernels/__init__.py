"""Kernels of decontamination, compiled and kept as those of the text engine are; see `curation/text/kernels/compiling.py`.

- `units`   the words of a text's normal form as hashes, characters where a script sets no blanks between words
- `runs`    runs of units as hashes, and which of a batch's are in the index

Each module has a function `warm_up()` that calls each of its entries once, with the types of real work.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType


def modules() -> list[ModuleType]:
    """All modules of kernels in this folder, imported."""
    return [importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]


def warm_up() -> None:
    """Compiles every kernel of decontamination that is not kept yet, by using it once."""
    for module in modules():
        module.warm_up()
