"""Kernels of texts that are text already; those of pages stand in `main_text/kernels`.

- `utf8`  whether texts are valid UTF-8
"""

from __future__ import annotations

from types import ModuleType

from curation.extract.kernels import utf8


def modules() -> list[ModuleType]:
    """All modules of kernels in this folder, imported."""
    return [utf8]


def warm_up() -> None:
    """Compiles every kernel of this folder that is not kept yet, by using it once."""
    utf8.warm_up()
