"""A training that has begun when persons are erased: its checkpoints are told of, and it goes on with weight 0 on the spans."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from connectors.errors import UserError
from curation.audit.erase.account import Checkpoint
from curation.audit.erase.erasing import erasing
from curation.audit.erase.requests import Request
from curation.engines.local import LocalEngine
from jobs import compact, erase
from tests.audit.planted_persons import Planted, planted_run
from trainer.config import Training
from trainer.data.batch import all_batches, step_batches
from trainer.data.plan import DataPlan

STEPS = 4


def training(steps: int = STEPS) -> Any:
    model = {"layers": 1, "hidden": 16, "heads": 2, "kv_heads": 2, "feed_forward": 32, "vocabulary": 640}
    return Training.model_validate(
        {
            "name": "first",
            "data": {"sequence_length": 64, "documents": "isolated"},
            "batch": {"sequences": 8, "micro": 4},
            "model": model,
            "schedule": {"steps": steps, "warmup": 1},
            "checkpoint": {"every": 2, "keep_last": 9},
        }
    )


@pytest.fixture(scope="module")
def trained(base: Path, engine: LocalEngine, tmp_path_factory: pytest.TempPathFactory) -> tuple[Planted, Path]:
    """The planted run with a training of four steps, and checkpoints after two and four; not to be changed."""
    pytest.importorskip("torch")
    from trainer.loop import train

    corpus, run = planted_run(base)
    target = tmp_path_factory.mktemp("trained") / "run"
    shutil.copytree(run, target)
    train(training(), target)
    return corpus, target


@pytest.fixture
def copy(trained: tuple[Planted, Path], tmp_path: Path) -> Path:
    """A copy, to be changed."""
    shutil.copytree(trained[1], tmp_path / "run")
    return tmp_path / "run"


def first_steps(run: Path) -> dict[bytes, int]:
    """For each document the first step whose batch holds a label of it: every batch looked at."""
    plan = DataPlan(training(), run)
    ids = [
        [
            doc_id
            for shard in source.shards
            for doc_id in pq.read_table(run / f"shards/{shard}.docs.parquet")["doc_id"].to_pylist()
        ]
        for source in plan.sources
    ]
    first: dict[bytes, int] = {}
    for made in all_batches(plan, 0, STEPS):
        for batch in made.batches:
            for span in batch.spans:
                first.setdefault(ids[span["source"]][span["document"]], made.step)
    return first


def test_checkpoints_that_saw_a_person_are_told_of(trained: tuple[Planted, Path]) -> None:
    """Oracle: every label of every batch."""
    corpus, run = trained
    first_of, seen = first_steps(run), set[int | None]()
    for person in corpus.persons[:15]:
        with erasing(str(run), [Request("doc_id", person.pages[0].hex())]) as erasure:
            found = erasure.find()
        first = min((first_of[doc_id] for doc_id in found.documents if doc_id in first_of), default=None)
        told = [Checkpoint("first", step, first) for step in (2, 4) if first is not None and first < step]
        assert erase.checkpoints_of(str(run), found) == told
        seen.add(first)
    assert {None, 2} & seen and {0, 1} & seen


def test_the_training_goes_on_and_does_not_learn_what_is_gone(
    trained: tuple[Planted, Path], copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from trainer.loop import train
    from trainer.metrics import read_metrics

    before = [step_batches(DataPlan(training(8), copy), step) for step in range(8)]
    requests = copy.parent / "requests.jsonl"
    requests.write_text("".join(json.dumps(one) + "\n" for one in trained[0].requests()))
    erase.main(str(copy), requests=str(requests), yes=True, date="2026-01-02")
    shown = capsys.readouterr().out
    assert "Checkpoints trained on it" in shown and "✓ 0 hits" in shown
    account = json.loads((copy / "erasures/00001.json").read_text())
    assert account["checkpoints"] == [{"training": "first", "step": step, "first_step": 0} for step in (2, 4)]
    outcome = train(training(8), copy, change=True)
    assert outcome.step == 8 and outcome.loss is not None
    records = read_metrics(copy / "train/first/metrics.jsonl")
    plan = DataPlan(training(8), copy)
    for step, (record, old) in enumerate(zip(records, before, strict=True)):
        learned = old.trained_tokens if step < STEPS else plan.trained_tokens(step)
        assert record["trained_tokens"] == learned
        assert plan.trained_tokens(step) < old.trained_tokens
    with pytest.raises(UserError, match="Nothing was changed: say --yes to compact"):
        compact.main(str(copy))
    compact.main(str(copy), yes=True)
    with pytest.raises(UserError, match="was trained so far with another configuration: the data's plan differs"):
        train(training(9), copy, change=True)
    with erasing(str(copy), [Request("doc_id", trained[0].ordinary[0].hex())]) as erasure:
        told = erase.checkpoints_of(str(copy), erasure.find())
    assert {(one.training, one.first_step) for one in told} == {("first", None)}


def test_a_dry_run_and_no_consent_change_nothing(
    trained: tuple[Planted, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    corpus, run = trained
    person = corpus.persons[0]
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    erase.main(str(run), domain=[person.domain], text=[person.requests["text"]], dry_run=True)
    shown = capsys.readouterr().out
    assert "this was a dry run" in shown and f"1 domain {person.domain}" in shown and person.pages[0].hex() in shown
    assert "2 text" in shown and person.requests["text"][:40] not in shown
    with pytest.raises(UserError, match="Nothing was changed: say --yes to erase, or --dry-run to look"):
        erase.main(str(run), domain=[person.domain])
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_mistakes(trained: tuple[Planted, Path], tmp_path: Path) -> None:
    run = str(trained[1])
    for given, told in (
        ({}, "Name what to erase: --url"),
        ({"doc_id": ["12"]}, "is no document id"),
        ({"text_file": [str(tmp_path / "none")]}, "Cannot read .*none"),
        ({"url": ["http://x.example"], "date": "yesterday"}, "--date yesterday is no day"),
    ):
        with pytest.raises(UserError, match=told):
            erase.main(run, **given)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="holds no run: there is no manifest.json"):
        erase.main(str(tmp_path), url=["http://x.example"])
    (tmp_path / "manifest.json").write_text(json.dumps({"status": "open", "plan_digest": "", "plan": {}}))
    with pytest.raises(UserError, match="is not finished"):
        erase.main(str(tmp_path), url=["http://x.example"])
