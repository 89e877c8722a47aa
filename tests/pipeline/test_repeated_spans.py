"""A run that cuts repeated spans: which text is left, what the ledger tells of it, and the same bytes in any case."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from connectors import storage
from connectors.errors import UserError
from curation.audit.find import why
from curation.audit.verify import verify
from curation.dedup.repeated_spans import pack_told
from curation.dedup.spans import SpanRule
from curation.engines.local import LocalEngine
from curation.engines.spark import SparkEngine
from curation.pipeline import repeated_spans
from curation.pipeline.curate import curate
from curation.recipes.load import parse_recipe
from curation.recipes.model import Recipe
from curation.run.folder import RunFolder
from curation.run.receipt import Unbalanced
from tests.pipeline import ledger_of
from tests.pipeline.prepared import content

WORDS = ["harbour", "lantern", "meadow", "copper", "violin", "glacier", "saffron", "timber", "marble", "orchard"]
FOOT = "Subscribe to our letter, page {n} of 9"  # the same line in its normal form
SHARED = "The ferry leaves at nine. Bring a warm coat. Nobody swims here."


def sentences(draw: random.Random, count: int) -> str:
    return " ".join(" ".join(draw.choices(WORDS, k=9)).capitalize() + "." for _ in range(count))


def pages() -> list[dict[str, str]]:
    """Twelve pages of each of three sites; a foot line on a site's own pages, and three sentences on some of all sites."""
    draw = random.Random(3)
    rows = []
    for number in range(36):
        site = ("one.example", "www.two.co.uk", "three.example")[number % 3]
        lines = [sentences(draw, 4), sentences(draw, 3)]
        if site != "three.example" or number < 12:  # of the third site four pages have it: too few
            lines.append(FOOT.format(n=number % 10))
        if number % 5 == 0:
            lines.insert(1, SHARED)
        if number == 35:
            lines = [SHARED, "And more."]
        rows.append({"url": f"https://{site}/{number}", "text": "\n".join(lines)})
    rows.append({"url": "https://one.example/again", "text": rows[0]["text"]})  # a duplicate of the first
    return rows


RECIPE: dict[str, Any] = {
    "recipe": "spans",
    "dedup": {"exact": True},
    "repeated": {
        "spans": [
            {"unit": "sentences", "run": 3},
            {"unit": "lines", "within": "domain", "documents": 10, "keep": "none"},
        ],
        "min_words": 10,
    },
    "tokenize": {"tokenizer": "train", "vocabulary": 300, "shard_tokens": 1000},
}
Curated = Callable[..., Path]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages in files of seven."""
    folder = tmp_path_factory.mktemp("spans") / "pages"
    folder.mkdir()
    rows = pages()
    for first in range(0, len(rows), 7):
        lines = [json.dumps(row) for row in rows[first : first + 7]]
        (folder / f"{first:02d}.jsonl").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def cut_run(corpus: Path, engine: LocalEngine) -> Path:
    """A finished run; not to be changed."""
    folder = corpus.parent / "run"
    curate(recipe(), str(corpus), str(folder), engine=engine)
    return folder


def recipe(**changes: Any) -> Recipe:
    return parse_recipe({**RECIPE, **changes}, "spans")


def texts_of(run: Path) -> dict[str, str]:
    rows = [row for path in sorted((run / "documents").rglob("*.parquet")) for row in pq.read_table(path).to_pylist()]
    return {row["url"]: row["text"] for row in rows}


def test_boilerplate_of_a_site_goes_and_three_sentences_stay_once(cut_run: Path) -> None:
    rows, left = pages(), texts_of(cut_run)
    assert set(left) == {row["url"] for row in rows[:35]}  # all but the one that was cut short, and the duplicate
    for number, row in enumerate(rows[:35]):
        expected = [line for line in row["text"].split("\n") if not line.startswith("Subscribe") or number % 3 == 2]
        if SHARED in expected and number > 0:
            expected.remove(SHARED)
        assert left[row["url"]] == "\n".join(expected)


def test_the_ledger_tells_what_was_cut_and_why_a_document_is_out(cut_run: Path) -> None:
    [cut] = why(str(cut_run), url="https://www.two.co.uk/10")
    assert cut.fate["fate"] == "kept" and "repeated" in cut.passed
    assert sorted(cut.edits) == [("repeated", "lines_of_domain", 1), ("repeated", "sentences", 3)]
    [out] = why(str(cut_run), url="https://three.example/35")
    told = [out.fate[name] for name in ("fate", "step", "reason", "value", "threshold")]
    assert told == ["removed", "repeated", "too_few_words", 3.0, 10.0]
    counted: dict[str, int] = {}
    for row in ledger_of.table(cut_run, "edits").to_pylist():
        counted[row["kind"]] = counted.get(row["kind"], 0) + row["count"]
    assert counted == {"lines_of_domain": 24, "sentences": 3 * 7}


def test_nothing_is_lost_and_verify_finds_nothing(cut_run: Path) -> None:
    manifest = json.loads((cut_run / "manifest.json").read_text())
    assert manifest["sources"] == {"pages": {"in": 37, "kept": 35, "removed": 1, "duplicate": 1, "quarantined": 0}}
    assert [step["step"] for step in manifest["steps"]][-3:] == ["dedup", "repeated", "tokenize"]
    assert len(ledger_of.fates(cut_run)) == 37
    assert not verify(str(cut_run))
    assert not (cut_run / "work").exists()


def test_what_only_duplicates_repeat_is_not_repeated(corpus: Path, engine: LocalEngine, tmp_path: Path) -> None:
    """Without deduplication, the first page and its copy share every sentence: the copy loses all."""
    curate(recipe(dedup=None), str(corpus), str(tmp_path / "run"), engine=engine)
    assert "https://one.example/again" not in texts_of(tmp_path / "run")
    [story] = why(str(tmp_path / "run"), url="https://one.example/again")
    assert story.fate["step"] == "repeated"


@pytest.mark.parametrize(("spans", "partitions"), [(1_000_000, 1), (40, 7)])
def test_partitions_tasks_and_batches_do_not_show(
    cut_run: Path,
    corpus: Path,
    engine: LocalEngine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    spans: int,
    partitions: int,
) -> None:
    seen: list[int] = []
    shuffle = engine.shuffle

    def watched(emit: Any, items: Any, reduce: Any, count: int) -> Any:
        seen.append(count)
        return shuffle(emit, items, reduce, count)

    monkeypatch.setattr(engine, "shuffle", watched)
    monkeypatch.setattr(repeated_spans, "SPANS_PER_PARTITION", spans)
    monkeypatch.setattr(repeated_spans, "SPANS_PER_TASK", spans)
    curate(recipe(), str(corpus), str(tmp_path / "run"), engine=engine, batch_documents=3)
    assert content(tmp_path / "run") == content(cut_run)
    assert max(seen) >= partitions


def test_spark_gives_the_same_bytes(cut_run: Path, corpus: Path, spark_engine: SparkEngine, tmp_path: Path) -> None:
    curate(recipe(), str(corpus), str(tmp_path / "run"), engine=spark_engine)
    assert content(tmp_path / "run") == content(cut_run)


def test_a_stopped_run_goes_on_and_repeats_no_split_that_was_done(
    cut_run: Path, corpus: Path, engine: LocalEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> None:
        raise KeyboardInterrupt

    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(repeated_spans, "decide_all", fails)
        with pytest.raises(KeyboardInterrupt):
            curate(recipe(), str(corpus), str(folder), engine=engine)
    receipts = {path: (folder / path).read_bytes() for path in storage.list_files(str(folder), "") if "/spans/" in path}
    done = {path: content for path, content in receipts.items() if path.startswith("receipts/spans/")}
    assert len(done) == 6
    curate(recipe(), str(corpus), str(folder), engine=engine)
    assert {path: (folder / path).read_bytes() for path in done} == done  # they hold a clock
    assert content(folder) == content(cut_run)


def test_a_task_that_a_partition_never_heard_of_is_an_error(tmp_path: Path) -> None:
    run = RunFolder(str(tmp_path))
    rules = (SpanRule(unit="lines"),)
    decider = repeated_spans.DecideCuts(run, rules, groups=3, splits=3)
    blobs = [pack_told(number, []) for number in range(3)]
    decider(0, blobs)
    with pytest.raises(Unbalanced, match="2 tasks of 3"):
        decider(0, blobs[:2])


@pytest.mark.parametrize(
    "wrong",
    [{"spans": []}, {"spans": [{"unit": "word"}]}, {"spans": [{"unit": "lines"}], "keep": "first"}, {"min_words": 3}],
)
def test_a_mistake_in_the_recipe_is_told_before_any_work(wrong: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="repeated"):
        recipe(repeated=wrong)


def test_the_resolved_recipe_has_all_defaults_of_a_rule() -> None:
    [rule, _] = recipe().resolved()["repeated"]["spans"]
    assert rule == {
        "unit": "sentences", "run": 3, "within": "corpus", "documents": 1, "keep": "first", "min_characters": 0
    }  # fmt: skip
