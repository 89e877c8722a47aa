"""What a measure is: a function of one text to one number, with what a reader of the ledger has to know about it."""

from __future__ import annotations

import functools
import importlib
import math
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from connectors.errors import UserError, nearest
from curation.text.segmentation import Text

SHIPPED = "curation.quality.measures"
Function = Callable[[Text], float | None]


@dataclass(frozen=True)
class Measure:
    """A number that describes a text. Called with a `Text`, it gives the number, or None where it is undefined.

    name      what recipes and the ledger call it
    unit      of the number: "words", "characters", "share" (a part of a whole), "ratio", …
    range     the least and the greatest value that it can take
    source    paper, or file of the implementation whose meaning it has
    catches   an example of the text that a threshold on it removes
    """

    name: str
    unit: str
    range: tuple[float, float]
    source: str
    catches: str
    function: Function

    def __call__(self, text: Text) -> float | None:
        return self.function(text)

    def __reduce__(self) -> tuple[Callable[[str], Measure], tuple[str]]:
        """Travels to other processes by name."""
        module = self.function.__module__
        return resolve, (self.name if module.startswith(SHIPPED + ".") else f"{module}:{self.name}",)


def measure(
    *, unit: str, source: str, catches: str, range: tuple[float, float] = (0.0, math.inf), name: str = ""
) -> Callable[[Function], Measure]:
    """Makes a function a measure. Its name is the function's, unless one of a family is given its own."""
    return lambda function: Measure(
        name=name or function.__name__, unit=unit, range=range, source=source, catches=catches, function=function
    )


@functools.cache
def shipped() -> dict[str, Measure]:
    """All measures of the modules in `curation/quality/measures/`, by name, in alphabetical order."""
    found: dict[str, Measure] = {}
    for module in pkgutil.iter_modules(importlib.import_module(SHIPPED).__path__):
        for each in _of_module(f"{SHIPPED}.{module.name}"):
            assert found.get(each.name, each) is each, f"two measures are called {each.name}"
            found[each.name] = each
    return dict(sorted(found.items()))


def _of_module(name: str) -> Iterator[Measure]:
    """The measures that a module defines: its names, and the members of its tuples (families made in a loop)."""
    for value in vars(importlib.import_module(name)).values():
        members = value if isinstance(value, tuple) else (value,)
        yield from (each for each in members if isinstance(each, Measure))


def resolve(name: str) -> Measure:
    """The shipped measure of that name, or the user's own by dotted path, `package.module:function`.

    The function may be a `Measure` or plain. Raises `UserError` where there is none.
    """
    if ":" not in name:
        if name not in shipped():
            raise UserError(f"There is no measure '{name}'.{nearest(name, shipped())}")
        return shipped()[name]
    module_name, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError, ValueError):
        raise UserError(
            f"The measure '{name}' cannot be imported. Write 'package.module:function' and put the package on the path."
        ) from None
    if isinstance(found, Measure):
        return found
    if not callable(found):
        raise UserError(f"'{name}' is no measure: it is not a function. Name a function of one text to one number.")
    return Measure(attribute, "", (-math.inf, math.inf), name, "", found)
