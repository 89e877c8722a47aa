"""WARC and WET files as they are found: a crawl with its manifest, and odd and broken archives with counts."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from pathlib import Path

import pytest

from connectors.records import Limits, Record
from connectors.warc import read

DAMAGE = {"truncated_archive", "broken_archive", "not_a_warc", "empty_file"}
KINDS = {
    "page": "html",
    "duplicate": "html",
    "text": "text",
    "warcinfo": "not_a_response",
    "request": "not_a_response",
    "metadata": "not_a_response",
    "revisit": "revisit",
    "redirect": "redirect",
    "error": "error_status",
    "empty": "empty_body",
    "truncated": "truncated_payload",
}


def outcome(record: Record) -> str:
    return record.refusal.reason if record.refusal else record.media


@pytest.fixture(scope="module")
def manifest(shared: Path) -> dict[str, list[dict[str, str]]]:
    rows: dict[str, list[dict[str, str]]] = defaultdict(list)
    with gzip.open(shared / "data/crawl/MANIFEST.tsv.gz", "rt") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            rows[row["file"]].append(row)
    return rows


def test_a_crawl_is_read_as_its_manifest_says(shared: Path, manifest: dict[str, list[dict[str, str]]]) -> None:
    """Oracle: MANIFEST.tsv.gz of the crawl: place, kind, status, decoded size and character set of each record."""
    assert len(manifest) >= 4
    for name, rows in manifest.items():
        records = list(read(str(shared / "data/crawl" / name), Limits()))
        assert [record.offset for record in records] == [int(row["offset"]) for row in rows]
        for record, row in zip(records, rows, strict=True):
            if row["kind"] == "nonhtml":
                assert outcome(record) == ("robots_txt" if row["target_uri"].endswith("/robots.txt") else "not_html")
            else:
                assert outcome(record) == KINDS[row["kind"]]
            assert record.url == row["target_uri"].removesuffix("-" if row["target_uri"] == "-" else "")
            assert record.charset in ("", row["charset"])
            if record.media:
                assert len(record.content) == int(row["decoded_body_bytes"])
                assert record.date
            if record.refusal and record.refusal.reason in ("redirect", "error_status"):
                assert record.refusal.value == int(row["http_status"])


def test_a_wet_file_yields_its_texts(shared: Path) -> None:
    records = list(read(str(shared / "data/crawl/crawl-0.warc.wet.gz"), Limits()))
    assert outcome(records[0]) == "not_a_response"
    assert len(records) == 321 and all(record.url for record in records[1:])
    assert [outcome(record) for record in records[1:]].count("empty_body") == 1  # a page without text
    assert all(record.content.decode().strip() for record in records[1:] if outcome(record) == "text")


def test_odd_and_broken_archives_give_what_fastwarc_gives(shared: Path) -> None:
    """Oracle: FastWARC 2.0.1's record counts (REFERENCE.tsv); all that it cannot read ends in quarantined rows."""
    folder = shared / "data/archives"
    more = []
    with (folder / "REFERENCE.tsv").open() as file:
        references = list(csv.DictReader(file, delimiter="\t"))
    assert len(references) == 201
    for reference in references:
        records = list(read(str(folder / reference["file"]), Limits()))
        offsets = [record.offset for record in records]
        assert offsets == sorted(set(offsets)) and records
        damage = [record for record in records if outcome(record) in DAMAGE]
        found, expected = len(records) - len(damage), int(reference["fastwarc_records"])
        assert found >= expected, reference["file"]
        assert damage or reference["fastwarc_error"] == "-"
        if found > expected:
            more.append(reference["file"])
    # Reading goes on behind members whose header FastWARC refuses.
    assert more == ["files/jhove--valid-warcfile-upper-lower-case.warc.gz"]
