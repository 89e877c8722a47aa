"""Blend files on the toy run: what was worked out is what the training's own plan then draws."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.errors import UserError
from trainer.config import Training
from trainer.data.blend_file import BlendFile, Made, make_blend, read_blend, read_rules, with_blend
from trainer.data.blend_rules import Rules
from trainer.load_config import load_training, settled

CHANGES = ("data.sequence_length=16", "schedule.steps=40", "batch.sequences=8", "model.vocabulary=512")


def training(*changes: str) -> Training:
    return load_training(None, [*CHANGES, *changes])


def made(toy: Path, rules: dict[str, object], **stage: object) -> Made:
    return make_blend(toy, training(), Rules.model_validate(rules), **stage)  # type: ignore[arg-type]


def written(folder: Path, blend: Made, name: str = "blend.yaml") -> Path:
    (folder / name).write_text(blend.file.to_yaml())
    return folder / name


def test_the_training_draws_what_the_table_says(toy: Path, tmp_path: Path) -> None:
    blend = made(toy, {"temperature": 2, "times": {"b/*": 3}, "max_epochs": {"*": 1.5}})
    path = written(tmp_path, blend)
    config, plan = settled(training(f"data.blend={path}"), toy)
    assert config.data.blend == "" and config.data.stages == blend.file.stages  # resolved: the file is not needed again
    drawn = dict(zip(plan.source_names, plan.draws(plan.steps).tolist()))
    assert {row.source.name: row.draws for row in blend.rows} == drawn
    assert {row.source.name: row.epochs for row in blend.rows} == dict(zip(plan.source_names, plan.epochs(plan.steps)))
    assert [row.limit for row in blend.rows] == [1.5, 1.5, 1.5] and max(row.epochs for row in blend.rows) > 1.49
    assert sum(row.draws for row in blend.rows) == blend.draws == 320


def test_epochs_of_a_packed_training_are_of_packed_sequences(toy: Path, tmp_path: Path) -> None:
    packing = (
        "data.packing=best_fit",
        "data.sequence_length=700",
    )  # longer than a source's half: no stream could be cut
    blend = make_blend(toy, training(*packing), Rules.model_validate({"temperature": 2}))
    path = written(tmp_path, blend)
    plan = settled(training(*packing, f"data.blend={path}"), toy)[1]
    assert {row.source.name: row.epochs for row in blend.rows} == dict(zip(plan.source_names, plan.epochs(plan.steps)))
    assert [row.source.chunks for row in blend.rows] == [fill.sequences for fill in plan.fills().values()]


def test_a_file_says_the_same_when_it_is_read_and_made_again(toy: Path, tmp_path: Path) -> None:
    blend = made(toy, {"temperature": 3.3, "share": {"d": 0.4}, "max_epochs": {"a": 2}})
    path = written(tmp_path, blend)
    assert read_blend(path) == blend.file
    again = make_blend(toy, training(), Rules.model_validate(read_rules(path)))
    assert again.file.to_yaml() == path.read_text()


def test_limits_hold_over_all_stages(toy: Path, tmp_path: Path) -> None:
    first = made(toy, {"max_epochs": {"b/c": 1.3}})
    then = made(toy, {"share": {"d": 0.5}, "epochs": {}}, before=first.file, from_step=30)
    assert [stage.from_step for stage in then.file.stages] == [0, 30] and then.draws == 80
    of_source = {row.source.name: row for row in then.rows}
    assert of_source["d"].draws in range(38, 43) and of_source["b/c"].epochs <= 1.3
    plan = settled(training(f"data.blend={written(tmp_path, then)}"), toy)[1]
    assert plan.epochs(40) == [of_source[name].epochs for name in plan.source_names]
    gone = made(toy, {"leave_out": ("a",)}, before=first.file, from_step=30)
    assert {row.source.name: row.weight for row in gone.rows}["a"] == 0


def test_edited_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "blend.yaml"
    path.write_text("stages: [{blend: {a: 1, d: 3}}]\nmax_epochs: {d: 2}\n")
    data = with_blend(training(f"data.blend={path}")).data
    assert data.stages[0].blend == {"a": 1, "d": 3} and data.max_epochs == {"d": 2}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("stages: [{blendd: {a: 1}}]", "unknown key 'blendd' in stages.0. Did you mean 'blend'?"),
        ("stages: [{blend: {a: -1}}]", "stages.0.blend.a: input should be greater than 0"),
        ("rules: {}", "stages: field required"),
        ("- a", "a blend file is a mapping"),
        ("stages: [", "line 1"),
    ],
)
def test_mistakes_in_a_file(tmp_path: Path, content: str, told: str) -> None:
    path = tmp_path / "blend.yaml"
    path.write_text(content)
    with pytest.raises(UserError) as raised:
        with_blend(training(f"data.blend={path}"))
    assert told in str(raised.value) and "blend.yaml" in str(raised.value) and "\n" not in str(raised.value)


def test_mistakes_about_a_file(toy: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Cannot read the blend file .*: no such file"):
        with_blend(training(f"data.blend={tmp_path}/none.yaml"))
    both = training(f"data.blend={tmp_path}/none.yaml", "data.max_epochs={a: 1}")
    with pytest.raises(UserError, match="data.blend stands for data.stages and data.max_epochs"):
        with_blend(both)
    first: BlendFile = made(toy, {}).file
    for step, before, told in (
        (5, None, "Nothing is drawn before"),
        (0, first, "must begin after"),
        (40, first, "beyond"),
    ):
        with pytest.raises(UserError, match=told):
            made(toy, {}, before=before, from_step=step)
