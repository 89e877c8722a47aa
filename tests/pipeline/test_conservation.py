"""Nothing is lost: every record has one fate, every count is the ledger's, and every token has its page."""

from __future__ import annotations

import csv
import gzip
import html
import json
import random
import re
from collections import Counter
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
from fastwarc.warc import ArchiveIterator
from tokenizers import Tokenizer

from curation.audit.find import trace
from curation.engines.local import LocalEngine
from curation.pipeline.curate import curate
from tests.pipeline import ledger_of

FATES = ("kept", "removed", "duplicate", "quarantined")


@pytest.fixture(scope="session")
def real_run(shared: Path, base: Path, engine: LocalEngine) -> Path:
    """The shipped recipe over real pages: four WARC files, and a WET file as a source of its own."""
    folder = base / "real"
    inputs = [f"crawl={shared}/data/crawl/*.warc.gz", f"wet={shared}/data/crawl/*.wet.gz"]
    changes = ["tokenize.vocabulary=1000", "tokenize.shard_tokens=200000", "redact=[]"]
    curate("fineweb", inputs, str(folder), engine=engine, changes=changes)
    return folder


@pytest.fixture(params=["run", "light_run", "real_run"])
def any_run(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.getfixturevalue(request.param)
    return folder


def test_in_is_kept_removed_duplicate_and_quarantined(any_run: Path) -> None:
    """Counted from the ledger by SQL of its own, source by source, and compared with the manifest."""
    counted = duckdb.execute(
        f"""WITH fates AS (
                SELECT doc_id, fate FROM read_parquet('{any_run}/ledger/refine/**/*.parquet')
                UNION ALL SELECT doc_id, fate FROM read_parquet('{any_run}/ledger/finish/**/*.parquet'))
            SELECT source, fate, count(*) FROM read_parquet('{any_run}/ledger/records/**/*.parquet')
            FULL JOIN fates USING (doc_id) GROUP BY source, fate"""
    ).fetchall()
    manifest = json.loads((any_run / "manifest.json").read_text())
    for source, row in manifest["sources"].items():
        by_fate = {fate: count for name, fate, count in counted if name == source}
        assert by_fate == {fate: row[fate] for fate in FATES if row[fate]}
        assert row["in"] == sum(by_fate.values())
    assert {name for name, _, _ in counted} == set(manifest["sources"])  # no fate without a record, no record without


def test_each_step_ended_what_the_ledger_says(any_run: Path) -> None:
    manifest = json.loads((any_run / "manifest.json").read_text())
    counted = Counter(ledger_of.verdicts(any_run).values())
    told = Counter()
    for step in manifest["steps"]:
        for fate, reasons in step["ended"].items():
            for reason, count in reasons.items():
                told[fate, step["step"], reason if fate != "kept" else None] += count
    assert told == counted
    steps = manifest["steps"]
    assert [step["entered"] for step in steps[1:]] == [step["went_on"] for step in steps[:-1]]


def test_every_removal_has_a_reason_and_every_threshold_a_value(any_run: Path) -> None:
    for row in ledger_of.fates(any_run).values():
        if row["fate"] == "kept":
            assert row["shard"] and row["tokens"] >= 1
        else:
            assert row["reason"] and row["step"] and row["shard"] is None
            assert row["threshold"] is None or row["value"] is not None
        assert (row["fate"] == "duplicate") == (row["duplicate_of"] is not None)


def test_every_duplicate_names_a_document_that_is_kept_and_comes_before_it(any_run: Path) -> None:
    records = ledger_of.table(any_run, "records")
    keys = ("doc_id", "source", "archive", "row")
    place = {row["doc_id"]: (row["source"], row["archive"], row["row"]) for row in records.select(keys).to_pylist()}
    fates = ledger_of.fates(any_run)
    duplicates = [row for row in fates.values() if row["fate"] == "duplicate"]
    assert duplicates
    for row in duplicates:
        assert fates[row["duplicate_of"]]["fate"] == "kept"
        assert place[row["duplicate_of"]] < place[row["doc_id"]]


def test_the_records_are_those_that_another_reader_counts(run: Path, crawl: Path) -> None:
    """warcio reads the same archives, but for the record that the last one is cut in."""
    archiveiterator = pytest.importorskip("warcio.archiveiterator")
    records = ledger_of.table(run, "records")
    for path in sorted(crawl.iterdir()):
        with path.open("rb") as file:
            offsets = []
            iterator = archiveiterator.ArchiveIterator(file)
            try:
                for record in iterator:
                    record.content_stream().read()
                    offsets.append(iterator.get_record_offset())
            except Exception:  # how warcio tells of a cut archive
                pass
        ours = [r["offset"] for r in records.select(["archive", "offset"]).to_pylist() if r["archive"] == path.name]
        assert set(offsets) <= set(ours) and len(ours) - len(set(offsets)) <= 2, path.name


def test_the_real_crawl_loses_no_record(real_run: Path, shared: Path) -> None:
    """The crawl's own manifest has a row a record."""
    with gzip.open(shared / "data" / "crawl" / "MANIFEST.tsv.gz", "rt") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    of_warc = {(row["file"], int(row["offset"])) for row in rows}
    records = ledger_of.table(real_run, "records").select(["source", "archive", "offset"]).to_pylist()
    assert len(of_warc) == len(rows) == json.loads((real_run / "manifest.json").read_text())["sources"]["crawl"]["in"]
    assert {(r["archive"], r["offset"]) for r in records if r["source"] == "crawl"} == of_warc


def test_the_tokens_of_a_shard_are_its_documents_in_order(any_run: Path) -> None:
    """Decoded by `tokenizers` and compared with the curated text, document by document."""
    tokenizer = Tokenizer.from_file(str(any_run / "tokenizer.json"))
    units = sorted((any_run / "documents").rglob("*.parquet"))
    kept = {row["doc_id"]: row for path in units for row in pq.read_table(path).to_pylist()}
    for path in sorted((any_run / "shards").rglob("*.docs.parquet")):
        name = path.relative_to(any_run / "shards").as_posix().removesuffix(".docs.parquet")
        tokens = np.fromfile(any_run / "shards" / f"{name}.bin", "<u2")
        index = pq.read_table(path).to_pylist()
        documents = [kept[row["doc_id"]] for row in index]
        end = 0
        for place, document in zip(index, documents, strict=True):
            assert place["first_token"] == end
            end += place["tokens"]
            ids = tokens[place["first_token"] : end].tolist()
            assert tokenizer.decode(ids[:-1], skip_special_tokens=False) == document["text"]
            assert tokenizer.id_to_token(ids[-1]) == "<|endoftext|>"
        assert end == len(tokens)


@pytest.mark.parametrize("name", ["run", "real_run"])
def test_random_tokens_trace_to_the_page_that_holds_them(name: str, request: pytest.FixtureRequest) -> None:
    """100 tokens: `trace` gives URL, archive and offset; the page that lies there in the archive has the words around."""
    folder: Path = request.getfixturevalue(name)
    archives: Path = (
        request.getfixturevalue("crawl") if name == "run" else request.getfixturevalue("shared") / "data/crawl"
    )
    shards = [row for row in json.loads((folder / "manifest.json").read_text())["shards"] if row["tokens"]]
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    draw = random.Random(5)
    found = 0
    pages: dict[tuple[str, int], tuple[str, str]] = {}
    for shard in draw.choices(shards, [row["tokens"] for row in shards], k=100):
        position = draw.randrange(shard["tokens"])
        story = trace(str(folder), shard["shard"], position)
        place = story.tokens
        assert place["first_token"] <= position < place["first_token"] + place["tokens"]
        tokens = np.fromfile(folder / "shards" / f"{shard['shard']}.bin", "<u2")
        first = max(place["first_token"], position - 6)
        last = min(place["first_token"] + place["tokens"] - 1, position + 6)
        around = tokenizer.decode(tokens[first:last].tolist())
        where = story.record["archive"], story.record["offset"]
        if where not in pages:
            pages[where] = page_at(archives / where[0], where[1])
        url, text = pages[where]
        if name == "real_run":
            assert url == story.record["url"]
        words = [word for word in re.findall(r"\w+", around)[1:-1] if word != "redacted"]  # the outer ones may be cut
        assert all(word in text for word in words), (url, words)
        found += len(words) >= 2
    assert found > 60


def page_at(path: Path, offset: int) -> tuple[str, str]:
    """URL and text of the record at an offset: the whole archive's byte range from there, tags and entities undone."""
    with path.open("rb") as file:
        file.seek(offset)
        record = next(iter(ArchiveIterator(file, parse_http=True)))
        body = record.reader.read()
        http = record.http_headers
        if http and (http.get("Content-Encoding") or "").lower() == "gzip":
            body = gzip.decompress(body)
    charset = (record.http_charset if http else None) or "utf-8"
    try:
        text = body.decode(charset)
    except (LookupError, UnicodeDecodeError):
        text = body.decode("utf-8", "replace") + body.decode("latin-1")
    return record.headers.get("WARC-Target-URI") or "", html.unescape(text) + html.unescape(
        re.sub(r"<[^>]*>", "", text)
    )


def test_measures_and_edits_are_there_for_every_document_that_was_measured(any_run: Path) -> None:
    """Whatever steps the recipe has: the light one has no language step."""
    measures = {row["doc_id"]: row for row in ledger_of.table(any_run, "measures").to_pylist()}
    for doc_id, row in ledger_of.fates(any_run).items():
        passed_filters = row["fate"] in ("kept", "duplicate")
        if passed_filters:
            assert measures[doc_id]["characters"] > 0
    assert len(ledger_of.table(any_run, "edits")) > 0
