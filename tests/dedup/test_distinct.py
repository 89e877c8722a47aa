"""Distinct numbers and where each stands, against numpy's `unique`."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.dedup.distinct import are_among, ascending, distinct, distinct_with_places, order_of

NUMBERS = st.integers(0, 2**64 - 1) | st.integers(0, 9) | st.integers(2**40, 2**40 + 99)


@given(st.lists(NUMBERS, max_size=80))
def test_each_once_and_where_each_stands(numbers: list[int]) -> None:
    values = np.array(numbers, np.uint64)
    once, places = np.unique(values, return_inverse=True)
    found, where = distinct_with_places(values)
    assert np.array_equal(found, once) and np.array_equal(where, places)
    assert np.array_equal(distinct(values), once)


@given(st.lists(NUMBERS, max_size=40), st.integers(0, 2**64 - 1))
def test_order_by_any_of_the_digits(numbers: list[int], told: int) -> None:
    """Of all bits only those of `told` differ, so that it is decided by some of the bytes, an even or odd number of them."""
    values = np.resize(np.array([0, *numbers], np.uint64) & np.uint64(told), 2000)
    given = values.copy()
    assert np.array_equal(ascending(values), np.sort(values)) and np.array_equal(values, given)


@given(st.lists(NUMBERS, max_size=40), st.lists(NUMBERS, max_size=40))
def test_which_are_among_others(values: list[int], others: list[int]) -> None:
    wanted = {*others, *values[::3]}
    found = are_among(np.array(values, np.uint64), np.array(sorted(wanted), np.uint64))
    assert found.tolist() == [value in wanted for value in values]


@given(st.lists(NUMBERS, max_size=40), st.booleans())
def test_order_leaves_equal_ones_as_they_come(values: list[int], in_order: bool) -> None:
    values = sorted(values) if in_order else values
    assert order_of(np.array(values, np.uint64)).tolist() == sorted(range(len(values)), key=values.__getitem__)


@pytest.mark.parametrize("spread", [1, 2**20, 2**50])
def test_many(spread: int) -> None:
    """Close together, apart, and some far from all others."""
    random = np.random.default_rng(spread)
    values = np.concatenate([random.integers(0, 5000, 20_000) * spread, [2**63]]).astype(np.uint64)
    random.shuffle(values)
    found, where = distinct_with_places(values)
    assert np.array_equal(found[where], values) and (np.diff(found.astype(np.float64)) > 0).all()
