"""`corpusmill seen` against the batches that a training is given, on a curated run."""

from __future__ import annotations

import io
import shutil
from collections import Counter, defaultdict
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from rich.console import Console, RenderableType

from connectors.errors import UserError
from curation.audit.find import why
from curation.audit.show import plain
from jobs.seen import main, page_account, plan_of, step_table
from trainer.data.batch import all_batches
from trainer.data.plan import DataPlan

STEPS = 30
CONFIGURATION = (
    "data: {sequence_length: 64, documents: isolated}\nbatch: {sequences: 16, micro: 4}\nschedule: {steps: 30}\n"
)


@pytest.fixture
def config(tmp_path: Path) -> str:
    """A training's file."""
    path = tmp_path / "train.yaml"
    path.write_text(CONFIGURATION)
    return str(path)


def rendered(part: RenderableType) -> str:
    written = io.StringIO()
    Console(file=written, width=250).print(part)
    return written.getvalue()


def trained(plan: DataPlan, run: Path) -> dict[str, Counter[int]]:
    """Trained tokens of each URL at each step, counted label by label in the batches themselves."""
    urls: dict[str, list[str]] = {}
    for name, source in zip(plan.source_names, plan.sources):
        parts = [pq.read_table(run / "documents" / f"{shard}.parquet") for shard in source.shards]
        urls[name] = [url for part in parts for url in part["url"].to_pylist()]
    found: dict[str, Counter[int]] = defaultdict(Counter)
    for step in all_batches(plan, 0, STEPS):
        for batch in step.batches:
            owners = batch.spans[batch.segments_BS[batch.weights_BS == 1]]
            for source, document in zip(owners["source"].tolist(), owners["document"].tolist()):
                found[urls[plan.source_names[source]][document]][step.step] += 1
    return found


def rows(text: str) -> list[list[str]]:
    """The cells of a printed table, without its borders."""
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in text.splitlines() if line.startswith("│")]


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


def test_the_documents_of_a_step(light_run: Path, config: str) -> None:
    plan = plan_of(str(light_run), "train", config)
    counted = trained(plan, light_run)
    for step in (0, STEPS - 1):
        text = rendered(step_table(plan, step, 1000))
        shown = {page: int(tokens.replace(",", "")) for tokens, _, _, page in rows(text)}
        assert shown == {url: steps[step] for url, steps in counted.items() if steps[step]}
        assert f"Step {step} of {STEPS}: 16 sequences, {plan.trained_tokens(step):,} trained tokens" in text
    assert len(rows(rendered(step_table(plan, 0, 2)))) == 2
    assert "more; --rows" in rendered(step_table(plan, 0, 2))


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
        main(str(run), step=0)
    (run / "train" / "first").mkdir(parents=True)
    shutil.copy(config, run / "train" / "first" / "config.yaml")
    with pytest.raises(UserError, match="There is no training 'fist' in .* Did you mean 'first'?"):
        main(str(run), step=0, name="fist")
    main(str(run), step=3, name="first")
    assert "Step 3 of 30: 16 sequences" in capsys.readouterr().out
    main(str(run), url=trained_urls(run)[0], name="first")
    assert "tokens in" in capsys.readouterr().out


def test_mistakes(light_run: Path, config: str, tmp_path: Path) -> None:
    for url, step in (("", None), ("http://x.example/", 3)):
        with pytest.raises(UserError, match="Name a page by --url, or a step by --step"):
            main(str(light_run), url=url, step=step, config=config)
    with pytest.raises(UserError, match="The training has the steps 0 to 29, not 30"):
        main(str(light_run), step=30, config=config)
    with pytest.raises(UserError, match="holds no run: there is no such folder"):
        main(str(tmp_path / "none"), step=0)
    with pytest.raises(UserError, match="No record of"):
        main(str(light_run), url="http://nowhere.example/x", config=config)


def test_pages_cannot_steer_the_terminal(light_run: Path, config: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(str(light_run), "train", config)
    monkeypatch.setattr(
        "jobs.seen._urls", lambda run, documents: dict.fromkeys(documents, "http://x/\x1b[2J[red]\u202e")
    )
    text = rendered(step_table(plan, 0, 5))
    assert "\x1b[2J" not in text and "\u202e" not in text and "[red]" in text
