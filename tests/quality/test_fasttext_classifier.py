"""The step `FastText`. Oracles: the same computation in plain Python, and figures of the fastText library itself."""

from __future__ import annotations

import importlib.util
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.errors import UserError
from curation.language import lid176_engine
from curation.quality.calibration import calibrate
from curation.quality.fasttext_classifier import FastText
from curation.quality.fasttext_file import labels_of
from curation.run.documents import DOC_ID, FATE, REASON, TEXT, THRESHOLD, VALUE
from tests.quality import fasttext_model

LIBRARY = {  # fasttext-numpy2-wheel 0.9.2 on the file of `fasttext_model.write`: the score of __label__hq
    "": 0.682430624961853,
    "the report of x": 0.45918622612953186,
    "cheap shoes cheap shoes": 0.4805023670196533,
    "naïve 中文 unknown words": 0.4832002818584442,
    "__label__hq the": 0.4671894907951355,
    "a b c </s> the": 0.5134895443916321,
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(fasttext_model.write(tmp_path_factory.mktemp("model") / "hand.bin"))


def batch(*strings: str) -> pa.RecordBatch:
    ids = [number.to_bytes(16, "big") for number in range(len(strings))]
    return pa.record_batch({DOC_ID: pa.array(ids, pa.binary(16)), TEXT: pa.array(strings, pa.string())})


def scored(model: str) -> dict[str, float]:
    """The step's own score of each text of `LIBRARY`."""
    step = FastText(model=model, label="hq")
    return {text: step.score(text) for text in LIBRARY}


def test_scores_are_the_librarys(model: str) -> None:
    """Oracle: fastText 0.9.2 by the package fasttext-numpy2-wheel, figures above, to the last digit of float32."""
    assert scored(model) == pytest.approx(LIBRARY, abs=1e-7)


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.sampled_from([*fasttext_model.WORDS, "unknown", "q", "\t", "\0", "€ö", "__label__cc"]) | st.text(max_size=8)
    )
)
def test_scores_are_the_definitions(model: str, words: list[str]) -> None:
    """Oracle: `fasttext_model.scores`, which sums the model's rows in plain Python."""
    line = " ".join(" ".join(words).strip().splitlines())
    step = FastText(model=model, label="__label__cc")
    assert step.score(" ".join(words)) == pytest.approx(fasttext_model.scores(line)["__label__cc"], abs=1e-6)


def test_line_breaks_are_blanks_or_removed(model: str) -> None:
    """DCLM joins the lines of a text by blanks, datatrove takes the line feeds out."""
    text = "\n the\nreport\r\nof\u2028x \n"
    blank = FastText(model=model, label="hq").score(text)
    removed = FastText(model=model, label="hq", newlines="removed").score(text)
    assert blank == scored(model)["the report of x"]
    assert removed == pytest.approx(fasttext_model.scores("thereport\rof\u2028x")["__label__hq"], abs=1e-6)
    assert blank != removed


def test_the_complement_is_dclms_score(model: str) -> None:
    """Oracle: DCLM's rule written out: 1 − the best label's probability where the best is the other one."""
    for text, score in scored(model).items():
        best = max(fasttext_model.scores(text).items(), key=lambda pair: pair[1])
        expected = best[1] if best[0] == "__label__hq" else 1 - best[1]
        found = FastText(model=model, label="hq", complement=True).score(text)
        assert found == pytest.approx(expected, abs=1e-6)
        assert found == score if best[0] == "__label__hq" else score - 3e-5 < found < score - 1e-5


def test_it_measures_all_and_removes_by_score(model: str) -> None:
    rows, scores = batch(*LIBRARY), list(scored(model).values())
    middle = scores[1]
    done = FastText(model=model, label="hq", min_score=middle, reason="low", name="dclm")(rows)
    assert done.column("measure:dclm").to_pylist() == scores
    assert done.column(FATE).to_pylist() == [None if score >= middle else "removed" for score in scores]
    assert done.column(FATE)[1].as_py() is None, "a score on the threshold is kept"
    done = FastText(model=model, label="hq", max_score=middle, reason="high")(rows)
    assert done.column(FATE).to_pylist() == [None if score <= middle else "removed" for score in scores]
    assert [done.column(name)[0].as_py() for name in (REASON, VALUE, THRESHOLD)] == ["high", scores[0], middle]
    assert FastText(model=model, label="hq")(rows).column(FATE).null_count == len(LIBRARY), "without a line it measures"


def test_keep_is_the_best_share_of_the_calibration(model: str, tmp_path: Path) -> None:
    scores = list(scored(model).values())
    calibrate([(np.array(scores), None)], "fasttext").save(tmp_path / "c.json")
    step = FastText(model=model, label="hq", keep=0.5, calibration=str(tmp_path / "c.json"))
    done = step(batch(*LIBRARY))
    best = sorted(scores, reverse=True)[:3]
    assert done.column(FATE).to_pylist() == [None if score in best else "removed" for score in scores]
    assert step.files == (model, str(tmp_path / "c.json"))


@settings(deadline=None, max_examples=30)
@given(st.lists(st.text(max_size=20), max_size=6))
def test_the_cut_of_a_batch_does_not_matter(model: str, strings: list[str]) -> None:
    step = FastText(model=model, label="hq", min_score=0.5)
    whole = step(batch(*strings)).drop_columns([DOC_ID]).to_pylist()
    assert whole == [row for text in strings for row in step(batch(text)).drop_columns([DOC_ID]).to_pylist()]


def test_quantised_models_and_many_labels() -> None:
    """Oracle: the language step, whose scores are held against fastText's own on 4,000 documents."""
    text = "Nobody in the village was surprised by it any more.\nNot even the fox."
    package = importlib.util.find_spec(lid176_engine.PACKAGE)
    assert package is not None and package.origin is not None
    model = str(Path(package.origin).parent / lid176_engine.MODEL)
    assert {label.removeprefix("__label__") for label in labels_of(model)} == lid176_engine.LANGUAGES
    assert FastText(model=model, label="en").score(text) == lid176_engine.scores(text)["en"]
    with pytest.raises(UserError, match="this one has 176"):
        FastText(model=model, label="en", complement=True)


def test_a_wrong_label_and_wrong_files_are_told_in_one_line(model: str, tmp_path: Path) -> None:
    whole = Path(model).read_bytes()
    with pytest.raises(UserError, match="no label 'hp'. Known: cc, hq"):
        FastText(model=model, label="hp")
    with pytest.raises(UserError, match="No fastText model at"):
        FastText(model=str(tmp_path / "none.bin"), label="hq")
    with pytest.raises(UserError, match="word vectors, no classifier"):
        FastText(model=str(fasttext_model.write(tmp_path / "vectors.bin", kind=1)), label="hq")
    wrong = {"empty": b"", "text": b"hello " * 50, "long": whole + b"\0", "huge": whole[:64] + struct.pack("<i", 10**9)}
    for name, content in wrong.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match="is no fastText model, or not the whole of one") as error:
            FastText(model=str(tmp_path / name), label="hq")
        assert "\n" not in str(error.value)


@settings(deadline=None, max_examples=60)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_model_that_is_cut_off_is_found(model: str, tmp_path_factory: pytest.TempPathFactory, share: float) -> None:
    whole = Path(model).read_bytes()
    path = tmp_path_factory.mktemp("cut") / "cut.bin"
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(UserError, match="not the whole of one"):
        labels_of(str(path))


@pytest.mark.parametrize(
    "keys",
    [
        {"label": "hq", "min_score": 0.5, "keep": 0.1, "calibration": "c"},
        {"label": "hq", "keep": 0.1},
        {"label": "hq", "min_score": 0.6, "max_score": 0.5},
        {"label": "hq", "keep": 0.0, "calibration": "c"},
        {"label": "hq", "newlines": "kept"},
        {"label": "hq", "lable": "x"},
        {},
    ],
)
def test_parameters_are_checked(model: str, keys: dict[str, Any]) -> None:
    with pytest.raises((UserError, ValidationError)):
        FastText(model=model, **keys)


def test_the_step_pickles_small(model: str) -> None:
    step = FastText(model=model, label="hq", min_score=0.5)
    step(batch("x"))
    assert pickle.loads(pickle.dumps(step)) == step and len(pickle.dumps(step)) < 1000
