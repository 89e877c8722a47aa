"""Packed keys give back the low bits of the key, number, class and check of each document that was taken, for any partitions."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.dedup.kernels.packing import KEY_BITS
from curation.dedup.key_blobs import STRIPES, Documents, numbers_of, pack, ranks_of, stripes_of
from curation.dedup.stars import ALL, shared

HEADERS = 32 * STRIPES  # bytes of a blob
PADDING = (4 + 6) * STRIPES  # at most, behind the keys and behind the gaps; 6 more behind the classes


class Given(NamedTuple):
    """Documents of a home whose first has this number."""

    first: int
    documents: Documents

    def sent(self, partitions: int, cut: int = 0) -> list[tuple[int, bytes]]:
        """Their blobs, from one array of keys or, cut at a document, from two."""
        rows, classes, places, keys, checks = self.documents
        parts = [slice(None, cut), slice(cut, None)] if cut else [slice(None)]
        pieces = [Documents(rows[part], classes[part], places[part], keys, checks) for part in parts]
        return [(partition, bytes(blob)) for partition, blob in pack(self.first, pieces, partitions)]


def documents(
    first: int, rows: list[int], classes: list[int], keys: list[list[int]], checks: list[list[int]] | None = None
) -> Given:
    """Between the documents the array has rows that nobody wants."""
    width = len(keys[0]) if keys else 1
    given = np.full((2 * len(rows), width), 5, np.uint64)
    given[1::2] = np.array(keys, np.uint64).reshape(len(rows), width)
    checked = (
        given[:, :0] if checks is None else np.repeat(np.array(checks, np.uint64).reshape(len(rows), width), 2, axis=0)
    )
    places = np.arange(1, 2 * len(rows), 2)
    return Given(first, Documents(np.array(rows, np.int64), np.array(classes, np.uint16), places, given, checked))


def rows_of(blobs: list[bytes]) -> list[tuple[int, ...]]:
    """Key, class, number and check of all keys, sorted."""
    keys, ranks, *checks = shared([stripe for blob in blobs for stripe in stripes_of(blob)], ALL).T
    classes = (ranks >> np.uint64(48)).tolist()
    return sorted(zip(keys.tolist(), classes, numbers_of(ranks).tolist(), *map(list, checks), strict=True))


def expected_rows(given: Given) -> list[tuple[int, ...]]:
    first, (rows, classes, places, keys, checks) = given
    return sorted(
        (key % (1 << KEY_BITS), int(classes[number]), first + int(row), *check)
        for number, (row, place) in enumerate(zip(rows.tolist(), places.tolist(), strict=True))
        for key, *check in np.hstack([keys[[place]], checks[[place]]]).reshape(-1, keys.shape[1]).T.tolist()
    )


KEY = st.integers(0, 2**64 - 1) | st.integers(0, 3) | st.integers(2**64 - 4, 2**64 - 1)


@st.composite
def some_documents(draw: Any, first: int | None = None) -> Given:
    places = sorted(draw(st.sets(st.integers(0, 600), max_size=12)))
    rows, width, checked = len(places), draw(st.integers(1, 4)), draw(st.booleans())
    of_each = st.lists(st.lists(KEY, min_size=width, max_size=width), min_size=rows, max_size=rows)
    return documents(
        draw(st.integers(0, 2**40)) if first is None else first,
        places,
        draw(st.lists(st.sampled_from([0, 1, 65535]), min_size=rows, max_size=rows) | st.just([7] * rows)),
        draw(of_each),
        draw(of_each) if checked else None,
    )


@given(some_documents(), st.integers(1, 30), st.integers(0, 12))
def test_every_document_comes_back_with_all_its_keys(given: Given, partitions: int, cut: int) -> None:
    sent = given.sent(partitions)
    assert given.sent(partitions, cut) == sent
    numbers = [partition for partition, _ in sent]
    assert numbers == sorted(set(numbers)) and all(0 <= number < partitions for number in numbers)
    assert rows_of([blob for _, blob in sent]) == expected_rows(given)


@given(st.lists(some_documents(), min_size=1, max_size=4), st.integers(1, 9))
def test_a_key_goes_to_one_partition_whoever_has_it(given: list[Given], partitions: int) -> None:
    """All bits of a key are its check here."""
    places: dict[int, int] = {}
    for each in given:
        checked = each._replace(documents=each.documents._replace(checks=each.documents.keys))
        for partition, blob in checked.sent(partitions):
            for *_, key in rows_of([blob]):
                assert places.setdefault(key, partition) == partition


@pytest.mark.parametrize("gap", [1, 254, 255, 256, 509, 510, 511, 1021])
def test_rows_far_apart(gap: int) -> None:
    """A gap is written in bytes of 255 and one less: the edges of that."""
    given = documents(5, [gap, 2 * gap], [1, 1], [[9], [9]])
    assert rows_of([blob for _, blob in given.sent(1)]) == [(9, 1, 5 + gap), (9, 1, 5 + 2 * gap)]


def test_six_bytes_a_key_where_documents_are_alike() -> None:
    keys = np.random.default_rng(1).integers(0, 2**64, (4000, 16), np.uint64)
    alike = Documents(np.arange(4000), np.full(4000, 3, np.uint16), np.arange(4000), keys, keys[:, :0])
    sent = Given(0, alike).sent(50)
    assert len(sent) == 50
    assert 6 * keys.size <= sum(len(blob) for _, blob in sent) - 50 * HEADERS <= 6 * keys.size + 50 * PADDING
    mixed = Given(0, alike._replace(classes=np.arange(4000).astype(np.uint16))).sent(50)
    assert 8 * keys.size <= sum(len(blob) for _, blob in mixed) - 50 * HEADERS <= 8 * keys.size + 100 * PADDING


def test_keys_spread_over_the_partitions() -> None:
    keys = np.random.default_rng(2).integers(0, 2**64, (2000, 10), np.uint64)
    given = Given(0, Documents(np.arange(2000), np.zeros(2000, np.uint16), np.arange(2000), keys, keys[:, :0]))
    counts = [len(rows_of([blob])) for _, blob in given.sent(20)]
    assert len(counts) == 20 and min(counts) > 850 and max(counts) < 1150


def test_one_class_of_all_takes_no_bytes() -> None:
    given = documents(0, [1, 2], [9, 9], [[6], [7]])
    ((_, blob),) = given.sent(1)
    assert len(blob) == HEADERS + 2 * 4 + 8
    assert rows_of([blob]) == [(6, 9, 1), (7, 9, 2)]


def test_blobs_of_several_homes_come_together() -> None:
    one = documents(0, [0, 1], [1, 2], [[5], [6]])
    other = documents(1 << 39, [0], [65535], [[5]])
    blobs = [blob for given in (one, other) for _, blob in given.sent(1)]
    assert rows_of(blobs) == rows_of(blobs[::-1]) == [(5, 1, 0), (5, 65535, 1 << 39), (6, 2, 1)]


def test_no_documents_send_nothing() -> None:
    assert documents(0, [], [], []).sent(3) == [] == list(pack(0, [], 3))
    assert len(shared([], ALL)) == 0


def test_ranks_go_by_class_and_then_by_number() -> None:
    numbers, classes = np.array([5, 4, 2**40, 0], np.uint64), np.array([1, 1, 0, 65535], np.uint16)
    ranks = ranks_of(numbers, classes)
    assert np.argsort(ranks).tolist() == [2, 1, 0, 3]
    assert numbers_of(ranks).tolist() == numbers.tolist()
