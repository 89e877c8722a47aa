"""Filter steps by name, or by dotted path for the user's own: `package.module:name`. (Measures: `quality.measure.resolve`.)"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from functools import cache
from typing import Any

import curation.quality
from connectors.errors import UserError, nearest


def find_step(name: str) -> type[Any]:
    """The class of the filter step of that name, or the one at a dotted path. Raises `UserError` for neither."""
    if ":" in name:
        found = by_path(name)
        if not (isinstance(found, type) and "__call__" in vars(found)):
            raise UserError(f"{name} is not a step: it must be a class whose objects take and give a document batch")
        return found
    steps = shipped_steps()
    if name not in steps:
        raise UserError(
            f"Unknown filter step '{name}'.{nearest(name, steps)} A list of rules under a name of your own is a filter, too."
        )
    return steps[name]


def by_path(path: str) -> Any:
    """The object at `package.module:name`. Raises `UserError` where there is none."""
    module, _, name = path.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, ValueError) as error:
        raise UserError(f"Cannot import {module} for '{path}': {error}. Is its folder on PYTHONPATH?") from None
    except AttributeError:
        raise UserError(f"{module} has no '{name}' (from '{path}')") from None


def module_file(path: str) -> str:
    """The source file of the module that a dotted path names."""
    found = importlib.util.find_spec(path.partition(":")[0])
    return found.origin or "" if found else ""


@cache
def shipped_steps() -> dict[str, type[Any]]:
    """The filter steps in `curation/quality`: every class there that has a `name` and can be called on a batch."""
    steps: dict[str, type[Any]] = {}
    for module in pkgutil.iter_modules(curation.quality.__path__):
        loaded = importlib.import_module(f"curation.quality.{module.name}")
        for value in vars(loaded).values():
            if isinstance(value, type) and value.__module__ == loaded.__name__ and "__call__" in vars(value):
                name = vars(value).get("name")
                if isinstance(name, str):
                    steps[name] = value
    return steps
