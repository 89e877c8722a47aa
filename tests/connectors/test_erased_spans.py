"""Erased spans against sets of positions, and files that are not what they should be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.erased_spans import SCHEMA, ErasedSpans, joined, no_spans, of_lengths, read_erased, table_of
from connectors.errors import UserError

LENGTHS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 6)), max_size=12)  # gap, tokens


def spans_of(lengths: list[tuple[int, int]]) -> tuple[ErasedSpans, set[int]]:
    first, tokens, place = [], [], 0
    for gap, count in lengths:
        place += gap
        first.append(place)
        tokens.append(count)
        place += count
    erased = {p for start, count in zip(first, tokens) for p in range(start, start + count)}
    return of_lengths(np.array(first, np.int64), np.array(tokens, np.int64)), erased


@given(LENGTHS, st.integers(0, 140), st.integers(0, 140))
def test_the_positions_of_spans(lengths: list[tuple[int, int]], first: int, stop: int) -> None:
    spans, erased = spans_of(lengths)
    inside = {place for place in erased if first <= place < stop}
    assert spans.tokens == len(erased)
    assert spans.count(first, stop) == len(inside)
    assert {p for a, b in zip(*spans.inside(first, stop)) for p in range(a, b)} == inside
    places = np.arange(140)
    assert set(places[spans.holds(places)].tolist()) == erased
    assert spans.before(places).tolist() == [sum(p < place for p in erased) for place in places.tolist()]


@given(LENGTHS, LENGTHS)
def test_spans_of_two_shards_as_one_stream(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    (first, erased), (second, behind) = spans_of(one), spans_of(other)
    both = joined([(0, first), (200, second)])
    assert {p for p in range(400) if both.holds(np.array([p]))[0]} == erased | {200 + p for p in behind}
    assert not len(joined([])) and not no_spans().tokens


def test_spans_in_any_order_and_twice_are_the_same_spans() -> None:
    spans = of_lengths(np.array([9, 2, 9, 4]), np.array([3, 2, 3, 0]))
    assert (spans.first.tolist(), spans.stop.tolist()) == ([2, 9], [4, 12])


@pytest.mark.parametrize(
    ("first", "stop"), [([5, 1], [6, 2]), ([1, 2], [3, 4]), ([3], [3]), ([-1], [2]), ([1, 2], [2])]
)
def test_what_is_no_list_of_spans(first: list[int], stop: list[int]) -> None:
    with pytest.raises(ValueError, match="do not ascend, or overlap"):
        ErasedSpans(np.array(first, np.int64), np.array(stop, np.int64))


def test_a_file_and_what_is_none(tmp_path: Path) -> None:
    path = tmp_path / "00000.erased.parquet"
    with pytest.raises(UserError, match="is missing: it says which tokens"):
        read_erased(path, 100)
    spans = of_lengths(np.array([10, 40]), np.array([5, 60]))
    pq.write_table(pa.Table.from_batches([table_of(spans)]), path)
    read = read_erased(path, 100)
    assert (read.first.tolist(), read.stop.tolist()) == ([10, 40], [15, 100])
    with pytest.raises(UserError, match="names token 99, the shard has 99"):
        read_erased(path, 99)
    pq.write_table(
        pa.Table.from_pylist([{"first_token": 5, "tokens": 9}, {"first_token": 6, "tokens": 1}], SCHEMA), path
    )
    with pytest.raises(UserError, match="is damaged"):
        read_erased(path, 100)
    path.write_bytes(b"PAR1")
    with pytest.raises(UserError, match="is damaged"):
        read_erased(path, 100)
