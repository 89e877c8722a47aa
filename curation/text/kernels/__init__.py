"""Kernels over UTF-8 buffers: compiled functions on flat arrays, no Python object for a document. See docs/kernels.md.

In the order in which a text meets them:

- `compiling`      how they are compiled and kept;  `primitives`: loads, hashes, comparisons
- `segmenting`     documents into chunks, with `whitespace`;  `vocabulary`: the table of distinct chunks and tokens
- `chunks`         what is known of a chunk: it is cut by `cutting`, with `affixes` and `urls`; `triggers` are C4's phrases
- `words`          sums over a document's chunks;  `lines`: lines and sentences
- `repetition`     lines and paragraphs that come again;  `ngrams`: runs of tokens that do
- `rewriting`      texts made of lines
- `normal_forms`   normal forms of chunks and hashes of shingles;  `minhash`: signatures
- `matching`       which rows of an earlier batch a later one has kept
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType


def modules() -> list[ModuleType]:
    """All modules of kernels in this folder, imported."""
    return [importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
