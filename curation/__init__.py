"""The curation engine: from archives to shards, with an account of every document.

As a library: `apply(recipe, table)` runs a recipe's filters over an Arrow table or a pandas frame; `curate(...)` makes a
run. The rooms, lowest first: `run`, `text`, the steps (`extract`, `language`, `quality`, `dedup`, `redact`, `tokenize`) and
`sample`, then `engines` and `recipes`, `pipeline`, `audit`.
"""

from __future__ import annotations

from typing import Any

from curation.run.version import VERSION as __version__  # noqa: F401

__all__ = ["apply", "curate", "load_recipe"]


def __getattr__(name: str) -> Any:
    if name == "apply":
        from curation.pipeline.table import apply

        return apply
    if name == "curate":
        from curation.pipeline.curate import curate

        return curate
    if name == "load_recipe":
        from curation.recipes.load import load_recipe

        return load_recipe
    raise AttributeError(f"module 'curation' has no attribute '{name}'")
