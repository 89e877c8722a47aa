"""Configurations: mistakes are one line with the nearest known name; what may change is told from what may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.errors import UserError
from trainer.config import Training
from trainer.load_config import first_difference, load_training, settled, to_plain, to_yaml
from trainer.prove.toy_run import write_toy_run


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("model: {layer: 2}", r"unknown key 'layer' in model. Did you mean 'layers'\?"),
        ("modle: {}", r"unknown key 'modle'. Did you mean 'model'\?"),
        (
            "data: {stages: [{from_stap: 1, blend: {a: 1}}]}",
            r"unknown key 'from_stap' in data.stages.0. Did you mean 'from_step'\?",
        ),
        ("model: {layers: -1}", "model.layers: input should be greater than 0, not -1"),
        ("model: {hidden: 65}", "model: hidden must be a multiple of heads"),
        ("- a", "a configuration is a mapping"),
        ("a: [", "line 1: not valid YAML"),
        ("name: ../up", "name: string should match"),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "train.yaml").write_text(content)
    with pytest.raises(UserError, match=said) as error:
        load_training(tmp_path / "train.yaml")
    assert "\n" not in str(error.value) and "train.yaml" in str(error.value)


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Cannot read .*none.yaml: no such file"):
        load_training(tmp_path / "none.yaml")


def test_changes_win_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "train.yaml").write_text("model: {layers: 3}\noptimizer: {lr: 1e-3}\n")
    config = load_training(tmp_path / "train.yaml", ["model.layers=2", "optimizer.lr=6e-4", "data.max_epochs.a=2"])
    assert (config.model.layers, config.optimizer.lr, config.data.max_epochs) == (2, 6e-4, {"a": 2.0})
    for change, said in (
        ("model.layers", "key=value"),
        ("model.layers.x=1", "no keys below"),
        ("model.lares=1", "layers"),
    ):
        with pytest.raises(UserError, match=said):
            load_training(tmp_path / "train.yaml", [change])


def test_the_vocabulary_is_the_tokenizers_rounded_up_unless_it_is_set(tmp_path: Path) -> None:
    write_toy_run(tmp_path)
    manifest = tmp_path / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"vocabulary_size": 512', '"vocabulary_size": 513'))
    assert settled(Training(), tmp_path)[0].model.vocabulary == 640
    assert settled(load_training(None, ["model.vocabulary=1000"]), tmp_path)[0].model.vocabulary == 1000
    with pytest.raises(UserError, match="513 tokens, the model's vocabulary is 512: set model.vocabulary to 640"):
        settled(load_training(None, ["model.vocabulary=512"]), tmp_path)


def test_the_resolved_form_reads_back() -> None:
    import yaml

    config = load_training(None, ["model.kv_heads=2", "data.stages=[{blend: {a: 1}}]"])
    assert Training.model_validate(yaml.safe_load(to_yaml(config))) == config


def test_the_first_difference_that_matters() -> None:
    old = to_plain(Training())
    for free in ("backend=megatron", "layout.tensor=2", "batch.micro=1", "checkpoint.every=1", "data.shards=elsewhere"):
        assert first_difference(old, to_plain(load_training(None, [free]))) is None
    unknown = {**old, "data": {key: value for key, value in old["data"].items() if key != "packing"}}
    assert first_difference(unknown, old) is None  # of a version that did not know the key
    packed = to_plain(load_training(None, ["data.packing=best_fit"]))
    assert first_difference(unknown, packed) == "data.packing was 'concat', is 'best_fit'"
    changed = to_plain(load_training(None, ["layout.tensor=2", "model.layers=2", "seed=5"]))
    assert first_difference(old, changed) == "model.layers was 4, is 2"
    assert (
        first_difference(old, to_plain(load_training(None, ["data.max_epochs.a=2"])))
        == "data.max_epochs.a was None, is 2.0"
    )
