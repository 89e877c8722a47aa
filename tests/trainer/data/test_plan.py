"""The data plan: samples against a slow plan, stages, layouts, its digest, and what a user can get wrong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.errors import UserError
from trainer.config import Training
from trainer.data.plan import DataPlan, difference
from trainer.prove.obvious_plan import ObviousPlan
from trainer.prove.toy_run import STEPS, toy_training


def changed(documents: str = "continuous", **parts: dict[str, Any]) -> Training:
    """The toy training with other values in some of its parts."""
    plain = toy_training(documents).model_dump()
    for part, values in parts.items():
        plain[part] |= values
    return Training.model_validate(plain)


def test_samples_are_the_obvious_ones(toy: Path) -> None:
    plan, obvious = DataPlan(toy_training("continuous"), toy), ObviousPlan(toy_training("continuous"), toy)
    samples = plan.samples(range(STEPS * plan.sequences))
    assert [(plan.source_names[at], draw) for at, draw in zip(samples.source, samples.draw)] == obvious.draws
    assert max(plan.epochs(STEPS)) > 3


def test_a_sample_alone_is_the_sample_among_many(toy: Path) -> None:
    plan = DataPlan(toy_training("continuous"), toy)
    many = plan.samples([959, 0, 410, 3])
    for place, number in enumerate([959, 0, 410, 3]):
        one = plan.sample(number)
        for field in ("number", "source", "draw", "epoch", "chunk", "start"):
            assert getattr(one, field).tolist() == [getattr(many, field)[place]]
    assert many.take(np.array([2, 0])).number.tolist() == [410, 959]


def test_every_draw_is_found_again(toy: Path) -> None:
    plan = DataPlan(toy_training("continuous"), toy)
    samples = plan.samples(range(1500))
    found = [plan.sample_number(source, draw) for source, draw in zip(samples.source.tolist(), samples.draw.tolist())]
    assert found == list(range(1500))


def test_a_draw_that_is_never_made_has_no_number(toy: Path) -> None:
    """Source b/c leaves at step 17."""
    plan = DataPlan(toy_training("continuous"), toy)
    taken = int(plan.draws(STEPS)[1])
    assert plan.draws(0).tolist() == [0, 0, 0] and plan.epochs(0) == [0.0, 0.0, 0.0]
    assert plan.draws(17)[1] == taken and plan.draws(16)[1] < taken
    assert plan.sample_number(1, taken - 1) is not None and plan.sample_number(1, taken) is None


def test_stages_repeat_and_leave_out_nothing(toy: Path) -> None:
    """Three stages, one source with a break: each source's draws are 0, 1, 2, … in the order of the samples."""
    stages = [
        {"blend": {"a": 1, "d": 2}},
        {"from_step": 3, "blend": {"a": 1}},
        {"from_step": 8, "blend": {"d": 5, "a": 1}},
    ]
    plan = DataPlan(changed(data={"stages": stages}), toy)
    samples = plan.samples(range(20 * plan.sequences))
    for source in range(2):
        assert samples.draw[samples.source == source].tolist() == list(range(plan.draws(20)[source]))
    assert plan.source_names[1] == "d" and not (samples.source[3 * 24 : 8 * 24] == 1).any()
    found = [plan.sample_number(source, draw) for source, draw in zip(samples.source.tolist(), samples.draw.tolist())]
    assert found == list(range(20 * plan.sequences))


def test_a_stage_that_is_decided_late_changes_nothing_before_it(toy: Path) -> None:
    early = DataPlan(changed(data={"stages": [{"blend": {"a": 2, "d": 1}}]}), toy)
    late = DataPlan(
        changed(data={"stages": [{"blend": {"a": 2, "d": 1}}, {"from_step": 9, "blend": {"b/c": 1, "d": 1}}]}), toy
    )
    for number in range(9 * 24):
        one, other = early.sample(number), late.sample(number)
        assert early.source_names[one.source[0]] == late.source_names[other.source[0]]
        assert (one.draw, one.start) == (other.draw, other.start)


def test_without_stages_sources_are_drawn_by_their_tokens(toy: Path) -> None:
    plan = DataPlan(changed(data={"stages": ()}), toy)
    assert plan.source_names == ["a", "b/c", "d"]
    shares = plan.draws(1000) / 24_000
    tokens = np.array([source.tokens for source in plan.sources])
    assert np.abs(shares - tokens / tokens.sum()).max() < 1e-3


def test_the_order_of_a_blends_keys_says_nothing(toy: Path) -> None:
    one = DataPlan(changed(data={"stages": [{"blend": {"a": 0.7, "d": 0.3}}]}), toy)
    other = DataPlan(changed(data={"stages": [{"blend": {"d": 0.3, "a": 0.7}}]}), toy)
    assert one.digest() == other.digest()
    assert one.samples(range(50)).start.tolist() == other.samples(range(50)).start.tolist()


@settings(deadline=None, max_examples=30)
@given(micro=st.sampled_from([1, 2, 3, 4]), data=st.sampled_from([1, 2, 3, 6]), step=st.integers(0, 100))
def test_rows_are_dealt_out_as_the_contract_says(toy: Path, micro: int, data: int, step: int) -> None:
    plan = DataPlan(changed(batch={"sequences": 72, "micro": micro}), toy)
    first = step * 72
    assert plan.first_sample(step) == first
    for rank in range(data):
        rows = plan.rows(step, rank, data)
        assert rows.shape == (72 // (data * micro), micro)
        for turn in range(len(rows)):
            assert rows[turn].tolist() == [first + turn * data * micro + rank * micro + j for j in range(micro)]
            assert {plan.step_of(int(number)) for number in rows[turn]} == {step}


def test_sequences_that_do_not_divide(toy: Path) -> None:
    with pytest.raises(UserError, match="batch.sequences 24 can't be dealt out to 5 data ranks in micro-batches of 4"):
        DataPlan(toy_training("continuous"), toy).rows(0, 0, 5)


def test_trained_tokens(toy: Path) -> None:
    obvious = ObviousPlan(toy_training("isolated"), toy)
    continuous, isolated = (DataPlan(toy_training(kind), toy) for kind in ("continuous", "isolated"))
    for step in (0, 16, 17, 39):
        assert continuous.trained_tokens(step) == 24 * 16
        assert isolated.trained_tokens(step) == sum(sum(row["weights"]) for row in obvious.step(step)) < 24 * 16


def test_the_digest_names_all_that_the_order_depends_on(toy: Path, tmp_path: Path) -> None:
    plan = DataPlan(changed(), toy)
    assert plan.digest() == "b8a4130cda87b40c0ba2a08d0368f98933b519571973194dde7b97e70270b81c"  # may never change
    others: dict[str, Training] = {
        "sequence_length was 16 and is 8": changed(data={"sequence_length": 8}),
        "seed was 3 and is 4": changed(data={"seed": 4}),
        "documents was continuous and is isolated": changed("isolated"),
        "sequences was 24 and is 12": changed(batch={"sequences": 12}),
        "there were 2 stages and are 1": changed(data={"stages": [{"blend": {"a": 0.7, "b/c": 0.3}}]}),
        "stage 0 is another": changed(
            data={"stages": [{"blend": {"a": 0.6, "b/c": 0.4}}, {"from_step": 17, "blend": {"d": 0.25, "a": 0.75}}]}
        ),
    }
    for words, training in others.items():
        other = DataPlan(training, toy)
        assert other.digest() != plan.digest()
        if not words.startswith("there were"):
            assert difference(plan.description(), other.description()) == words
    same = changed(batch={"micro": 2}, layout={"tensor": 2}, schedule={"steps": 9}, optimizer={"lr": 1.0})
    assert DataPlan(same, toy).digest() == plan.digest()
    assert difference(plan.description(), json.loads(json.dumps(plan.description()))) == ""
    moved = Path(shutil.copytree(toy, tmp_path / "moved"))
    assert DataPlan(changed(), moved).digest() == plan.digest()
    edit(moved, lambda manifest: manifest["files"]["shards/d/00000.bin"].update(sha256="0" * 64))
    assert difference(plan.description(), DataPlan(changed(), moved).description()) == "shard 6 is another"


def test_the_run_is_named_by_its_shards_or_by_itself(toy: Path) -> None:
    by_shards = DataPlan(changed(data={"shards": str(toy / "shards")}))
    assert by_shards.run == toy and by_shards.digest() == DataPlan(changed(), toy).digest()


def edit(run: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Changes a run's manifest."""
    manifest = json.loads((run / "manifest.json").read_text())
    change(manifest)
    (run / "manifest.json").write_text(json.dumps(manifest))


MANIFESTS: list[tuple[Callable[[dict[str, Any]], object], str]] = [
    (lambda m: m.update(status="running"), "is not finished: run the same curate command again"),
    (lambda m: m.update(shards=[]), "has no tokens to train on"),
    (lambda m: [row.pop("dtype") for row in m["shards"]], "has no tokens to train on"),
    (lambda m: [row.update(tokens=0) for row in m["shards"]], "has no tokens to train on"),
    (lambda m: m.pop("status"), "is no manifest of a run, or is damaged"),
    (lambda m: m["files"].clear(), "is no manifest of a run, or is damaged"),
    (lambda m: m["shards"][-1].update(tokenizer_sha256="x"), "Sources 'a' and 'd' were made with different tokenizers"),
    (lambda m: m["shards"][-1].update(vocabulary_size=50257), "set model.vocabulary to 50,304 or more"),
    (
        lambda m: m["shards"][-1].update(tokens=7),
        "Shard d/00000 of .* the manifest says 30 and 7. Run: corpusmill verify",
    ),
    (lambda m: m["shards"][-1].update(shard="d/00009"), "is no manifest of a run, or is damaged"),
]


@pytest.mark.parametrize(("change", "words"), MANIFESTS)
def test_runs_that_cannot_be_trained_on(
    toy: Path, tmp_path: Path, change: Callable[[dict[str, Any]], object], words: str
) -> None:
    run = Path(shutil.copytree(toy, tmp_path / "run"))
    edit(run, change)
    with pytest.raises(UserError, match=words) as caught:
        DataPlan(changed(), run)
    assert "\n" not in str(caught.value)


def test_runs_that_are_not_there(toy: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="data.shards is empty"):
        DataPlan(changed())
    with pytest.raises(UserError, match="holds no run: there is no manifest.json"):
        DataPlan(changed(), tmp_path)
    run = Path(shutil.copytree(toy, tmp_path / "run"))
    (run / "manifest.json").write_text("[")
    with pytest.raises(UserError, match="is no manifest of a run, or is damaged"):
        DataPlan(changed(), run)
    shutil.copy(toy / "manifest.json", run)
    (run / "shards" / "d" / "00000.idx").unlink()
    with pytest.raises(UserError, match="There is no file"):
        DataPlan(changed(), run)


CONFIGURATIONS: list[tuple[dict[str, dict[str, Any]], str]] = [
    (
        {"data": {"stages": [{"blend": {"a": 1, "f": 1}}]}},
        "blends 'f', which is no source of the run. Known: a, b/c, d",
    ),
    ({"data": {"stages": [{"blend": {"bc": 1}}]}}, "Did you mean 'b/c'?"),
    ({"data": {"stages": [{"blend": {}}]}}, "number 1: the blend is empty"),
    ({"data": {"stages": [{"from_step": 1, "blend": {"a": 1}}]}}, r"begin at the steps \[1\]: the first must be 0"),
    (
        {
            "data": {
                "stages": [
                    {"blend": {"a": 1}},
                    {"from_step": 5, "blend": {"a": 1}},
                    {"from_step": 5, "blend": {"d": 1}},
                ]
            }
        },
        r"\[0, 5, 5\]: the first must be 0, each later",
    ),
    ({"data": {"sequence_length": 700}}, "Source 'b/c' has .* too few for data.sequence_length 700"),
    ({"data": {"max_epochs": {"e": 4}}}, "data.max_epochs names 'e'"),
    ({"data": {"max_epochs": {"b/c": 1, "a": 2.5}}}, "40 steps would read source 'b/c' .* allows 1. Lower its weight"),
    ({"model": {"vocabulary": 511}}, "The tokenizer has 512 tokens, the model's vocabulary is 511"),
]


@pytest.mark.parametrize(("parts", "words"), CONFIGURATIONS)
def test_configurations_that_cannot_be(toy: Path, parts: dict[str, dict[str, Any]], words: str) -> None:
    with pytest.raises(UserError, match=words) as caught:
        DataPlan(changed(**parts), toy)
    assert "\n" not in str(caught.value)


def test_what_a_stage_does_not_draw_is_not_asked_of(toy: Path, tmp_path: Path) -> None:
    """A source with another tokenizer, or too short, is no mistake where it is not used."""
    run = Path(shutil.copytree(toy, tmp_path / "run"))
    edit(run, lambda manifest: manifest["shards"][-1].update(tokenizer_sha256="x", vocabulary_size=10**6))
    DataPlan(changed(data={"stages": [{"blend": {"a": 1}}], "max_epochs": {"d": 1}}), run)


def test_as_many_epochs_as_allowed(toy: Path) -> None:
    epochs = DataPlan(changed(), toy).epochs(STEPS)
    DataPlan(changed(data={"max_epochs": {"a": epochs[0]}}), toy)
    with pytest.raises(UserError):
        DataPlan(changed(data={"max_epochs": {"a": epochs[0] - 0.001}}), toy)


@pytest.fixture
def with_held_out(toy: Path, tmp_path: Path) -> Path:
    """The toy run with a source's first shard held out for validation, too."""
    run = Path(shutil.copytree(toy, tmp_path / "run"))
    (run / "shards" / "validation" / "a").mkdir(parents=True)

    def hold_out(manifest: dict[str, Any]) -> None:
        first = manifest["shards"][0]
        manifest["shards"].append(first | {"shard": "validation/a/00000", "part": "validation"})
        for suffix in ("bin", "idx"):
            shutil.copy(run / "shards" / f"a/00000.{suffix}", run / "shards" / "validation" / "a")
            manifest["files"][f"shards/validation/a/00000.{suffix}"] = manifest["files"][f"shards/a/00000.{suffix}"]

    edit(run, hold_out)
    return run


def test_what_is_held_out_is_not_trained_on_unless_it_is_named(toy: Path, with_held_out: Path) -> None:
    without_stages = changed(data={"stages": ()})
    assert DataPlan(without_stages, with_held_out).digest() == DataPlan(without_stages, toy).digest()
    assert DataPlan(changed(), with_held_out).digest() == DataPlan(changed(), toy).digest()
    named = DataPlan(changed(data={"stages": [{"blend": {"validation/a": 1.0}}]}), with_held_out)
    assert named.source_names == ["validation/a"] and named.sources[0].shards == ["validation/a/00000"]
    edit(with_held_out, lambda manifest: [row.update(part="test") for row in manifest["shards"]])
    with pytest.raises(UserError, match="has no tokens to train on"):
        DataPlan(without_stages, with_held_out)
