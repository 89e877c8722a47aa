"""Training, storing and applying the linear classifier."""

from __future__ import annotations

import gzip
import json
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.errors import UserError
from curation.quality.calibration import calibrate
from curation.quality.classifier import Classifier, train_from_files
from curation.quality.linear_model import LinearModel, auc, features, train
from curation.run.documents import FATE, REASON, TEXT, THRESHOLD, VALUE

GOOD = "The committee met on {} to read the report, and after a long discussion the members agreed on its findings."
BAD = "buy cheap {} now!!! free shipping click here best price {} discount sale"
WORDS = ["monday", "shoes", "spring", "watches", "tuesday", "phones", "autumn", "bags", "june", "rings"]
ROWS = [(GOOD.format(f"{word} {n}"), "good") for word in WORDS for n in range(10)] + [
    (BAD.format(word, n), "bad") for word in WORDS for n in range(10)
]


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "m.npz"
    train(ROWS).save(path)
    return path


def batch(*texts: str) -> pa.RecordBatch:
    return pa.record_batch({TEXT: pa.array(texts, pa.string())})


def test_it_learns_and_says_how_well() -> None:
    model = train(ROWS)
    assert model.labels == ("bad", "good")
    assert model.metadata["rows"] == 200 and model.metadata["rows_by_label"] == {"bad": 100, "good": 100}
    assert 5 <= model.metadata["held_out"] <= 50 and model.metadata["accuracy"] == 1.0
    assert model.metadata["auc"] == {"bad": 1.0, "good": 1.0}
    assert model.scores("the members agreed on the report")[1] > 0.9
    assert float(model.scores("").sum()) == pytest.approx(1)


def test_the_rows_held_out_are_not_learned_from() -> None:
    """Labels drawn at random cannot be learned: rows learned from are known by heart, rows held out are not."""
    random = np.random.default_rng(0)
    rows = [(f"word{n} thing{n} part{n}", str(random.integers(2))) for n in range(600)]
    model = train(rows, held_out=0.3, epochs=20)
    known = np.mean([model.labels[int(model.scores(text).argmax())] == label for text, label in rows])
    assert model.metadata["accuracy"] < 0.65 < 0.8 < known


def test_more_than_two_labels() -> None:
    rows = [(f"{word} {word} {n}", word) for word in ("red", "green", "blue") for n in range(30)]
    model = train(rows)
    assert model.labels == ("blue", "green", "red")
    assert [model.labels[int(model.scores(word).argmax())] for word in ("red", "green", "blue")] == [
        "red",
        "green",
        "blue",
    ]


def test_the_same_rows_give_the_same_file(tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        train(iter(ROWS)).save(tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    train(ROWS[:-1]).save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() != (tmp_path / "b.npz").read_bytes()


def test_a_model_survives_storing(model_file: Path) -> None:
    stored, fresh = LinearModel.load(model_file), train(ROWS)
    assert stored.labels == fresh.labels and stored.metadata["digest"] == fresh.metadata["digest"]
    assert np.array_equal(stored.weights, fresh.weights) and np.array_equal(stored.bias, fresh.bias)


def slow_features(text: str, buckets: int) -> list[int]:
    """The definition of the module's docstring in plain Python."""
    mask = (1 << 64) - 1
    words: list[bytes] = [b""]
    for byte in text.encode():
        if byte >= 128 or bytes([byte]).isalnum():
            words[-1] += bytes([byte]).lower()
        else:
            words.append(b"")
    found, previous = [], None
    for word in filter(None, words):
        value = 0xCBF29CE484222325
        for byte in word:
            value = (value ^ byte) * 0x100000001B3 & mask
        found.append(((value ^ (value >> 32)) & mask) % buckets)
        if previous is not None:
            pair = ((previous ^ (value >> 29)) * 0x9E3779B97F4A7C15 + value) & mask
            found.append((pair ^ (pair >> 32)) % buckets)
        previous = value
    return found


@settings(deadline=None, max_examples=150)
@given(st.text(max_size=60), st.sampled_from([2, 1000, 1 << 18]))
def test_features_are_hashed_words_and_pairs(text: str, buckets: int) -> None:
    """Oracle: the same definition in plain Python."""
    assert features(text, buckets).tolist() == slow_features(text, buckets)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=30))
def test_auc_is_the_share_of_pairs_in_order(rows: list[tuple[int, bool]]) -> None:
    """Oracle: all pairs of a positive and a negative."""
    scores, positive = np.array([s for s, _ in rows], np.float64), np.array([p for _, p in rows])
    pairs = [(a > b) + (a == b) / 2 for a in scores[positive] for b in scores[~positive]]
    assert auc(scores, positive) == (pytest.approx(np.mean(pairs)) if pairs else None)


def test_the_step_measures_all_and_removes_what_scores_low(model_file: Path) -> None:
    result = Classifier(model=str(model_file), min_score=0.6, reason="not_prose")(batch(GOOD, BAD))
    scores = result.column("measure:classifier").to_pylist()
    assert scores[0] > 0.6 > scores[1] and result.column(FATE).to_pylist() == [None, "removed"]
    assert [result.column(name)[1].as_py() for name in (REASON, VALUE, THRESHOLD)] == ["not_prose", scores[1], 0.6]
    exactly = Classifier(model=str(model_file), min_score=scores[1])(batch(BAD))
    assert exactly.column(FATE)[0].as_py() is None, "a score on the threshold is kept"


def test_a_share_to_keep_takes_the_place_of_a_score(model_file: Path, tmp_path: Path) -> None:
    rows = [text for text, _ in ROWS[::5]]
    free = Classifier(model=str(model_file), min_score=None)(batch(*rows))
    scores = free.column("measure:classifier").to_pylist()
    assert free.column(FATE).null_count == len(rows), "without a line it measures"
    calibrate([(np.array(scores), None)], "classifier").save(tmp_path / "c.json")
    step = Classifier(model=str(model_file), keep=0.25, calibration=str(tmp_path / "c.json"))
    kept = [fate is None for fate in step(batch(*rows)).column(FATE).to_pylist()]
    assert sum(kept) == len(rows) // 4 and kept == [score >= sorted(scores)[-10] for score in scores]
    assert step.files == (str(model_file), str(tmp_path / "c.json"))
    for keys, told in (({"keep": 0.1}, "needs 'calibration'"), ({"calibration": "c"}, "nothing without 'keep'")):
        with pytest.raises(UserError, match=told):
            Classifier(model=str(model_file), **keys)  # type: ignore[arg-type]


def test_an_unknown_label_and_a_wrong_file_are_told_in_one_line(model_file: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Did you mean 'good'"):
        Classifier(model=str(model_file), label="god")(batch("x"))
    with pytest.raises(UserError, match="No classifier model"):
        Classifier(model=str(tmp_path / "none.npz"))(batch("x"))
    wrong: dict[str, Callable[[Path], object]] = {
        "text": lambda path: path.write_text("hello"),
        "empty": lambda path: path.write_bytes(b""),
        "other": lambda path: np.savez(path, a=np.zeros(3)),
        "pickle": lambda path: np.savez(path, weights=np.array([{}], object), bias=np.zeros(1), metadata=np.zeros(1)),
        "cut": lambda path: path.write_bytes(model_file.read_bytes()[:-100]),
    }
    for name, write in wrong.items():
        path = tmp_path / f"{name}.npz"
        write(path)
        with pytest.raises(UserError, match="is no classifier model"):
            LinearModel.load(path)


def test_files_of_every_kind_give_the_same_model(tmp_path: Path) -> None:
    lines = "".join(json.dumps({"text": text, "label": label, "more": 1}) + "\n" for text, label in ROWS)
    (tmp_path / "rows.jsonl").write_text(lines)
    (tmp_path / "rows.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    table = pa.table({"label": [label for _, label in ROWS], "text": [text for text, _ in ROWS]})
    pq.write_table(table, tmp_path / "rows.parquet")
    outputs = []
    for name in ("rows.jsonl", "rows.jsonl.gz", "rows.parquet"):
        train_from_files([tmp_path / name], tmp_path / "out.npz", buckets=1 << 12)
        outputs.append((tmp_path / "out.npz").read_bytes())
    assert outputs[0] == outputs[1] == outputs[2]
    assert LinearModel.load(tmp_path / "out.npz").weights.shape == (2, 1 << 12)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.jsonl", b'{"text": "x", "label": "y"}\nnonsense\n', "line 2"),
        ("a.jsonl", b'{"text": "x"}\n', "line 1"),
        ("a.jsonl", b'{"text": "x", "label": 3}\n', "must be strings"),
        ("a.jsonl", b"[1]\n", "line 1"),
        ("a.jsonl", b'{"text": "x", "label": "y"}\n' * 3, "20 rows and two labels"),
        ("a.jsonl", b'{"text": "x", "label": "y"}\n' * 30, "20 rows and two labels"),
        ("a.jsonl.gz", b"no gzip", "damaged"),
        ("a.parquet", b"no parquet", "damaged"),
        ("a.csv", b"text,label\n", "neither JSONL nor Parquet"),
    ],
)
def test_bad_input_is_told_in_one_line(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UserError, match=told) as error:
        train_from_files([path], tmp_path / "out.npz")
    assert "\n" not in str(error.value) and not (tmp_path / "out.npz").exists()


def test_missing_files_and_columns_are_told_in_one_line(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["x"], "mark": ["y"]}), tmp_path / "a.parquet")
    for paths, told in (
        ([], "No file"),
        ([tmp_path / "none.jsonl"], "No such file"),
        ([tmp_path / "a.parquet"], "'label'"),
    ):
        with pytest.raises(UserError, match=told):
            train_from_files(paths, tmp_path / "out.npz")


def test_parameters_are_checked_and_the_step_pickles_small(model_file: Path) -> None:
    for wrong in ({}, {"model": "m", "min_score": 2}, {"model": "m", "labels": "x"}):
        with pytest.raises(ValidationError):
            Classifier(**wrong)  # type: ignore[arg-type]
    step = Classifier(model=str(model_file))
    step(batch(GOOD))
    assert pickle.loads(pickle.dumps(step)) == step and len(pickle.dumps(step)) < 1000
