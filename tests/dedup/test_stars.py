"""Stars: for each key an edge from the first in rank to all others. Held against a dictionary."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.dedup import stars
from curation.dedup.kernels.packing import KEY_BITS
from curation.dedup.key_blobs import Documents, numbers_of, pack, ranks_of
from curation.dedup.stars import star_edges

Rows = list[tuple[int, int]]
NONE = np.zeros((1, 0), np.uint64)
ZERO = np.zeros(1, np.int64)


def edges_of(rows: Rows, checks: list[int] | None = None) -> list[tuple[int, int]]:
    """Each row a blob of its own, so that they come in this order."""
    blobs = []
    for place, (key, rank) in enumerate(rows):
        number, policy_class = rank & ((1 << 48) - 1), rank >> 48
        check = NONE if checks is None else np.array([[checks[place]]], np.uint64)
        one = Documents(ZERO, np.array([policy_class], np.uint16), ZERO, np.array([[key]], np.uint64), check)
        blobs += [blob for _, blob in pack(number, [one], 1)]
    return in_order(blobs)


def edges_of_many(rows: Rows) -> list[tuple[int, int]]:
    """Rows whose ranks are small numbers, in one blob."""
    keys, ranks = (np.array([row[place] for row in rows], np.uint64) for place in (0, 1))
    return in_order([one_blob(keys, ranks)])


def one_blob(keys: np.ndarray, ranks: np.ndarray) -> memoryview:
    """Documents of class 0, by number."""
    order = np.argsort(ranks)
    classes = np.zeros(len(keys), np.uint16)
    given = Documents(numbers_of(ranks[order]).astype(np.int64), classes, order, keys.reshape(-1, 1), NONE)
    ((_, blob),) = pack(0, [given], 1)
    return blob


def in_order(blobs: list[memoryview]) -> list[tuple[int, int]]:
    """Their edges."""
    nearer, farther = star_edges(blobs)
    return sorted(zip(nearer.tolist(), farther.tolist(), strict=True))


def slow_edges(rows: Rows, checks: list[int] | None = None) -> list[tuple[int, int]]:
    """By a dictionary of keys and checks."""
    checks = checks or [0] * len(rows)
    first: dict[tuple[int, int], int] = {}
    for (key, rank), check in zip(rows, checks, strict=True):
        first[key, check] = min(first.get((key, check), rank), rank)
    return sorted(
        (first[key, check], rank) for (key, rank), check in zip(rows, checks, strict=True) if rank != first[key, check]
    )


NUMBERS = st.integers(0, 9) | st.integers(0, 2**KEY_BITS - 1)


@given(st.lists(st.tuples(NUMBERS, st.integers(0, 2**62)), max_size=60, unique_by=lambda row: row[1]), st.randoms())
def test_any_keys_in_any_order(rows: Rows, random: object) -> None:
    expected = slow_edges(rows)
    assert edges_of(rows) == expected
    random.shuffle(rows)  # type: ignore[attr-defined]
    assert edges_of(rows) == expected


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=40))
def test_of_equal_keys_only_those_with_the_same_check(rows: Rows) -> None:
    """A check goes with its document, whose rank is its place here."""
    ranked, checks = [(key, rank) for rank, (key, _) in enumerate(rows)], [check for _, check in rows]
    assert edges_of(ranked, checks) == slow_edges(ranked, checks)
    assert edges_of(ranked[::-1], checks[::-1]) == slow_edges(ranked, checks)


def test_one_bucket_for_all() -> None:
    """A million documents that share a key are a star, and no more."""
    count = 1_000_000
    ranks = np.random.default_rng(3).permutation(count).astype(np.uint64)
    nearer, farther = star_edges([one_blob(np.full(count, 77, np.uint64), ranks)])
    assert not nearer.any()
    assert np.array_equal(np.sort(farther), np.arange(1, count, dtype=np.uint64))


def test_many_groups() -> None:
    """More keys than fit a group, some with equal low bits."""
    random = np.random.default_rng(4)
    keys = (random.integers(0, 30_000, 100_000, np.uint64) << np.uint64(20)) | random.integers(0, 2, 100_000, np.uint64)
    rows = list(zip(keys.tolist(), random.permutation(100_000).tolist(), strict=True))
    assert edges_of_many(rows) == slow_edges(rows)


def test_groups_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(5)
    rows = list(zip(random.integers(0, 500, 3000, np.uint64).tolist(), random.permutation(3000).tolist(), strict=True))
    expected = slow_edges(rows)
    for keys in (1, 7, 3000):
        monkeypatch.setattr(stars, "GROUP_KEYS", keys)
        assert edges_of_many(rows) == expected


def test_a_better_class_is_the_centre_though_its_number_is_larger() -> None:
    ranks = ranks_of(np.array([1, 2, 3, 4], np.uint64), np.array([5, 5, 2, 9], np.uint16)).tolist()
    assert edges_of([(8, rank) for rank in ranks]) == sorted((ranks[2], ranks[place]) for place in (0, 1, 3))


def test_keys_that_differ_in_bits_that_do_not_travel_are_told_apart_by_checks() -> None:
    keys = [7, 7 | 1 << KEY_BITS, 7, 7 | 1 << KEY_BITS]
    rows = list(zip(keys, range(4), strict=True))
    assert edges_of(rows) == [(0, 1), (0, 2), (0, 3)]
    assert edges_of(rows, checks=keys) == slow_edges(rows) == [(0, 2), (1, 3)]


def test_keys_of_all_bits_and_none() -> None:
    rows = [(0, 3), (2**64 - 1, 4), (0, 1), (2**64 - 1, 2**64 - 2)]
    assert edges_of(rows) == [(1, 3), (4, 2**64 - 2)]


def test_no_keys() -> None:
    assert edges_of([]) == [] and edges_of([(5, 5)]) == []


def test_a_document_that_has_a_key_twice_is_not_its_own_neighbour() -> None:
    assert edges_of([(5, 5), (5, 5), (5, 9)]) == [(5, 9)]
