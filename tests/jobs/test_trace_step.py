"""`corpusmill trace --step` against the batches that a training is given, on a curated run."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from connectors.errors import UserError
from jobs.seen import plan_of
from jobs.trace import IDENTITY, main, shares_of_step, step_table
from tests.jobs.counted import STEPS, rendered, rows, trained, write_config
from tests.pipeline import ledger_of


@pytest.fixture
def config(tmp_path: Path) -> str:
    """A training's file."""
    return write_config(tmp_path)


def test_the_documents_of_a_step_with_their_shares(light_run: Path, config: str) -> None:
    plan = plan_of(str(light_run), "train", config)
    counted = trained(plan, light_run)
    fates = ledger_of.fates(light_run)
    all_records = ledger_of.table(light_run, "records").to_pylist()
    records = {row["url"]: row for row in all_records if fates[row["doc_id"]]["fate"] == "kept"}
    for step in (0, STEPS - 1):
        text = rendered(step_table(plan, step, 1000))
        listed = rows(text)
        shown = {page: int(tokens.replace(",", "")) for tokens, _, _, _, page, _ in listed}
        assert shown == {url: steps[step] for url, steps in counted.items() if steps[step]}
        assert f"Step {step} of {STEPS}: 16 sequences, {plan.trained_tokens(step):,} trained tokens" in text
        for tokens, share, _, place, page, record in listed:
            assert share == f"{int(tokens) / plan.trained_tokens(step):.2%}"
            fate = fates[records[page]["doc_id"]]
            assert place == f"{fate['shard']} {fate['position']}"
            assert record == "{source}/{archive} at {offset}".format(**records[page])
    assert len(rows(rendered(step_table(plan, 0, 2)))) == 2
    assert "more; --rows" in rendered(step_table(plan, 0, 2))


def test_the_documents_of_a_packed_step(light_run: Path, config: str) -> None:
    """Oracle: the labels of the batches, counted one by one."""
    Path(config).write_text(Path(config).read_text().replace("isolated", "isolated, packing: best_fit"))
    plan = plan_of(str(light_run), "train", config)
    counted = trained(plan, light_run)
    for step in (0, STEPS - 1):
        shown = {row[4]: int(row[0].replace(",", "")) for row in rows(rendered(step_table(plan, step, 1000)))}
        assert shown == {url: steps[step] for url, steps in counted.items() if steps[step]}


def test_those_with_most_tokens_come_first(light_run: Path, config: str) -> None:
    plan = plan_of(str(light_run), "train", config)
    shares = shares_of_step(plan, 7)
    assert [share.tokens for share in shares] == sorted((share.tokens for share in shares), reverse=True)
    assert sum(share.tokens for share in shares) == plan.trained_tokens(7)


def test_the_training_that_has_started(
    light_run: Path, config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    shutil.copytree(light_run, run)
    (run / "train" / "first").mkdir(parents=True)
    shutil.copy(config, run / "train" / "first" / "config.yaml")
    main(str(run), step=3, name="first")
    assert "Step 3 of 30: 16 sequences" in capsys.readouterr().out


def test_a_token_from_the_table_leads_to_its_page(
    light_run: Path, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tokens, _, _, place, page, _ = rows(rendered(step_table(plan_of(str(light_run), "train", config), 0, 1)))[0]
    shard, token = place.split()
    main(str(light_run), shard, int(token))
    assert page in "".join(line.strip("│ ") for line in capsys.readouterr().out.splitlines()) and tokens


def test_mistakes(light_run: Path, config: str) -> None:
    for given in ({}, {"shard": "crawl/00000"}, {"token": 3}, {"shard": "crawl/00000", "token": 3, "step": 1}):
        with pytest.raises(UserError, match="Name a token by --shard and --token, or a training's step by --step"):
            main(str(light_run), config=config, **given)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="The training has the steps 0 to 29, not 30"):
        main(str(light_run), step=30, config=config)


def test_pages_cannot_steer_the_terminal(light_run: Path, config: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(str(light_run), "train", config)
    evil = dict.fromkeys(IDENTITY, "http://x/\x1b[2J[red]\u202e") | {"first_token": 0}
    monkeypatch.setattr("jobs.trace.identities", lambda ledger, shares: [evil] * len(shares))
    text = rendered(step_table(plan, 0, 5))
    assert "\x1b[2J" not in text and "\u202e" not in text and "[red]" in text
