"""Text corpora as Parquet."""

from __future__ import annotations

import datetime
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors.parquet import count, read
from connectors.records import Limits, Record

LIMITS = Limits(record_bytes=10_000)
TYPES = [pa.string(), pa.large_string(), pa.binary(), pa.dictionary(pa.int32(), pa.string()), pa.string_view()]


def reason(record: Record) -> str:
    return f"{record.refusal.fate} {record.refusal.reason}" if record.refusal else record.media


def write(path: Path, columns: dict[str, Any], **options: Any) -> str:
    pq.write_table(pa.table(columns), path, **options)
    return str(path)


@pytest.fixture
def numbers(tmp_path: Path) -> str:
    return write(tmp_path / "n.parquet", {"text": [str(i) for i in range(3000)]}, row_group_size=700)


@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_a_row_is_a_record(tmp_path: Path, kind: pa.DataType) -> None:
    moment = datetime.datetime(2024, 1, 2, 3, 4, 5)
    uri = write(
        tmp_path / "a.parquet",
        {
            "url": ["http://a/", None],
            "text": pa.array(["Grüße", None]).cast(pa.string()).cast(kind)
            if kind != TYPES[3]
            else pa.array(["Grüße", None]).dictionary_encode(),
            "date": pa.array([moment, None], pa.timestamp("ns")),
            "score": [float("nan"), 1.0],
            "tags": [["b", "a"], None],
            "raw": [b"\xff", None],
        },
    )
    one, two = read(uri, LIMITS)
    meta = '{"raw":"/w==","score":null,"tags":["b","a"]}'
    assert one == Record(0, "http://a/", "2024-01-02T03:04:05Z", "text", "", "Grüße".encode(), meta)
    assert (two.offset, reason(two)) == (1, "quarantined no_text")
    assert count(uri) == 2


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (pa.array([b"\xff"]), "quarantined bad_utf8"),
        (pa.array(["x" * 20_000]), "quarantined record_too_large"),
        (pa.array([" "]), "removed empty_body"),
        (pa.array([1]), "quarantined no_text"),
        (pa.array([["a"]]), "quarantined no_text"),
    ],
)
def test_rows_that_are_no_documents(tmp_path: Path, texts: pa.Array, expected: str) -> None:
    (record,) = read(write(tmp_path / "a.parquet", {"text": texts}), LIMITS)
    assert reason(record) == expected


def test_a_file_without_a_text_column_says_so_by_row(tmp_path: Path) -> None:
    records = list(read(write(tmp_path / "a.parquet", {"content": ["a", "b"]}), LIMITS))
    assert [reason(record) for record in records] == ["quarantined no_text"] * 2


def test_ranges_are_slices_of_the_whole(numbers: str) -> None:
    whole = list(read(numbers, LIMITS))
    assert [record.offset for record in whole] == list(range(3000)) and count(numbers) == 3000
    for first, stop in (
        (0, None),
        (0, 0),
        (5, 6),
        (699, 701),
        (700, 1400),
        (1000, 2500),
        (2999, None),
        (3000, 4000),
        (9, 5),
    ):
        assert list(read(numbers, LIMITS, first, stop)) == whole[first:stop]


def test_row_groups_outside_of_the_range_are_not_read(numbers: str, monkeypatch: pytest.MonkeyPatch) -> None:
    groups: list[int] = []
    iterate = pq.ParquetFile.iter_batches

    def watched(self: Any, *args: Any, **options: Any) -> Any:
        groups.extend(options["row_groups"])
        return iterate(self, *args, **options)

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", watched)
    assert len(list(read(numbers, LIMITS, 1500, 2200))) == 700
    assert groups == [2, 3]


@pytest.mark.parametrize(
    ("data", "expected"), [(b"", "empty_file"), (b"PAR1", "broken_archive"), (b"x" * 999, "broken_archive")]
)
def test_what_is_no_parquet_file(tmp_path: Path, data: bytes, expected: str) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(data)
    assert [reason(record) for record in read(str(path), LIMITS)] == [f"quarantined {expected}"]
    assert list(read(str(path), LIMITS, 1)) == [] and count(str(path)) is None


def test_a_broken_row_group_costs_its_own_rows(numbers: str) -> None:
    data = bytearray(Path(numbers).read_bytes())
    chunk = pq.ParquetFile(numbers).metadata.row_group(1).column(0)
    data[chunk.dictionary_page_offset : chunk.dictionary_page_offset + 40] = bytes(40)
    Path(numbers).write_bytes(data)
    records = list(read(numbers, LIMITS))
    (lost,) = [record for record in records if record.refusal]
    assert lost.refusal is not None and (lost.offset, lost.refusal.value) == (700, 700)
    assert [int(record.content) for record in records if record.content] == [*range(700), *range(1400, 3000)]
    ranges = [record for first in range(0, 3000, 500) for record in read(numbers, LIMITS, first, first + 500)]
    assert ranges == records


def test_random_damage_never_raises(numbers: str) -> None:
    whole = Path(numbers).read_bytes()
    chance = random.Random(7)
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(chance.choice((1, 4, 20))):
            data[chance.randrange(len(data))] = chance.randrange(256)
        Path(numbers).write_bytes(data if chance.random() < 0.8 else data[: chance.randrange(len(data))])
        records = list(read(numbers, LIMITS, 0, 5000))
        offsets = [record.offset for record in records]
        assert records and offsets == sorted(set(offsets))
