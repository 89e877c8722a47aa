"""Packed keys give back the key, number, class and check of each document that was taken, for any partitions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.dedup.key_blobs import Documents, numbers_of, pack, ranks_of, unpack

HEADER = 28
NONE = np.zeros(0, np.uint64)


def documents(
    first: int, rows: list[int], classes: list[int], keys: list[list[int]], checks: list[int] | None = None
) -> Documents:
    width = len(keys[0]) if keys else 1
    return Documents(
        first,
        np.array(rows, np.int64),
        np.array(classes, np.uint16),
        np.array(keys, np.uint64).reshape(len(rows), width),
        NONE if checks is None else np.array(checks, np.uint64),
    )


def rows_of(blobs: list[bytes]) -> list[tuple[int, ...]]:
    """Key, class, number and check of all keys, sorted."""
    keys, ranks, checks = unpack(blobs)
    classes = (ranks >> np.uint64(48)).tolist()
    columns = [keys.tolist(), classes, numbers_of(ranks).tolist()]
    return sorted(zip(*columns, checks.tolist(), strict=True) if len(checks) else zip(*columns, strict=True))


def expected_rows(given: Documents) -> list[tuple[int, ...]]:
    return sorted(
        (int(key), int(given.classes[place]), given.first + int(row), *map(int, given.checks[place : place + 1]))
        for place, row in enumerate(given.rows)
        for key in given.keys[place]
    )


KEY = st.integers(0, 2**64 - 1) | st.integers(0, 3) | st.integers(2**64 - 4, 2**64 - 1)


@st.composite
def some_documents(draw: Any, first: int | None = None) -> Documents:
    places = sorted(draw(st.sets(st.integers(0, 600), max_size=12)))
    rows, width, checked = len(places), draw(st.integers(1, 4)), draw(st.booleans())
    width = 1 if checked else width
    return documents(
        draw(st.integers(0, 2**40)) if first is None else first,
        places,
        draw(st.lists(st.sampled_from([0, 1, 65535]), min_size=rows, max_size=rows) | st.just([7] * rows)),
        draw(st.lists(st.lists(KEY, min_size=width, max_size=width), min_size=rows, max_size=rows)),
        draw(st.lists(KEY, min_size=rows, max_size=rows)) if checked else None,
    )


@given(some_documents(), st.integers(1, 30))
def test_every_document_comes_back_with_all_its_keys(given: Documents, partitions: int) -> None:
    sent = list(pack(given, partitions))
    numbers = [partition for partition, _ in sent]
    assert numbers == sorted(set(numbers)) and all(0 <= number < partitions for number in numbers)
    assert rows_of([blob for _, blob in sent]) == expected_rows(given)


@given(st.lists(some_documents(), min_size=1, max_size=4), st.integers(1, 9))
def test_a_key_goes_to_one_partition_whoever_has_it(given: list[Documents], partitions: int) -> None:
    given = [each for each in given if len(each.checks) == 0]
    places: dict[int, int] = {}
    for each in given:
        for partition, blob in pack(each, partitions):
            for key, *_ in rows_of([blob]):
                assert places.setdefault(key, partition) == partition


@pytest.mark.parametrize("gap", [1, 254, 255, 256, 509, 510, 511, 1021])
def test_rows_far_apart(gap: int) -> None:
    """A gap is written in bytes of 255 and one less: the edges of that."""
    given = documents(5, [gap, 2 * gap], [1, 1], [[9], [9]])
    assert rows_of([blob for _, blob in pack(given, 1)]) == [(9, 1, 5 + gap), (9, 1, 5 + 2 * gap)]


def test_nine_bytes_a_key_where_documents_are_alike() -> None:
    keys = np.random.default_rng(1).integers(0, 2**64, (4000, 16), np.uint64)
    alike = Documents(0, np.arange(4000), np.full(4000, 3, np.uint16), keys, NONE)
    sent = list(pack(alike, 50))
    assert len(sent) == 50
    assert sum(len(blob) for _, blob in sent) == 50 * HEADER + 9 * keys.size
    mixed = alike._replace(classes=np.arange(4000).astype(np.uint16))
    assert sum(len(blob) for _, blob in pack(mixed, 50)) == 50 * HEADER + 11 * keys.size


def test_keys_spread_over_the_partitions() -> None:
    keys = np.random.default_rng(2).integers(0, 2**64, (2000, 10), np.uint64)
    given = Documents(0, np.arange(2000), np.zeros(2000, np.uint16), keys, NONE)
    counts = [len(unpack([blob]).keys) for _, blob in pack(given, 20)]
    assert len(counts) == 20 and min(counts) > 850 and max(counts) < 1150


def test_one_class_of_all_takes_no_bytes() -> None:
    given = documents(0, [1, 2], [9, 9], [[6], [7]])
    ((_, blob),) = pack(given, 1)
    assert len(blob) == HEADER + 2 * 9
    assert rows_of([blob]) == [(6, 9, 1), (7, 9, 2)]


def test_blobs_of_several_homes_come_together() -> None:
    one = documents(0, [0, 1], [1, 2], [[5], [6]])
    other = documents(1 << 39, [0], [65535], [[5]])
    blobs = [blob for given in (one, other) for _, blob in pack(given, 1)]
    assert rows_of(blobs) == rows_of(blobs[::-1]) == [(5, 1, 0), (5, 65535, 1 << 39), (6, 2, 1)]


def test_no_documents_send_nothing() -> None:
    assert list(pack(documents(0, [], [], []), 3)) == []
    assert [len(part) for part in unpack([])] == [0, 0, 0]


def test_ranks_go_by_class_and_then_by_number() -> None:
    numbers, classes = np.array([5, 4, 2**40, 0], np.uint64), np.array([1, 1, 0, 65535], np.uint16)
    ranks = ranks_of(numbers, classes)
    assert np.argsort(ranks).tolist() == [2, 1, 0, 3]
    assert numbers_of(ranks).tolist() == numbers.tolist()
