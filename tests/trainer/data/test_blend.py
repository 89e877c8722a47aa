"""The blend: draws in exact proportion at every point, in closed form both ways."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.data.blend import MOST_DRAWS, TOTAL, Blend, whole_weights
from trainer.prove.obvious_plan import Dealer

WEIGHTS = st.lists(st.floats(1e-9, 1e9), min_size=1, max_size=13)


@settings(deadline=None, max_examples=60)
@given(weights=WEIGHTS)
def test_equals_dealing_out_one_at_a_time(weights: list[float]) -> None:
    blend, dealer = Blend(weights), Dealer(whole_weights(weights))
    draws = 300
    dealt = [dealer.deal() for _ in range(draws)]
    assert [tuple(one) for one in zip(*(array.tolist() for array in blend.locate(range(draws))))] == dealt
    assert [blend.number(source, index) for source, index in dealt] == list(range(draws))
    for source in range(len(weights)):
        counts = [sum(of == source for of, _ in dealt[:stop]) for stop in (0, 1, 17, draws)]
        assert [blend.count(source, stop) for stop in (0, 1, 17, draws)] == counts


@settings(deadline=None, max_examples=60)
@given(weights=WEIGHTS, draw=st.integers(0, MOST_DRAWS - 1))
def test_any_draw_is_found_again(weights: list[float], draw: int) -> None:
    blend = Blend(weights)
    (source,), (index,) = blend.locate(draw)
    assert blend.number(int(source), int(index)) == draw
    assert blend.count(int(source), draw) == index
    assert sum(blend.count(one, draw) for one in range(len(weights))) == draw


@settings(deadline=None, max_examples=40)
@given(weights=WEIGHTS, stop=st.integers(1, 10**9))
def test_never_far_from_the_proportions(weights: list[float], stop: int) -> None:
    """Every level of the tree rounds by less than one draw, and there are at most four."""
    blend = Blend(weights)
    for source, weight in enumerate(blend.weights):
        assert abs(blend.count(source, stop) - stop * weight / TOTAL) < 4


@settings(deadline=None, max_examples=100)
@given(weights=WEIGHTS)
def test_whole_weights_are_the_nearest(weights: list[float]) -> None:
    whole = whole_weights(weights)
    assert sum(whole) == TOTAL and min(whole) >= 1
    for given_weight, one in zip(weights, whole):
        assert abs(one - given_weight / sum(weights) * TOTAL) < 1 + len(weights)


def test_known_weights() -> None:
    assert whole_weights([1, 1, 1]) == [349526, 349525, 349525]
    assert whole_weights([3, 1]) == [786432, 262144]
    assert whole_weights([1e-30, 1]) == [1, TOTAL - 1]  # never so small that it is never drawn
    assert whole_weights([1e-30, 1e-30, 2, 1]) == [1, 1, 699049, 349525]  # the largest pays
    assert Blend([1, 1]).locate(range(4))[0].tolist() == [1, 0, 1, 0]


@pytest.mark.parametrize("weights", [[], [0.0], [1.0, -1.0], [float("nan")]])
def test_weights_are_positive(weights: list[float]) -> None:
    with pytest.raises(ValueError):
        Blend(weights)


def test_what_is_outside_is_refused() -> None:
    for draw in (-1, MOST_DRAWS):
        with pytest.raises(IndexError):
            Blend([1, 2]).locate(draw)
    with pytest.raises(IndexError):
        Blend([1, 2]).count(2, 10)
