"""The step `Transformer`. Oracle: transformers' own forward pass over one text alone, without padding."""

from __future__ import annotations

import json
import pickle
import shutil
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.errors import UserError
from curation.quality import transformer_engines
from curation.quality.calibration import calibrate
from curation.quality.transformer_classifier import Transformer
from curation.quality.transformer_engines import Engine
from curation.run.documents import DOC_ID, FATE, REASON, TEXT, THRESHOLD, VALUE
from tests.quality import tiny_bert

TOLERANCE = 1e-5  # of a score before it is rounded: between engines, and with padding or without
ENGINES: list[Engine] = ["onnx", "torch"]
TEXTS = [
    "",
    "The report of a committee.",
    "cheap shoes! " * 40,
    "Rivers and hills",
    "naïve 中文 \0 words",
    "the " * 60,
    "a report on the rivers says that shoes are sold in spring. " * 30,
    "x" * 5000,
]


@pytest.fixture(scope="session")
def regression(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of one output, for both engines."""
    folder = tmp_path_factory.mktemp("regression")
    tiny_bert.write_onnx(folder, tiny_bert.write_torch(folder, ["quality"]))
    return folder


@pytest.fixture(scope="session")
def classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of three labels, for both engines."""
    folder = tmp_path_factory.mktemp("classes")
    tiny_bert.write_onnx(folder, tiny_bert.write_torch(folder, ["low", "medium", "high"]))
    return folder


@pytest.fixture(autouse=True)
def needs(request: pytest.FixtureRequest) -> None:
    pytest.importorskip("transformers" if "torch" in request.node.name else "onnxruntime")


def batch(*strings: str) -> pa.RecordBatch:
    ids = [number.to_bytes(16, "big") for number in range(len(strings))]
    return pa.record_batch({DOC_ID: pa.array(ids, pa.binary(16)), TEXT: pa.array(strings, pa.string())})


def oracle(folder: Path, text: str, max_tokens: int = 128) -> list[float]:
    """The logits of one text alone, by transformers."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(max_tokens)
    model = transformers.BertForSequenceClassification.from_pretrained(folder).eval()
    with torch.inference_mode():
        found: list[float] = model(input_ids=torch.tensor([tokenizer.encode(text).ids])).logits[0].tolist()
    return found


@pytest.mark.parametrize("engine", ENGINES)
def test_a_regression_is_transformers_own(regression: Path, engine: Engine) -> None:
    step = Transformer(model=str(regression), engine=engine, max_tokens=128, digits=9)
    expected = [oracle(regression, text)[0] for text in TEXTS]
    assert step.scores(TEXTS) == pytest.approx(expected, abs=TOLERANCE)
    assert len(set(np.round(expected, 3))) > 4, "the texts tell models apart"
    assert Transformer(model=str(regression), engine=engine, max_tokens=128).scores(TEXTS) == [
        round(score, 4) for score in step.scores(TEXTS) if score is not None
    ]


@pytest.mark.parametrize("engine", ENGINES)
def test_labels_are_softmax_or_sigmoid_or_plain(classes: Path, engine: Engine) -> None:
    logits = np.array([oracle(classes, text) for text in TEXTS])
    softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    for keys, expected in (
        ({"label": "high"}, softmax[:, 2]),
        ({"label": "low"}, softmax[:, 0]),
        ({"output": 1}, softmax[:, 1]),
        ({"output": 1, "activation": "sigmoid"}, 1 / (1 + np.exp(-logits[:, 1]))),
        ({"output": 1, "activation": "none"}, logits[:, 1]),
    ):
        given_keys: dict[str, Any] = {"max_tokens": 128, "digits": 9, **keys}
        step = Transformer(model=str(classes), engine=engine, **given_keys)
        assert step.scores(TEXTS) == pytest.approx(expected.tolist(), abs=TOLERANCE)


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_behind_the_last_token_does_not_count(regression: Path, engine: Engine) -> None:
    step = Transformer(model=str(regression), engine=engine, max_tokens=16, digits=9)
    assert step.scores([TEXTS[6]]) == pytest.approx([oracle(regression, TEXTS[6], 16)[0]], abs=TOLERANCE)
    assert step.scores(["the " * 14 + "report"]) == step.scores(["the " * 14 + "shoes " * 1000])


@pytest.mark.parametrize("engine", ENGINES)
@settings(deadline=None, max_examples=20)
@given(st.lists(st.lists(st.sampled_from(tiny_bert.WORDS), max_size=40).map(" ".join), min_size=1, max_size=12))
def test_a_score_does_not_depend_on_the_texts_beside_it(regression: Path, engine: Engine, strings: list[str]) -> None:
    """Bit by bit, to nine digits, in any order and beside any neighbours."""
    step = Transformer(model=str(regression), engine=engine, max_tokens=128, digits=9)
    together = step.scores(strings)
    assert together == [score for text in strings for score in step.scores([text])]
    assert step.scores(strings[::-1]) == together[::-1]


def test_a_graph_that_scales_by_the_mini_batch_gets_one_text_at_a_time(regression: Path, tmp_path: Path) -> None:
    """Dynamic quantisation takes one scale over all rows, so that neighbours would change a text's score."""
    quantization = pytest.importorskip("onnxruntime.quantization")
    shutil.copytree(regression, tmp_path / "m")
    quantization.quantize_dynamic(str(regression / "model.onnx"), str(tmp_path / "m" / "model.onnx"))
    step = Transformer(model=str(tmp_path / "m"), max_tokens=128, digits=9)
    strings = [" ".join(tiny_bert.WORDS[: n % 9 + 1]) for n in range(16)]
    assert step.scores(strings) == [score for text in strings for score in step.scores([text])]
    opened = transformer_engines.open_model(str(tmp_path / "m"), "onnx")
    assert opened.rows(32) == 1 < transformer_engines.open_model(str(regression), "onnx").rows(32)


@pytest.mark.parametrize("engine", ENGINES)
def test_it_measures_all_and_removes_by_score(regression: Path, engine: Engine) -> None:
    free = Transformer(model=str(regression), engine=engine, max_tokens=128)
    scores = [score for score in free.scores(TEXTS) if score is not None]
    middle = sorted(scores)[3]
    step = Transformer(model=str(regression), engine=engine, max_tokens=128, min_score=middle, reason="low", name="edu")
    done = step(batch(*TEXTS))
    assert done.column("measure:edu").to_pylist() == scores and step.measures == ("edu",)
    assert done.column(FATE).to_pylist() == [None if score >= middle else "removed" for score in scores]
    row = scores.index(min(scores))
    assert [done.column(name)[row].as_py() for name in (REASON, VALUE, THRESHOLD)] == ["low", min(scores), middle]
    assert free(batch(*TEXTS)).column(FATE).null_count == len(TEXTS), "without a line it measures"


def test_keep_is_the_best_share_of_the_calibration(regression: Path, tmp_path: Path) -> None:
    free = Transformer(model=str(regression), max_tokens=128)
    scores = np.array(free.scores(TEXTS), np.float64)
    calibrate([(scores, None)], "transformer").save(tmp_path / "c.json")
    step = Transformer(model=str(regression), max_tokens=128, keep=0.25, calibration=str(tmp_path / "c.json"))
    kept = [fate is None for fate in step(batch(*TEXTS)).column(FATE).to_pylist()]
    assert kept == [score in sorted(scores)[-2:] for score in scores]


def test_a_graph_beside_its_tokenizer_and_the_files_that_count(regression: Path, tmp_path: Path) -> None:
    shutil.copy(regression / "model.onnx", tmp_path / "small.onnx")
    shutil.copy(regression / "tokenizer.json", tmp_path)
    (tmp_path / "small.onnx_data").write_bytes(b"weights apart")
    (tmp_path / "readme.txt").write_text("no part of it")
    step = Transformer(model=str(tmp_path / "small.onnx"), max_tokens=128)
    assert step.scores(TEXTS) == Transformer(model=str(regression), max_tokens=128).scores(TEXTS)
    assert [Path(file).name for file in step.files] == ["small.onnx", "small.onnx_data", "tokenizer.json"]
    torch_files = Transformer(model=str(regression), engine="torch", max_tokens=128).files
    assert [Path(file).name for file in torch_files] == ["model.safetensors", "tokenizer.json", "config.json"]


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_is_fetched(regression: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    opened = transformer_engines.open_model(str(regression), engine)
    assert opened.logits(np.full((1, 32), 5), np.ones((1, 32), np.int64)).shape == (1, 1)


def test_pickles_and_code_of_a_torch_folder_are_not_opened(regression: Path, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    shutil.copytree(regression, folder)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(UserError, match="is a pickle, which is not opened"):
        Transformer(model=str(folder), engine="torch", max_tokens=128)
    (folder / "pytorch_model.bin").rename(folder / "model.safetensors")
    plain = tiny_bert.config(folder) | {
        "model_type": "strange",
        "auto_map": {"AutoConfig": "evil.C", "AutoModelForSequenceClassification": "evil.M"},
    }
    (folder / "config.json").write_text(json.dumps(plain))
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(UserError, match="no sequence classifier"):
        Transformer(model=str(folder), engine="torch", max_tokens=128).scores(["x"])
    assert not (tmp_path / "ran").exists()


def test_weights_that_are_not_there_are_not_drawn_at_random(regression: Path, tmp_path: Path) -> None:
    """A base model without a trained head opens in transformers, with a warning and other scores each time."""
    safetensors = pytest.importorskip("safetensors.numpy")
    shutil.copytree(regression, tmp_path / "m")
    weights = safetensors.load_file(tmp_path / "m" / "model.safetensors")
    safetensors.save_file(
        {k: v for k, v in weights.items() if "classifier" not in k}, tmp_path / "m" / "model.safetensors"
    )
    with pytest.raises(UserError, match="lacks weights of a classifier: classifier.bias"):
        Transformer(model=str(tmp_path / "m"), engine="torch", max_tokens=128).scores(["x"])


@pytest.mark.parametrize(
    ("removed", "keys", "told"),
    [
        ("model.onnx", {}, "No model.onnx in"),
        ("tokenizer.json", {}, "No tokenizer.json in"),
        ("config.json", {"engine": "torch"}, "No config.json in"),
        ("", {"label": "hihg"}, "Did you mean 'high'"),
        ("config.json", {"label": "high"}, "or by 'output'"),
        ("", {"label": "high", "output": 2}, "or by 'output'"),
        ("", {"max_tokens": 129}, "takes 128 at most"),
        ("", {"keep": 0.5}, "needs 'calibration'"),
    ],
)
def test_mistakes_are_told_before_any_work(
    classes: Path, tmp_path: Path, removed: str, keys: dict[str, Any], told: str
) -> None:
    shutil.copytree(classes, tmp_path / "m")
    if removed:
        (tmp_path / "m" / removed).unlink()
    with pytest.raises(UserError, match=told) as error:
        Transformer(**{"model": str(tmp_path / "m"), "max_tokens": 128, **keys})
    assert "\n" not in str(error.value)


def test_what_only_the_model_knows_is_told_in_one_line(classes: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has 3 outputs, and output 3"):
        Transformer(model=str(classes), output=3, max_tokens=128).scores(["x"])
    shutil.copytree(classes, tmp_path / "m")
    (tmp_path / "m" / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(UserError, match="no ONNX model"):
        Transformer(model=str(tmp_path / "m"), max_tokens=128).scores(["x"])
    (tmp_path / "m" / "tokenizer.json").write_bytes(b"{}")
    with pytest.raises(UserError, match="no tokenizer file"):
        Transformer(model=str(tmp_path / "m"), max_tokens=100).scores(["x"])


def test_a_missing_package_names_its_extra(regression: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transformer_engines.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"corpusmill\[classify\]"):
        Transformer(model=str(regression), max_tokens=128)
    with pytest.raises(UserError, match=r"corpusmill\[classify-torch\]"):
        Transformer(model=str(regression), engine="torch", max_tokens=128)


def test_parameters_are_checked_and_the_step_pickles_small(regression: Path) -> None:
    for wrong in ({"engine": "jax"}, {"max_tokens": 1}, {"digits": 20}, {"keep": 2.0}, {"modle": "x"}, {"output": -1}):
        with pytest.raises(ValidationError):
            Transformer(**{"model": str(regression), "max_tokens": 128, **wrong})
    step = Transformer(model=str(regression), max_tokens=128)
    step(batch("x"))
    assert pickle.loads(pickle.dumps(step)) == step and len(pickle.dumps(step)) < 1500
