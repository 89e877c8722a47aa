"""Distinct numbers in order: by a sort, which for whole numbers is several times faster than numpy's `unique`."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def distinct(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The numbers, ascending, each once."""
    ordered = np.sort(values)
    return ordered[first_of_equal(ordered)]


def distinct_with_places(values: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    """The numbers, ascending, each once, and where among those each value stands."""
    if (values[1:] >= values[:-1]).all():
        first = first_of_equal(values)
        return values[first], np.cumsum(first) - 1
    once = distinct(values)
    return once, np.searchsorted(once, values)


def first_of_equal(ordered: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Of ascending numbers those that differ from the one before."""
    first = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return first
