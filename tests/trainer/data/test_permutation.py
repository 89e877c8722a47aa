"""The keyed permutation: a bijection with an inverse, of the same values on every machine, and without a pattern."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.data.permutation import Permutation, key
from trainer.prove.obvious_plan import obvious_permutation

KEYS = st.integers(0, 2**64 - 1)


@settings(deadline=None, max_examples=60)
@given(size=st.integers(1, 700), permutation_key=KEYS)
def test_equals_its_definition_in_plain_integers(size: int, permutation_key: int) -> None:
    permutation, obvious = Permutation(size, permutation_key), obvious_permutation(size, permutation_key)
    assert permutation(range(size)).tolist() == obvious
    assert sorted(obvious) == list(range(size))
    assert permutation.inverse(obvious).tolist() == list(range(size))


@settings(deadline=None, max_examples=60)
@given(size=st.integers(1, 2**60), permutation_key=KEYS, data=st.data())
def test_the_inverse_undoes_it_at_any_size(size: int, permutation_key: int, data: st.DataObject) -> None:
    indices = data.draw(st.lists(st.integers(0, size - 1), max_size=20))
    permutation = Permutation(size, permutation_key)
    assert permutation.inverse(permutation(indices)).tolist() == indices
    assert permutation(permutation.inverse(indices)).tolist() == indices


def test_values_that_may_never_change() -> None:
    """A changed value would silently give every resumed run other data."""
    assert key(42, "fineweb", 3, 1) == 13585385018473182038
    assert Permutation(10, 12345)(range(10)).tolist() == [7, 5, 9, 0, 4, 8, 3, 6, 2, 1]
    far = Permutation(10**12, key("x"))([0, 1, 10**12 - 1])
    assert far.tolist() == [110611764522, 61518050474, 458066642289]


def test_the_orders_of_five_items_are_uniform() -> None:
    """6,000 keys over 120 orders: chi-square by its degrees of freedom has mean 1, standard deviation 0.13."""
    orders = Counter(tuple(Permutation(5, key(number))(range(5)).tolist()) for number in range(6_000))
    assert len(orders) == 120
    assert sum((count - 50) ** 2 / 50 for count in orders.values()) / 119 < 1.5


@pytest.mark.parametrize("size", [2**20, 2**20 + 1, 10**6])
def test_neighbours_go_to_unrelated_places(size: int) -> None:
    """Also the lowest bits, which an affine round would leave in step."""
    order = Permutation(size, 7)(range(100_000)).astype(np.float64)
    assert abs(np.corrcoef(order[1:], order[:-1])[0, 1]) < 0.015
    for bit in range(3):
        parity = (order.astype(np.int64) >> bit) & 1
        assert abs(np.corrcoef(parity[1:], parity[:-1])[0, 1]) < 0.015


def test_keys_tell_parts_and_their_order_apart() -> None:
    keys = [key(1, "a", 2), key(2, "a", 1), key(1, "a2"), key(12, "a"), key("1a", 2), key(1, "a", 2, 0)]
    assert len(set(keys)) == len(keys)


def test_what_is_outside_is_refused() -> None:
    with pytest.raises(ValueError):
        Permutation(0, 1)
    for index in (-1, 5):
        with pytest.raises(IndexError):
            Permutation(5, 1)([index])
        with pytest.raises(IndexError):
            Permutation(5, 1).inverse([index])
