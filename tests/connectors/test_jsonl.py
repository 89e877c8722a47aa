"""Text corpora as JSON lines."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.jsonl import read
from connectors.records import Limits, Record

LIMITS = Limits(record_bytes=10_000)
PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "zstd": lambda data: pa.compress(data, codec="zstd", asbytes=True),
}


@pytest.fixture
def rows(tmp_path: Path) -> Callable[[bytes], list[Record]]:
    def of(data: bytes) -> list[Record]:
        path = tmp_path / "test.jsonl"
        path.write_bytes(data)
        return list(read(str(path), LIMITS))

    return of


def reason(record: Record) -> str:
    return f"{record.refusal.fate} {record.refusal.reason}" if record.refusal else record.media


@pytest.mark.parametrize("packing", sorted(PACKINGS))
def test_a_line_is_a_record(rows: Callable[[bytes], list[Record]], packing: str) -> None:
    line = {"text": "Grüße\n", "url": "http://a/", "timestamp": "2019-04-25T12:57:54Z", "z": [1, None], "id": "ü"}
    data = b"\xef\xbb\xbf" + json.dumps(line).encode() + b"\r\n\n" + b'{"text": "end"}'
    one, two = rows(PACKINGS[packing](data))
    assert one == Record(
        0, "http://a/", "2019-04-25T12:57:54Z", "text", "", "Grüße\n".encode(), '{"id":"ü","z":[1,null]}'
    )
    assert two == Record(2, media="text", content=b"end")


def test_what_is_unfit_for_a_field_stays_in_meta(rows: Callable[[bytes], list[Record]]) -> None:
    line = {"text": "a", "url": None, "timestamp": 17, "date": "2019-04-25T12:57:54+02:00"}
    (record,) = rows(json.dumps(line).encode())
    assert (record.url, record.date, record.meta) == ("", "2019-04-25T12:57:54+02:00", '{"timestamp":17,"url":null}')
    (record,) = rows(b'{"text": "a", "date": "yesterday", "score": NaN, "big": 1e999}')
    assert (record.date, record.meta) == ("", '{"big":null,"date":"yesterday","score":null}')


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"{", "quarantined bad_json"),
        (b"[1]", "quarantined bad_json"),
        (b"[" * 9000, "quarantined bad_json"),
        (b'{"text": 1' + b"0" * 5000 + b"}", "quarantined bad_json"),
        (b'{"url": "http://a/"}', "quarantined no_text"),
        (b'{"text": null}', "quarantined no_text"),
        (b'{"text": ["a"]}', "quarantined no_text"),
        (b'{"text": " "}', "removed empty_body"),
        (b'{"text": "\xff"}', "quarantined bad_utf8"),
        (b'{"text": "\\ud800"}', "quarantined bad_utf8"),
        (b'{"text": "a", "b": "\\ud800"}', "quarantined bad_utf8"),
        (b'{"text": "' + b"a" * 20_000 + b'"}', "quarantined record_too_large"),
    ],
)
def test_lines_that_are_no_documents(rows: Callable[[bytes], list[Record]], line: bytes, expected: str) -> None:
    records = rows(b'{"text": "a"}\n' + line + b'\n{"text": "b"}\n')
    assert [reason(record) for record in records] == ["text", expected, "text"]
    assert [record.offset for record in records] == [0, 1, 2]


@pytest.mark.parametrize("packing", sorted(PACKINGS))
def test_a_line_of_any_length_is_never_held(tmp_path: Path, packing: str) -> None:
    path = tmp_path / "long.jsonl"
    path.write_bytes(PACKINGS[packing](b"a" * (20 << 20) + b'\n{"text": "b"}'))
    long, after = read(str(path), LIMITS)
    assert long.refusal is not None
    assert (long.refusal.reason, long.refusal.value, long.refusal.threshold) == ("record_too_large", 20 << 20, 10_000)
    assert after.content == b"b"


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_a_cut_file_keeps_its_good_lines(tmp_path: Path, packing: str) -> None:
    path = tmp_path / "cut.jsonl"
    lines = b"".join(b'{"text": "%d", "x": "%d"}\n' % (i, i * i * 7919) for i in range(20_000))
    data = PACKINGS[packing](lines)
    path.write_bytes(data[: len(data) // 2])
    records = list(read(str(path), LIMITS))
    assert reason(records[-1]) == "quarantined truncated_archive"
    assert len(records) > 5_000
    assert [int(record.content) for record in records[:-1]] == list(range(len(records) - 1))
    path.write_bytes(data[:-1])
    assert reason(list(read(str(path), LIMITS))[-1]) == "quarantined truncated_archive"
    assert list(read(str(path), LIMITS, 3, 7)) == records[3:7]


def test_gzip_members_padding_and_garbage(rows: Callable[[bytes], list[Record]]) -> None:
    member = gzip.compress(b'{"text": "a"}\n')
    assert [reason(record) for record in rows(member * 2 + bytes(500))] == ["text", "text"]
    assert [reason(record) for record in rows(member + b"garbage")] == ["text", "quarantined broken_archive"]
    assert rows(b"") == rows(gzip.compress(b"")) == []


@given(st.binary(max_size=400), st.sampled_from(sorted(PACKINGS)), st.integers(0, 400), st.integers(0, 255))
@settings(deadline=None, max_examples=200)
def test_damage_never_raises(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, packing: str, at: int, to: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    packed = bytearray(PACKINGS[packing](data + b'\n{"text": "a"}'))
    packed[at % len(packed)] = to
    path.write_bytes(packed)
    records = list(read(str(path), Limits(record_bytes=100)))
    offsets = [record.offset for record in records]
    assert records and offsets == sorted(set(offsets))
