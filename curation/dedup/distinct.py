"""Numbers in order, and each once: by a sort, which for whole numbers is many times faster than numpy's `unique`."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from curation.dedup.kernels.finding import find_places
from curation.dedup.kernels.sorting import VALUES, sort_by_digits

_PER_STRETCH = 4  # numbers, on average: what is searched for each value
_FEW = 1000  # numbers, which numpy sorts as soon


def ascending(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The numbers in order. Memory: two arrays like theirs."""
    if len(values) < _FEW:
        return np.sort(values)
    ordered, spare = values.copy(), np.empty_like(values)
    return spare if sort_by_digits(ordered, spare, np.empty(VALUES, np.int64)) else ordered


def distinct(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The numbers, ascending, each once."""
    ordered = ascending(values)
    return ordered[first_of_equal(ordered)]


def distinct_with_places(values: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """The numbers, ascending, each once, and where among those each value stands."""
    if (values[1:] >= values[:-1]).all():
        first = first_of_equal(values)
        return values[first], np.cumsum(first) - 1
    once, places = distinct(values), np.empty(len(values), np.int64)
    span = int(once[-1] - once[0])
    shift = min(63, max(0, span.bit_length() - (len(once) // _PER_STRETCH).bit_length()))  # of 64 bits no more can be
    find_places(once, values, shift, np.zeros((span >> shift) + 2, np.int64), places)
    return once, places


def order_of(values: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Ascending, those of equal ones as they come: by the sort that merges stretches which ascend already."""
    if (values[1:] >= values[:-1]).all():
        return np.arange(len(values))
    return np.argsort(values, kind="stable")


def first_of_equal(ordered: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Of ascending numbers those that differ from the one before."""
    first = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return first


def are_among(values: npt.NDArray[Any], ascending: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Which values are among numbers that ascend. Soonest done where the values ascend too."""
    if not len(ascending):
        return np.zeros(len(values), np.bool_)
    places = np.minimum(np.searchsorted(ascending, values), len(ascending) - 1)
    found: npt.NDArray[np.bool_] = ascending[places] == values
    return found
