"""`corpusmill blend`: what is printed, what is written, and what a user is told who mistypes."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.errors import UserError
from jobs.blend import main, merged
from trainer.data.blend_file import read_blend
from trainer.prove.toy_run import write_toy_run

STEPS = ["data.sequence_length=16", "schedule.steps=40", "batch.sequences=8"]


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("toy")
    write_toy_run(folder)
    return str(folder)


def test_the_table_and_the_file(toy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "blend.yaml"
    main(toy, set=STEPS, temperature=2, times=["b/*=3"], max_epochs=["*=4", "a=1.5"], leave_out=["d"], out=str(out))
    title, headings, *rows = capsys.readouterr().out.splitlines()
    assert title.strip() == "Steps 0 to 39: 320 sequences, 5,120 tokens"
    assert headings.split() == ["source", "documents", "tokens", "weight", "drawn", "tokens", "epochs", "limit"]
    cells = {row.split()[0]: row.split() for row in rows if row}
    assert cells["a"][1:3] == ["66", "1,624"] and cells["a"][-1] == "1.5" and cells["b/c"][-1] == "4"
    assert cells["d"][3:5] == ["not", "drawn"]
    assert int(cells["a"][4].replace(",", "")) + int(cells["b/c"][4].replace(",", "")) == 5120
    file = read_blend(out)
    assert file.rules.times == {"b/*": 3} and set(file.stages[0].blend) == {"a", "b/c"}
    assert sum(file.stages[0].blend.values()) == 1 << 20
    main(toy, set=STEPS, rules=str(out), max_epochs=["a=1.2"], leave_out=[], out=str(tmp_path / "again.yaml"))
    again = read_blend(tmp_path / "again.yaml")
    assert again.rules.temperature == 2 and list(again.rules.max_epochs.items()) == [("*", 4), ("a", 1.2)]


def test_a_stage_behind_another(toy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(toy, set=STEPS, out=str(tmp_path / "first.yaml"))
    main(
        toy, set=STEPS, share=["d=0.9"], after=str(tmp_path / "first.yaml"), from_step=30, out=str(tmp_path / "b.yaml")
    )
    assert "Steps 30 to 39: 80 sequences" in capsys.readouterr().out
    assert [stage.from_step for stage in read_blend(tmp_path / "b.yaml").stages] == [0, 30]


def test_what_is_said_last_counts() -> None:
    rules = merged({"times": {"a": 1, "b": 2}}, None, {"times": ["a=3"]}, [])
    assert list(rules["times"].items()) == [("b", 2), ("a", 3.0)]


def test_mistakes(toy: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--max-epochs four: write it as NAME=NUMBER, as in web/en=2"):
        main(toy, set=STEPS, max_epochs=["four"])
    with pytest.raises(UserError, match="blend: share.a: input should be less than or equal to 1"):
        main(toy, set=STEPS, share=["a=2"])
    with pytest.raises(UserError, match="times names 'x', which fits no source of the run. Known: a, b/c, d"):
        main(toy, set=STEPS, times=["x=2"])
    with pytest.raises(UserError, match="holds no run: there is no such folder"):
        main(str(tmp_path / "none"))
    (tmp_path / "rules.yaml").write_text("temprature: 2")
    with pytest.raises(UserError, match="rules.yaml: unknown key 'temprature'. Did you mean 'temperature'?"):
        main(toy, set=STEPS, rules=str(tmp_path / "rules.yaml"))
