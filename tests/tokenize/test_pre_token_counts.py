"""Counts of pre-tokens: exact, whatever room there was, how texts were grouped, and into how many partitions they went."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.tokenize.pre_token_counts import (
    LONGEST,
    PreTokenCounter,
    PreTokenCounts,
    added,
    in_partitions,
    joined,
    most_frequent,
    packed,
    unpacked,
)
from curation.tokenize.split_patterns import PATTERNS

GPT2 = PATTERNS["gpt2"]
WORDS = st.lists(st.text("ab", min_size=1, max_size=20), max_size=60)


def count(words: list[str], first_room: int = 2) -> PreTokenCounts:
    """Counts of words, one a document."""
    counter = PreTokenCounter(GPT2, first_room)
    counter.count(pa.array(words, pa.string()))
    return counter.counted()


def plain(counts: PreTokenCounts) -> dict[str, int]:
    return {word.decode(): number for word, number in zip(counts.words(), counts.counts.tolist(), strict=True)}


@given(words=WORDS, room=st.sampled_from([2, 16, 1024]))
def test_counts_whatever_the_room(words: list[str], room: int) -> None:
    """Words of up to 20 bytes: those that the table's slots hold, and those that are looked up in the text."""
    assert plain(count(words, room)) == Counter(words)


def test_words_that_differ_in_the_middle_only_are_two() -> None:
    one, other = "a" * 12 + "b" + "a" * 12, "a" * 25
    assert plain(count([one, other, one])) == {one: 2, other: 1}


@given(parts=st.lists(WORDS, max_size=5), partitions=st.integers(1, 7), limit=st.integers(1, 40))
def test_partitions_and_groups_do_not_matter(parts: list[list[str]], partitions: int, limit: int) -> None:
    """Through blobs of any number of partitions: the `limit` most frequent, ties by bytes, with whole counts."""
    sent: dict[int, list[bytes]] = {}
    for part in parts:
        for partition, counts in in_partitions(count(part), partitions):
            sent.setdefault(partition, []).append(packed(counts))
    reduced = [packed(most_frequent(added(map(unpacked, sorted(blobs)), GPT2), limit)) for blobs in sent.values()]
    found = most_frequent(joined([unpacked(blob) for blob in reduced]), limit)
    truth = Counter(word for part in parts for word in part)
    expected = sorted(truth.items(), key=lambda item: (-item[1], item[0].encode()))[:limit]
    assert sorted(plain(found).items()) == sorted(expected)
    assert found.totals.documents == sum(map(len, parts))
    assert found.totals.text_bytes == sum(len(word) for part in parts for word in part)
    assert found.totals.distinct == len(truth)


def test_a_document_counts_as_often_as_it_was_drawn() -> None:
    counter = PreTokenCounter(GPT2)
    counter.count(pa.array(["a b", "c", "b"], pa.string()), np.array([2, 0, 1]))
    found = counter.counted()
    assert plain(found) == {"a": 2, " b": 2, "b": 1}
    assert (found.totals.documents, found.totals.text_bytes) == (3, 7)


@pytest.mark.parametrize(("size", "left_out"), [(LONGEST, 0), (LONGEST + 1, LONGEST + 1)])
def test_what_is_too_long_is_left_out_and_told(size: int, left_out: int) -> None:
    found = count(["x" * size, "y"])
    assert ("x" * size in plain(found)) == (not left_out)
    assert found.totals.long_bytes == left_out
    assert plain(found)["y"] == 1


def test_a_slice_of_a_column_is_counted_alone() -> None:
    counter = PreTokenCounter(GPT2)
    counter.count(pa.array(["one", "two", "three"], pa.large_string()).slice(1, 1))
    assert plain(counter.counted()) == {"two": 1}
