"""Kernels of the engine `fast`: from a page's bytes to scored blocks, on flat arrays, no Python object for a node.

In the order in which a page meets them:

- `characters`    classes of bytes, hashes of names, searches;  `entities`: character references
- `tags`          what each element is: a block, raw text, void; the flags that its descendants inherit
- `page`          the arrays of a parsed page, and their columns
- `parsing`       bytes into elements and blocks: `reading` (text), `attributes`, `metadata`, `skipping`, `nesting`
- `measuring`     what is known of each block, as arrays: `statistics` of its text, `structure` of the tree, `linear` scores
- `features`      the row of numbers by which a block is judged;  `page_numbers`, `block_numbers`, `ancestry`, `surroundings`
                  fill it, in `rows`
- `trees`         boosted trees over rows;  `context`: what the second stage knows of the first one's scores;  `arithmetic`
- `choosing`      which blocks make the text;  `repeats`: which of them say again what others say
- `deciding`      all of that for one page
- `reader_comments`  comments left out, where that is asked for
- `assembling`    the chosen blocks as plain text
- `markdown`      … or as Markdown, with `roles` of elements, `inline_markup`, `escaping`, `code_spans`, `addresses` of links;
                  `writing` is the room for it

Python calls `parsing.parse`, `deciding.decide` and `assembling.write_text`; where a recipe asks for it, `markdown.write_markdown`
and `reader_comments.leave_out_comments`, each compiled alone. See `curation/text/kernels/compiling.py` for how they are kept.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

OPTIONAL = ("markdown", "reader_comments")  # modules with an entry that few recipes need


def modules() -> list[ModuleType]:
    """The modules of kernels in this folder that every page needs, imported."""
    names = [module.name for module in pkgutil.iter_modules(__path__) if module.name not in OPTIONAL]
    return [importlib.import_module(f"{__name__}.{name}") for name in names]


def warm_up() -> None:
    """Compiles every kernel of the extraction that is not kept yet, by extracting one page."""
    from curation.extract.fast_engine import main_text  # which is built from these kernels

    main_text(b"<p>One page.</p>")
