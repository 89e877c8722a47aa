"""Parquet read as columns says of every row what reading row by row says: the oracle is `connectors.parquet.read`."""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors import text_columns
from connectors.parquet import read, read_columns
from connectors.record_columns import RecordColumns, columns_of
from connectors.records import Limits, Record

LIMITS = Limits(record_bytes=40)
MOMENT = datetime.datetime(2024, 1, 2, 3, 4, 5, 678)

words = st.text(st.characters(blacklist_categories=["Cs"]), max_size=12)
blank = st.sampled_from(
    ["", " ", "\n \t", "\u3000", "\0", " x", "\u3000x", "<http://a/>", "http://a/?q=é", 'a"b\\', "\x7f"]
)
strings = st.one_of(st.none(), words, blank, st.just("x" * 50))
dates = st.sampled_from(
    [None, "2024-01-02T03:04:05Z", "2024-01-02T03:04:05.5+01:00", "2024-01-02", "2024-01-02T03:04:05Z\n"]
)


def typed(values: st.SearchStrategy[Any], *kinds: pa.DataType) -> st.SearchStrategy[tuple[pa.DataType, Any]]:
    return st.sampled_from(kinds).map(lambda kind: (kind, values))


columns = {
    "text": typed(strings, pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())),
    "bytes": typed(st.one_of(st.none(), st.binary(max_size=3), words.map(str.encode)), pa.binary(), pa.large_binary()),
    "date": typed(dates, pa.string(), pa.dictionary(pa.int32(), pa.string())),
    "moment": typed(
        st.sampled_from([None, MOMENT, MOMENT.replace(microsecond=0)]),
        pa.timestamp("ns"), pa.timestamp("us", "UTC"), pa.timestamp("ms", "Europe/Berlin"),
    ),
    "number": typed(st.one_of(st.none(), st.integers(-9, 9)), pa.int8(), pa.int64(), pa.float32(), pa.decimal128(5, 2)),
    "float": typed(st.one_of(st.none(), st.floats(width=32)), pa.float64(), pa.float32()),
    "truth": typed(st.sampled_from([None, True, False]), pa.bool_()),
    "list": typed(st.one_of(st.none(), st.lists(st.floats(width=16), max_size=2)), pa.list_(pa.float64())),
    "nothing": typed(st.none(), pa.null(), pa.string()),
    "day": typed(st.sampled_from([None, MOMENT.date()]), pa.date32()),
}  # fmt: skip
anything = st.one_of(*columns.values())


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    """Tables as corpora have them, and as they should not be."""
    rows = draw(st.integers(0, 12))
    kinds = {
        "text": draw(st.one_of(*[columns["text"]] * 4, columns["bytes"], columns["number"], columns["list"])),
        "url": draw(st.one_of(*[columns["text"]] * 2, anything)),
        "timestamp": draw(st.one_of(columns["date"], columns["moment"], anything)),
        "date": draw(st.one_of(columns["date"], columns["moment"], anything)),
        'other"': draw(anything),
        "another": draw(anything),
    }
    named = draw(st.permutations(sorted(draw(st.sets(st.sampled_from(sorted(kinds)))) | {"text"})))
    arrays = {}
    for name in named:
        kind, values = kinds[name]
        plain = kind.value_type if pa.types.is_dictionary(kind) else kind
        given = pa.array(draw(st.lists(values, min_size=rows, max_size=rows)), plain)
        arrays[name] = given.dictionary_encode() if pa.types.is_dictionary(kind) else given
    return pa.table(arrays)


def same(pieces: Iterable[RecordColumns], records: list[Record]) -> None:
    """Asserts that the columns hold the records."""
    row = 0
    for piece in pieces:
        expected = columns_of(records[row : row + len(piece)])
        assert piece.refusals == expected.refusals
        assert piece.columns.to_pydict() == expected.columns.to_pydict()
        row += len(piece)
    assert row == len(records)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=tables(), group=st.integers(1, 13), first=st.integers(0, 5), length=st.integers(0, 13))
def test_columns_are_the_records(tmp_path: Path, table: pa.Table, group: int, first: int, length: int) -> None:
    uri = str(tmp_path / "a.parquet")
    pq.write_table(table, uri, row_group_size=group)
    same(read_columns(uri, LIMITS), list(read(uri, LIMITS)))
    same(read_columns(uri, LIMITS, first, first + length), list(read(uri, LIMITS, first, first + length)))


URLS = [
    None,
    "",
    "http://a/?q=é",
    " http://a/",
    "<http://a/>",
    "a<b>c",
    "a\nb",
    "http://a/" + "x" * 9000,
    "\x7f",
    "\u2028",
]
DATES = [
    None,
    "",
    "2024-01-02",
    *(f"2024-01-02T03:04:05{end}" for end in ("Z", "", "Z\n", ".5Z", ".0123456789Z", "+01:00")),
]
SIGNS = [None, "", 'a"b', "a\\b", "a\nb", "\0", "\x1f", "\x7f", "é\u2028", ",", "{"]
NUMBERS = [None, 0, -7, 1 << 62]
FLOATS = [None, float("nan"), float("inf"), 0.1, 1e22, -0.0]
MOMENTS = [None, MOMENT, MOMENT.replace(microsecond=0)]
TEXTS = ["Grüße", "\n x", "\u3000", "\0", "\x7f"]


@pytest.mark.parametrize(
    "columns",
    [
        {"url": URLS},
        {"url": pa.array(URLS).dictionary_encode()},
        {"url": pa.array(URLS, pa.large_string()), "n": range(len(URLS))},
        {"timestamp": DATES, "date": DATES[::-1]},
        {"date": pa.array(MOMENTS, pa.timestamp("ns"))},
        {"timestamp": pa.array(MOMENTS, pa.timestamp("ms", "Europe/Berlin")), "date": DATES[1:4]},
        {"date": pa.array([5, None])},
        {"b": SIGNS, 'a"é': SIGNS[::-1]},
        {"a": NUMBERS, "b": FLOATS[:4], "c": [True, None, False, True]},
        {"c": FLOATS, "é": [[value, 1.0] for value in FLOATS]},
        {"text": TEXTS, "other": [{"b": None, "a": b"x"}, None, None, None, None]},
        {"text": pa.array([text.encode() for text in TEXTS], pa.large_binary())},
    ],
)
def test_what_is_hard_to_read_in_bulk_is_read_in_bulk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: dict[str, Any]
) -> None:
    rows = len(next(iter(columns.values())))
    uri = str(tmp_path / "a.parquet")
    pq.write_table(pa.table({"text": ["x"] * rows, **columns}), uri)
    expected = list(read(uri, LIMITS))
    monkeypatch.setattr(text_columns, "columns_of", None)  # so that no record can be made
    same(read_columns(uri, LIMITS), expected)


@pytest.mark.parametrize(("column", "values"), [("url", URLS), ("date", DATES), ("other", SIGNS)])
def test_each_hard_value_among_easy_ones(tmp_path: Path, column: str, values: list[str | None]) -> None:
    for value in values:
        uri = str(tmp_path / "a.parquet")
        pq.write_table(pa.table({"text": ["x"] * 2, column: [value, "http://a/"]}), uri)
        same(read_columns(uri, LIMITS), list(read(uri, LIMITS)))


@pytest.mark.parametrize("column", ["text", "url", "other"])
def test_broken_utf8_costs_its_own_row(tmp_path: Path, column: str) -> None:
    table = pa.table({"text": ["a", "b", "c"], "url": ["http://a/"] * 3, "other": ["x"] * 3})
    broken = pa.array([b"x", b"\xff", b"x"]).view(pa.string())
    table = table.set_column(table.schema.get_field_index(column), column, broken)
    uri = str(tmp_path / "a.parquet")
    pq.write_table(table, uri)
    records = list(read(uri, LIMITS))
    assert [record.refusal.reason if record.refusal else "" for record in records] == ["", "bad_utf8", ""]
    same(read_columns(uri, LIMITS), records)


def test_two_columns_of_one_name(tmp_path: Path) -> None:
    uri = str(tmp_path / "a.parquet")
    arrays = [pa.array(["a", "b"]), pa.array([1, 2]), pa.array([3, None])]
    pq.write_table(pa.Table.from_arrays(arrays, names=["text", "n", "n"]), uri)
    same(read_columns(uri, LIMITS), list(read(uri, LIMITS)))


def test_random_damage_is_the_same_damage(tmp_path: Path) -> None:
    uri = str(tmp_path / "n.parquet")
    table = pa.table({"text": [str(i) for i in range(900)], "url": ["http://a/"] * 900, "n": pa.array(range(900))})
    pq.write_table(table, uri, row_group_size=200)
    whole = Path(uri).read_bytes()
    chance = random.Random(11)
    for _ in range(100):
        data = bytearray(whole)
        for _ in range(chance.choice((1, 4, 20))):
            data[chance.randrange(len(data))] = chance.randrange(256)
        Path(uri).write_bytes(data)
        same(read_columns(uri, LIMITS, 0, 5000), list(read(uri, LIMITS, 0, 5000)))
