"""Alignment of words against slow Python, and what labels come of it."""

from __future__ import annotations

from functools import cache

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.extract.train.kernels.alignment import RUN_VALUE, align
from curation.extract.train.labels import block_labels

SEQUENCES = st.lists(st.integers(0, 3), min_size=1, max_size=9)


def matched(first: list[int], second: list[int]) -> list[int]:
    """The places of `first` that the kernel matches."""
    columns, found = (2, len(second) + 1), np.zeros(len(first), np.uint8)
    steps = np.empty((len(first), len(second)), np.uint8)
    arrays = np.array(first, np.int32), np.array(second, np.int32)
    align(*arrays, steps, np.empty(columns, np.int32), np.empty(columns, np.uint8), found)
    return np.flatnonzero(found).tolist()


def slowly_matched(first: tuple[int, ...], second: tuple[int, ...]) -> list[int]:
    """The same by recursion: the greatest value up to a pair, a word that goes on a run counting three."""

    @cache
    def best(i: int, j: int) -> tuple[int, bool, tuple[int, ...]]:
        if i == 0 or j == 0:
            return 0, False, ()
        up, left = best(i - 1, j), best(i, j - 1)
        if first[i - 1] == second[j - 1]:
            before, goes_on, places = best(i - 1, j - 1)
            value = before + (RUN_VALUE if goes_on else 1)
            if value >= max(up[0], left[0]):
                return value, True, (*places, i - 1)
        kept = up if up[0] >= left[0] else left
        return kept[0], False, kept[2]

    return list(best(len(first), len(second))[2])


@given(SEQUENCES, SEQUENCES)
@settings(max_examples=300)
def test_words_are_aligned_as_slow_python_aligns_them(first: list[int], second: list[int]) -> None:
    assert matched(first, second) == slowly_matched(tuple(first), tuple(second))


@given(SEQUENCES)
def test_a_sequence_matches_itself(sequence: list[int]) -> None:
    assert matched(sequence, sequence) == list(range(len(sequence)))


def labels(texts: list[str], main: str) -> list[float]:
    return block_labels(texts, main)[0].round(2).tolist()


def test_a_block_has_the_share_that_is_main_text() -> None:
    assert labels(["Home", "one two three four", "five six x y", "Legal"], "One two three four five six") == [
        0,
        1,
        0.5,
        0,
    ]


def test_a_block_that_stands_elsewhere_in_the_main_text_is_found() -> None:
    late = "a caption of the picture"
    assert labels([late, "one two three", "four five six"], f"one two three four five six {late}") == [1, 1, 1]


def test_of_copies_the_one_among_main_text_is_labelled() -> None:
    texts = ["A title", "Home", "About", *["x"] * 9, "A title", "one two three four", "five six seven eight"]
    found = labels(texts, "A title one two three four five six seven eight")
    assert found[0] == 0 and found[-3:] == [1, 1, 1]


def test_nothing_is_main_text_where_the_annotation_is_empty() -> None:
    found, sizes = block_labels(["one two", ""], "")
    assert found.tolist() == [0, 0] and sizes.tolist() == [2, 0]
