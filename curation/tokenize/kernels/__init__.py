"""Kernels of vocabularies, compiled and kept as those of the text engine are; see `curation/text/kernels/compiling.py`.

- `pre_tokens`  where a split pattern cuts a text
- `counting`    how often each distinct pre-token occurs
- `pair_queue`  pairs of symbols, and which is merged next
- `pre_token_marks`  where all pre-tokens of a text begin, 64 bytes at a time
- `byte_pairs`  the merges of a pre-token
- `byte_level`  from texts to tokens, with a table of the pre-tokens that were met
- `encoding`    what is done with every byte and token beside the encoding
- `merging`     the merges of byte-level BPE, from counts of pre-tokens; `learning` is how it is called

The modules have a function `warm_up()` that calls each of their entries once, with the types of real work; `learning` does it for
`merging`.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType


def modules() -> list[ModuleType]:
    """All modules of kernels in this folder, imported."""
    return [importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]


def warm_up() -> None:
    """Compiles every kernel of vocabularies that is not kept yet, by using it once."""
    for module in modules():
        if module.__name__ != f"{__name__}.merging":
            module.warm_up()
