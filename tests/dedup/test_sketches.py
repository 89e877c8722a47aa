"""Sketches, held against sets of Python."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.dedup.shingles import Shingling, text_shingles
from curation.dedup.sketches import SKETCH, Sketches, sketch_jaccard, sketch_jaccards, sketches
from curation.text.batch import Shingles
from curation.text.shingles import jaccard

# Few distinct high halves, so that they come again; low halves that must not matter
hash_lists = st.lists(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 9)), max_size=150), max_size=5)


def shingles_of(documents: list[list[int]]) -> Shingles:
    offsets = np.cumsum([0, *map(len, documents)]).astype(np.int64)
    return Shingles(np.array([value for document in documents for value in document], np.uint64), offsets)


def at(found: Sketches, row: int) -> list[int]:
    values: list[int] = found.values[found.offsets[row] : found.offsets[row + 1]].tolist()
    return values


def slow_jaccard(a: set[int], b: set[int], size: int) -> float:
    """The definition, from all of two sets' hashes."""
    union = sorted(a | b)
    if len(a) >= size or len(b) >= size:
        union = union[:size]
    return len(a & b & set(union)) / len(union) if union else 0.0


@settings(deadline=None)
@given(hash_lists, st.integers(1, 200))
def test_a_sketch_is_the_smallest_distinct_high_halves(documents: list[list[tuple[int, int]]], size: int) -> None:
    spread = [[(high * 14_316_557 % 2**32) << 32 | low for high, low in document] for document in documents]
    found = sketches(shingles_of(spread), size)
    assert found.values.dtype == np.uint32
    for row, document in enumerate(spread):
        assert at(found, row) == sorted({value >> 32 for value in document})[:size]


@settings(deadline=None)
@given(st.sets(st.integers(0, 120)), st.sets(st.integers(0, 120)), st.integers(1, 90))
def test_similarities_are_those_of_sets(a: set[int], b: set[int], size: int) -> None:
    found = sketches(shingles_of([[value << 32 for value in a], [value << 32 for value in b]]), size)
    expected = slow_jaccard(a, b, size)
    assert sketch_jaccard(found.values[: found.offsets[1]], found.values[found.offsets[1] :], size) == expected
    if len(a) < size and len(b) < size:
        assert expected == (len(a & b) / len(a | b) if a | b else 0)


def test_many_pairs_are_each_what_it_is_alone() -> None:
    random = np.random.default_rng(1)
    documents = [random.integers(0, 3_000, size).tolist() for size in (0, 5, 800, 1_023, 1_024, 1_500, 4_000)]
    found = sketches(shingles_of([[value << 32 for value in document] for document in documents]))
    pairs = np.array([(a, b) for a in range(7) for b in range(7)])
    similarities = sketch_jaccards(found, pairs[:, 0], pairs[:, 1])
    for (a, b), similarity in zip(pairs.tolist(), similarities.tolist(), strict=True):
        assert similarity == slow_jaccard(set(documents[a]), set(documents[b]), SKETCH)
        assert similarity == sketch_jaccard(np.array(at(found, a), np.uint32), np.array(at(found, b), np.uint32))


def test_texts_that_fit_have_their_true_similarity() -> None:
    common = " ".join(chr(97 + number % 26) + chr(97 + number // 26) for number in range(26 * 26))
    shingles = text_shingles([common + " and an end", "a beginning " + common], Shingling())
    a, b = (shingles.hashes[shingles.offsets[row] : shingles.offsets[row + 1]] for row in range(2))
    found = sketch_jaccards(sketches(shingles), np.array([0]), np.array([1]))
    assert found.tolist() == [jaccard(a, b)]
    assert 0.9 < found[0] < 1


@pytest.mark.parametrize("true", [0.5, 0.8, 0.95])
def test_the_estimate_of_large_texts_is_near(true: float) -> None:
    """Sets of some 15,000 hashes, 40 pairs: the standard error is sqrt(s (1 - s) / 1024), at most 0.0157."""
    random = np.random.default_rng(7)
    errors = []
    for _ in range(40):
        union = random.permutation(np.unique(random.integers(0, 2**32, 20_000, np.uint64))) << np.uint64(32)
        shared = int(true * len(union))
        middle = (shared + len(union)) // 2
        b = np.concatenate([union[:shared], union[middle:]])
        pair = sketches(shingles_of([union[:middle].tolist(), b.tolist()]))
        errors.append(sketch_jaccards(pair, np.array([0]), np.array([1]))[0] - shared / len(union))
    expected = (true * (1 - true) / SKETCH) ** 0.5
    assert abs(np.mean(errors)) < 4 * expected / 40**0.5
    assert np.std(errors) < 1.5 * expected


def test_one_hash_a_million_times() -> None:
    found = sketches(Shingles(np.full(1_000_000, 7 << 32, np.uint64), np.array([0, 999_999, 1_000_000])))
    assert (found.values.tolist(), found.offsets.tolist()) == ([7, 7], [0, 1, 2])


def test_nothing() -> None:
    found = sketches(shingles_of([]))
    assert (len(found.values), found.offsets.tolist()) == (0, [0])
    assert len(sketch_jaccards(found, np.zeros(0, np.int64), np.zeros(0, np.int64))) == 0
    with pytest.raises(IndexError):
        sketch_jaccards(found, np.array([0]), np.array([0]))


def test_what_is_read_from_a_file_may_be_read_only() -> None:
    values = np.array([1, 2, 1, 3], np.uint32)
    values.flags.writeable = False
    assert sketch_jaccards(Sketches(values, np.array([0, 2, 4])), np.array([0]), np.array([1])).tolist() == [1 / 3]
