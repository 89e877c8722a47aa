"""Likeness against every pair compared: nothing similar is missed, nothing else is found."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.dedup.sketches import Sketches
from curation.erased.likeness import Likeness, cut

FEW = st.sets(st.integers(0, 40), max_size=14)


def sketches_of(sets: list[set[int]]) -> Sketches:
    values = [np.array(sorted(one), np.uint32) for one in sets]
    return Sketches(np.concatenate([np.zeros(0, np.uint32), *values]), np.cumsum([0, *map(len, sets)]).astype(np.int64))


def jaccard(one: set[int], other: set[int]) -> float:
    return len(one & other) / len(one | other) if one | other else 0.0


@settings(max_examples=300)
@given(st.lists(FEW, max_size=8), st.lists(FEW, max_size=8), st.sampled_from([0.3, 0.5, 0.8, 0.9, 1.0]))
def test_all_pairs(wanted: list[set[int]], texts: list[set[int]], similarity: float) -> None:
    likeness = Likeness(sketches_of(wanted), np.full(len(wanted), similarity, np.float32))
    which, best = likeness.best(sketches_of(texts))
    for number, text in enumerate(texts):
        alike = [jaccard(text, one) for one in wanted]
        if max(alike, default=0) < similarity - 1e-9:
            assert (which[number], best[number]) == (-1, 0)
        else:
            assert which[number] == alike.index(max(alike)) and best[number] == pytest.approx(max(alike))


def test_each_wanted_text_has_its_own_threshold() -> None:
    wanted = [set(range(10)), set(range(100, 110))]
    likeness = Likeness(sketches_of(wanted), np.array([0.9, 0.5], np.float32))
    which, _ = likeness.best(sketches_of([set(range(8)), set(range(100, 106))]))
    assert which.tolist() == [-1, 1]


def test_long_texts_by_their_smallest_hashes() -> None:
    """Of sets of thousands cut to 1,024, similar ones are found and the estimate is near."""
    draw = np.random.default_rng(5)
    values = draw.choice(2**32, 6000, replace=False).astype(np.int64)
    wanted, near, far = set(values[:4000].tolist()), set(values[200:4000].tolist()), set(values[2000:6000].tolist())
    likeness = Likeness(cut(sketches_of([wanted]), 1024), np.array([0.8], np.float32), 1024)
    which, best = likeness.best(cut(sketches_of([near, far]), 1024))
    assert which.tolist() == [0, -1] and best[0] == pytest.approx(0.95, abs=0.04)
