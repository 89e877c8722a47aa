"""`why` and `trace`: what they answer for a document of every fate, and that no page steers the reader's terminal."""

from __future__ import annotations

import json
import shutil
import time
import unicodedata
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from connectors.errors import UserError
from curation.audit.find import text_of, trace, why
from curation.audit.show import plain
from curation.audit.verify import verify
from curation.engines.local import LocalEngine
from curation.pipeline.curate import curate
from tests.audit import composed
from tests.pipeline import ledger_of
from tests.pipeline.prepared import command


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, light_recipe: Path, engine: LocalEngine) -> Path:
    """A run over the composed archive."""
    folder = tmp_path_factory.mktemp("composed")
    composed.write(folder / "web" / "pages.warc.gz")
    changes = ["tokenize.vocabulary=300"]
    curate(str(light_recipe), str(folder / "web"), str(folder / "run"), engine=engine, changes=changes)
    return folder / "run"


def test_why_a_page_is_kept(small: Path) -> None:
    (story,) = [s for s in why(str(small), "https://good.example/kept") if s.fate["fate"] == "kept"]
    assert story.record["archive"] == "pages.warc.gz" and story.record["offset"] == 0
    assert story.record["date"] == "2024-05-06T07:08:09Z" and len(story.doc_id) == 32
    assert story.passed[:2] == ["read", "extract"] and story.measures["characters"] > 200
    assert story.fate["shard"] == "web/00000" and story.fate["tokens"] > 10
    assert "boats lay close together" in text_of(str(small), story)


def test_why_a_page_was_removed_with_value_and_threshold(small: Path) -> None:
    (story,) = why(str(small), "https://short.example/removed")
    assert (story.fate["fate"], story.fate["step"], story.fate["reason"]) == ("removed", "lengths", "short")
    assert (story.fate["value"], story.fate["threshold"]) == (len("Too short to stay."), 200)
    assert story.passed == ["read", "extract"] and text_of(str(small), story) == ""


def test_why_a_page_is_a_duplicate_and_of_what(small: Path) -> None:
    (story,) = why(str(small), "https://copy.example/duplicate")
    assert (story.fate["fate"], story.fate["reason"]) == ("duplicate", "exact")
    assert story.duplicate_of == "https://good.example/kept" and story.fate["similarity"] == 1.0


@pytest.mark.parametrize(
    ("url", "fate", "reason", "value"),
    [
        ("https://gone.example/", "removed", "error_status", 404),
        ("https://image.example/a.png", "removed", "not_html", None),
    ],
)
def test_why_a_record_is_no_page(small: Path, url: str, fate: str, reason: str, value: float | None) -> None:
    (story,) = why(str(small), url)
    assert (story.fate["fate"], story.fate["step"], story.fate["reason"]) == (fate, "read", reason)
    assert story.fate["value"] == value and story.passed == []


def test_why_a_record_is_in_quarantine(small: Path) -> None:
    fates = ledger_of.fates(small)
    quarantined = [doc_id for doc_id, row in fates.items() if row["fate"] == "quarantined"]
    assert quarantined
    for doc_id in quarantined:
        (story,) = why(str(small), doc_id=doc_id.hex())
        assert story.fate["step"] == "read" and story.fate["reason"]


def test_why_finds_every_document_of_a_run_by_its_id(run: Path) -> None:
    by_fate: dict[str, bytes] = {}
    for doc_id, row in ledger_of.fates(run).items():
        by_fate.setdefault(row["fate"] + row["step"], doc_id)
    assert len(by_fate) > 8
    for doc_id in by_fate.values():
        (story,) = why(str(run), doc_id=doc_id.hex())
        assert story.doc_id == doc_id.hex()
        steps = [step["step"] for step in json.loads((run / "manifest.json").read_text())["steps"]]
        assert story.passed == steps[: steps.index(story.fate["step"])]


def test_an_address_that_held_personal_data_is_found_by_its_stored_form_and_by_its_own(
    light_recipe: Path, engine: LocalEngine, tmp_path: Path
) -> None:
    url = "https://a.example/?mail=jane.miller@company.com"
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "a.warc.gz").write_bytes(composed.response(url, "<html><p>Short.</p></html>"))
    run = str(tmp_path / "run")
    changes = ["redact=[email]", "tokenize=null"]
    curate(str(light_recipe), str(tmp_path / "web"), run, engine=engine, changes=changes)
    (story,) = why(run, url)
    assert "jane" not in story.record["url"] and why(run, story.record["url"]) == [story]


def test_a_url_that_is_not_there_gets_the_nearest_of_its_site(run: Path) -> None:
    urls = sorted(set(ledger_of.urls(run).values()) - {""})
    url = next(url for url in urls if url.count("/") > 3)
    with pytest.raises(UserError) as raised:
        why(str(run), url[:-1] + "x")
    assert f"Did you mean '{url}'?" in str(raised.value) or "Did you mean" in str(raised.value)


def test_every_token_of_a_document_traces_to_it(light_run: Path) -> None:
    index = pq.read_table(light_run / "shards/crawl/00001.docs.parquet").to_pylist()
    for row in index[:3]:
        last = row["first_token"] + row["tokens"] - 1
        for token in (row["first_token"], row["first_token"] + 1, last):
            story = trace(str(light_run), "crawl/00001", token)
            assert bytes.fromhex(story.doc_id) == row["doc_id"]
            assert story.tokens["of_document"] == token - row["first_token"]


def test_answers_come_at_once(run: Path) -> None:
    """The library's answer, without the start of Python: well below a second each."""
    started = time.perf_counter()
    for _ in range(5):
        trace(str(run), "crawl/00000", 100)
    each = (time.perf_counter() - started) / 5
    print(f"trace: {1000 * each:.0f} ms")
    url = next(url for url in ledger_of.urls(run).values() if url)
    started = time.perf_counter()
    why(str(run), url)
    print(f"why: {1000 * (time.perf_counter() - started):.0f} ms")
    assert each < 2


def shown(*words: str | Path) -> str:
    done = command(*words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_command_tells_a_story_of_each_fate(small: Path) -> None:
    kept = shown("why", small, "--url", "https://good.example/kept")
    assert "KEPT" in kept and "boats lay close" in kept and "web/pages.warc.gz, record at 0" in kept
    assert "1 records of the same URL that are no response" in kept
    removed = shown("why", small, "--url", "https://short.example/removed")
    assert "REMOVED" in removed and "short: 18, threshold 200" in removed
    duplicate = shown("why", small, "--url", "https://copy.example/duplicate")
    assert "DUPLICATE" in duplicate and "the same text as https://good.example/kept" in duplicate
    fates = [story.fate for story in why(str(small), "https://good.example/kept")]
    (first,) = [fate["position"] for fate in fates if fate["fate"] == "kept"]
    token = shown("trace", small, "--shard", "web/00000", "--token", str(first + 5))
    assert "https://good.example/kept" in token and "number 6 of the document's" in token


def test_a_hostile_page_is_shown_as_plain_text(small: Path) -> None:
    url = next(url for url in ledger_of.urls(small).values() if "markup" in url)
    doc_id = next(doc_id for doc_id, found in ledger_of.urls(small).items() if found == url)
    output = shown("why", small, "--id", doc_id.hex())
    assert "[red]markup[/]" in output and "[red]not markup[/red]" in output
    steering = {c for c in output if c != "\n" and unicodedata.category(c) in ("Cc", "Cf")}
    assert steering == set()


def test_plain_leaves_the_text_of_all_scripts() -> None:
    text = "Grüße, κόσμε, 世界, שלום, مرحبا, 🎉\nnext line"
    assert plain(text) == text
    assert plain("a\x1b[31m\x00\u202e\u2066\u200f\x9b\r\x07b") == "a\ufffd[31m" + "\ufffd" * 7 + "b"


def test_a_run_folder_may_have_any_name(light_run: Path, tmp_path: Path) -> None:
    """Brackets, blanks, quotes and stars are no pattern here."""
    odd = tmp_path / "it's [1] *odd* {a,b} ?" / "ü"
    shutil.copytree(light_run, odd)
    assert verify(str(odd)) == []
    story = trace(str(odd), "crawl/00000", 3)
    assert text_of(str(odd), story) and why(str(odd), doc_id=story.doc_id)[0].fate == story.fate
