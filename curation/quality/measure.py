"""What a measure is: a function of one text to one number, with what a reader of the ledger has to know about it."""

from __future__ import annotations

import functools
import importlib
import math
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from connectors.errors import UserError, nearest
from curation.text.batch import TextBatch
from curation.text.columns import batch_of
from curation.text.segmentation import Span, Text

SHIPPED = "curation.quality.measures"
Floats = npt.NDArray[np.float64]
Function = Callable[[Text], float | None]
BatchFunction = Callable[[TextBatch], Floats]
Evidence = Callable[[Text], Sequence[Span]]


@dataclass(frozen=True)
class Measure:
    """A number that describes a text, given for a whole batch by `values`, or for one `Text` by a call.

    name      what recipes and the ledger call it
    unit      of the number: "words", "characters", "share" (a part of a whole), "ratio", …
    range     the least and the greatest value that it can take
    source    paper, or file of the implementation whose meaning it has
    catches   an example of the text that a threshold on it removes
    function  one of the two kinds: of one text (None: undefined), or of a batch (NaN: undefined)
    evidence  where in a text stands what the measure counts, for a person to look at
    """

    name: str
    unit: str
    range: tuple[float, float]
    source: str
    catches: str
    function: Function | BatchFunction
    of_batch: bool = False
    evidence: Evidence | None = None

    def __call__(self, text: Text) -> float | None:
        if not self.of_batch:
            return cast(Function, self.function)(text)
        value = float(cast(BatchFunction, self.function)(batch_of([text.string]))[0])
        return None if math.isnan(value) else value

    def values(self, batch: TextBatch) -> Floats:
        """The measure of each text, float64[texts], NaN where it is undefined."""
        if self.of_batch:
            return cast(BatchFunction, self.function)(batch)
        one = cast(Function, self.function)
        numbers = [one(Text(batch.string(row))) for row in range(len(batch))]
        return np.array([math.nan if number is None else number for number in numbers], np.float64)

    def __reduce__(self) -> tuple[Callable[[str], Measure], tuple[str]]:
        """Travels to other processes by name."""
        module = self.function.__module__
        return resolve, (self.name if module.startswith(SHIPPED + ".") else f"{module}:{self.name}",)


def measure(
    *,
    unit: str,
    source: str,
    catches: str,
    range: tuple[float, float] = (0.0, math.inf),
    name: str = "",
    evidence: Evidence | None = None,
    of_batch: bool = False,
) -> Callable[[Callable[..., Any]], Measure]:
    """Makes a function of one text a measure. Its name is the function's, unless one of a family is given its own."""
    return lambda function: Measure(
        name or function.__name__, unit, range, source, catches, function, of_batch=of_batch, evidence=evidence
    )


batch_measure = functools.partial(measure, of_batch=True)
"""Makes a function of a batch, which counts by kernels, a measure: a thousand times the speed of one of one text."""


def quotient(part: npt.NDArray[np.int64], whole: npt.NDArray[np.int64]) -> Floats:
    """Part by whole for each text, NaN where the whole is 0."""
    result = np.full(len(whole), math.nan)
    np.divide(part, whole, out=result, where=whole != 0)
    return result


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
