"""`corpusmill seen` against the batches that a training is given, on a curated run."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from connectors.errors import UserError
from curation.audit.find import why
from curation.audit.show import plain
from curation.audit.story import Ledger
from jobs.seen import main, page_account, plan_of
from tests.jobs.counted import STEPS, rendered, rows, trained, write_config


@pytest.fixture
def config(tmp_path: Path) -> str:
    """A training's file."""
    return write_config(tmp_path)


def test_the_steps_of_pages(light_run: Path, config: str) -> None:
    plan = plan_of(str(light_run), "train", config)
    counted = trained(plan, light_run)
    several = [url for url in sorted(counted) if len(counted[url]) > 1][:4]
    assert len(several) == 4
    for url in several:
        (story,) = [one for one in why(str(light_run), url) if one.fate["fate"] == "kept"]
        text = rendered(page_account(plan, story, most=1000))
        steps: Counter[int] = Counter()
        for step, _, _, _, tokens in rows(text):
            steps[int(step.replace(",", ""))] += int(tokens)
        assert steps == counted[url]
        assert text.startswith(plain(url))
        assert f"{sum(steps.values()):,} tokens in {len(steps)} of {STEPS} steps" in text


def test_a_page_that_was_removed(light_run: Path, config: str) -> None:
    files = [str(light_run / "ledger" / part / "**" / "*.parquet") for part in ("records", "refine")]
    removed = (
        "SELECT r.url FROM read_parquet(?) r JOIN read_parquet(?) f USING (doc_id) WHERE fate = 'removed' AND url != ''"
    )
    url = duckdb.execute(f"{removed} ORDER BY url LIMIT 1", files).fetchall()[0][0]
    text = rendered(page_account(plan_of(str(light_run), "train", config), why(str(light_run), url)[0], 10))
    assert "is never trained on: it was removed by" in text


def test_a_page_whose_source_is_not_drawn(light_run: Path, config: str) -> None:
    plan = plan_of(str(light_run), "train", config)
    plan.source_names = []
    stories = why(str(light_run), trained_urls(light_run)[0])
    story = next(story for story in stories if story.fate["fate"] == "kept")
    assert "is in no stage of the training" in rendered(page_account(plan, story, 10))


def trained_urls(run: Path) -> list[str]:
    paths = sorted((run / "documents").rglob("*.parquet"))
    return [url for path in paths[:1] for url in pq.read_table(path)["url"].to_pylist()[:3]]


def test_the_training_that_has_started(
    light_run: Path, config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    shutil.copytree(light_run, run)
    with pytest.raises(UserError, match="There is no training 'train' in .* Start one: corpusmill train"):
        main(str(run), "https://x.example/")
    (run / "train" / "first").mkdir(parents=True)
    shutil.copy(config, run / "train" / "first" / "config.yaml")
    with pytest.raises(UserError, match="There is no training 'fist' in .* Did you mean 'first'?"):
        main(str(run), "https://x.example/", name="fist")
    main(str(run), trained_urls(run)[0], name="first")
    assert "tokens in" in capsys.readouterr().out


def test_a_page_that_is_held_out(light_run: Path, config: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(str(light_run), "train", config)
    (story,) = [one for one in why(str(light_run), trained_urls(light_run)[0]) if one.fate["fate"] == "kept"]
    shard = f"validation/{story.fate['shard']}"
    held = replace(story, fate=story.fate | {"shard": shard})
    monkeypatch.setattr(Ledger, "shards", {shard: {"part": "validation"}})
    assert "is never trained on: it is held out for validation" in rendered(page_account(plan, held, 10))


def test_mistakes(light_run: Path, config: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no run: there is no such folder"):
        main(str(tmp_path / "none"), "http://x.example/")
    with pytest.raises(UserError, match="No record of"):
        main(str(light_run), "http://nowhere.example/x", config=config)
