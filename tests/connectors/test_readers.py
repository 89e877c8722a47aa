"""Which reader reads which file."""

from __future__ import annotations

import gzip
import sys
from functools import partial
from pathlib import Path

import pytest

import connectors
from connectors import jsonl, parquet, readers, warc
from connectors.errors import UserError
from connectors.readers import formats, reader_for

gzipped = partial(gzip.compress, mtime=0)  # a clock in a test's name makes two workers see two tests


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("CC-MAIN-1.warc.gz", warc.read),
        ("a/b.WARC", warc.read),
        ("a.warc.wet.gz", warc.read),
        ("a.wet.gz", warc.read),
        ("file:///x/a.warc.zst", warc.read),
        ("a.warc.lz4", warc.read),
        ("a.arc.gz", warc.read),
        ("c4-train.00000-of-01024.json.gz", jsonl.read),
        ("a.jsonl", jsonl.read),
        ("a.ndjson.zst", jsonl.read),
        ("000_00000.parquet", parquet.read),
    ],
)
def test_the_name_tells(name: str, read: object) -> None:
    assert reader_for(name) is read


@pytest.mark.parametrize(
    ("data", "read"),
    [
        (b"WARC/1.0\r\n", warc.read),
        (gzipped(b"WARC/1.1\r\n"), warc.read),
        (b'\xef\xbb\xbf\n{"text": ""}', jsonl.read),
        (gzipped(b'{"text": ""}'), jsonl.read),
        (b"PAR1", parquet.read),
    ],
)
def test_else_the_first_bytes_tell(tmp_path: Path, data: bytes, read: object) -> None:
    (tmp_path / "data.open").write_bytes(data)
    assert reader_for(str(tmp_path / "data.open")) is read


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"\x1f\x8b\xff", gzipped(b"text")])
def test_an_unknown_kind_is_told_in_one_line(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "data.zip").write_bytes(data)
    with pytest.raises(UserError, match=r"data\.zip .*known: .*\.jsonl.*\.parquet.*\.warc\.gz") as caught:
        reader_for(str(tmp_path / "data.zip"))
    assert "\n" not in str(caught.value)


def test_a_new_format_is_a_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lines.py").write_text(
        'SUFFIXES = (".lines",)\nMAGIC = (b"#lines",)\ndef read(uri, limits, first=0, stop=None):\n    yield\n'
    )
    monkeypatch.setattr(connectors, "__path__", [*connectors.__path__, str(tmp_path)])
    readers.formats.cache_clear()
    try:
        assert reader_for("a.lines").__module__ == "connectors.lines"
    finally:
        readers.formats.cache_clear()
        sys.modules.pop("connectors.lines")


def test_every_format_says_what_it_reads() -> None:
    assert {module.__name__ for module in formats()} >= {"connectors.warc", "connectors.jsonl", "connectors.parquet"}
    for module in formats():
        assert module.SUFFIXES and module.MAGIC and module.__doc__
