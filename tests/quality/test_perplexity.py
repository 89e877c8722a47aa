"""The step `Perplexity` and CCNet's normalisation. Oracles: back-off over the ARPA file, CCNet's passes one by one."""

from __future__ import annotations

import math
import pickle
import re
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.errors import UserError
from curation.quality import perplexity
from curation.quality.calibration import calibrate
from curation.quality.ccnet_text import normalised
from curation.quality.perplexity import Perplexity
from curation.run.documents import FATE, REASON, TEXT, THRESHOLD, VALUE

ARPA = """\\data\\
ngram 1=7
ngram 2=6
ngram 3=3

\\1-grams:
-1.5\t<unk>
-99\t<s>\t-0.3
-1.1\t</s>
-0.7\tthe\t-0.25
-1.0\triver\t-0.4
-1.2\trises\t-0.1
-1.4\t0\t-0.2

\\2-grams:
-0.4\t<s> the\t-0.15
-0.5\tthe river\t-0.35
-0.9\triver rises\t-0.05
-0.3\trises </s>
-0.8\tthe 0\t-0.12
-0.6\t0 </s>

\\3-grams:
-0.2\t<s> the river
-0.1\tthe river rises
-0.05\triver rises </s>

\\end\\
"""
WORDS = ["the", "river", "rises", "7", "The", "Ríver", "unknown", "rises\u00a0the", "0"]


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("model") / "tiny.arpa"
    path.write_text(ARPA, encoding="utf-8")
    return str(path)


def batch(*strings: str) -> pa.RecordBatch:
    return pa.record_batch({TEXT: pa.array(strings, pa.string())})


def tables() -> tuple[dict[tuple[str, ...], float], dict[tuple[str, ...], float]]:
    """Log probability and back-off weight of each n-gram of `ARPA`."""
    probabilities, weights = {}, {}
    for line in ARPA.splitlines():
        if line.startswith("-"):
            probability, gram, *weight = line.split("\t")
            probabilities[tuple(gram.split())] = float(probability)
            weights[tuple(gram.split())] = float(weight[0]) if weight else 0.0
    return probabilities, weights


PROBABILITIES, WEIGHTS = tables()


def probability(context: tuple[str, ...], word: str) -> float:
    """Katz's back-off: the n-gram's own log probability, or the context's weight and a shorter context."""
    if (*context, word) in PROBABILITIES:
        return PROBABILITIES[*context, word]
    if not context:
        return PROBABILITIES["<unk>",]
    return WEIGHTS.get(context, 0.0) + probability(context[1:], word)


def score(line: str) -> tuple[float, int]:
    """Log10 probability of a line with its end, and how many words that are."""
    words = [word if (word,) in PROBABILITIES else "<unk>" for word in line.encode().decode().split(" ") if word]
    total, seen = 0.0, ["<s>"]
    for word in [*words, "</s>"]:
        total += probability(tuple(seen[-2:]), word)
        seen.append(word)
    return total, len(line.split()) + 1


def slow_perplexity(lines: list[str]) -> float:
    parts = [score(line) for line in lines]
    return float(10 ** (-sum(total for total, _ in parts) / sum(length for _, length in parts)))


@settings(deadline=None, max_examples=150)
@given(st.lists(st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join), min_size=1, max_size=4))
def test_the_perplexity_is_the_definition(model: str, lines: list[str]) -> None:
    """Oracle: back-off in plain Python over the file, each line by itself and all as one line."""
    pytest.importorskip("kenlm")
    text = "\n".join(lines)
    if not text:
        return
    each = Perplexity(model=model, digits=6).perplexity(text)
    assert each == pytest.approx(slow_perplexity([normalised(line) for line in lines]), rel=1e-5)
    whole = Perplexity(model=model, digits=6, lines=False).perplexity(text)
    assert whole == pytest.approx(slow_perplexity([normalised(text)]), rel=1e-5)


def test_figures_by_hand(model: str) -> None:
    """the river rises: −0.4 −0.2 −0.1 −0.05 over four words; each with the line's beginning and end."""
    pytest.importorskip("kenlm")
    assert Perplexity(model=model, digits=4).perplexity("The RIVER rises") == round(10 ** (0.75 / 4), 4)
    assert Perplexity(model=model, digits=4).perplexity("the 7") == round(
        10 ** ((0.4 + 0.15 + 0.8 + 0.12 + 0.6) / 3), 4
    )
    assert Perplexity(model=model).perplexity("the river rises") == 1.5
    assert Perplexity(model=model).perplexity("") is None
    assert Perplexity(model=model).perplexity("\n") == round(10 ** (0.3 + 1.1), 1), "two empty lines, as CCNet"


def test_a_very_unlikely_text_has_a_number(tmp_path: Path) -> None:
    pytest.importorskip("kenlm")
    (tmp_path / "m.arpa").write_text(ARPA.replace("-1.5\t<unk>", "-999\t<unk>"))
    assert Perplexity(model=str(tmp_path / "m.arpa")).perplexity("x y z " * 50) == 1e308


def test_sentencepiece_cuts_the_text_and_joins_its_lines(model: str, tmp_path: Path) -> None:
    """Oracle: CCNet's own order of work, with SentencePiece called by hand."""
    pytest.importorskip("kenlm")
    sentencepiece = pytest.importorskip("sentencepiece")
    (tmp_path / "text").write_text("the river rises\nthe hills rise\na river the\n" * 20)
    sentencepiece.SentencePieceTrainer.train(
        input=str(tmp_path / "text"), model_prefix=str(tmp_path / "m"), vocab_size=16, minloglevel=2
    )
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "m.model"))
    step = Perplexity(model=model, sentencepiece=str(tmp_path / "m.model"), digits=6)
    joined = " ".join(pieces.encode("the riverrises", out_type=str))
    assert step.perplexity("The river\nrises") == pytest.approx(slow_perplexity([joined]), rel=1e-5)
    alone = [" ".join(pieces.encode(line, out_type=str)) for line in ("the river", "rises")]
    each = Perplexity(model=model, sentencepiece=str(tmp_path / "m.model"), digits=6, lines=True)
    assert each.perplexity("The river\nrises") == pytest.approx(slow_perplexity(alone), rel=1e-5)
    assert step.files == (model, str(tmp_path / "m.model"))


def test_min_and_max(model: str) -> None:
    pytest.importorskip("kenlm")
    strings = ["the river rises", "the 7", "unknown words only", ""]
    values = [Perplexity(model=model).perplexity(text) for text in strings]
    done = Perplexity(model=model, min=2.0, max=values[1], reason="odd", name="surprise")(batch(*strings))
    assert done.column("measure:surprise").to_pylist() == values and done.column("measure:surprise").null_count == 1
    assert done.column(FATE).to_pylist() == ["removed", None, "removed", None]
    assert [done.column(name)[2].as_py() for name in (REASON, VALUE, THRESHOLD)] == ["odd", values[2], values[1]]
    assert done.column(THRESHOLD)[0].as_py() == 2.0
    assert Perplexity(model=model)(batch(*strings)).column(FATE).null_count == 4, "without a line it measures"


def test_buckets_and_keep(model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CCNet's buckets: below the 30th percentile head, from there middle, from the 60th tail."""
    calibrate([(np.arange(1000.0), None)], "perplexity").save(tmp_path / "c.json")
    calibration = str(tmp_path / "c.json")
    monkeypatch.setattr(perplexity.importlib.util, "find_spec", lambda name: True)
    monkeypatch.setattr(Perplexity, "perplexity", lambda self, text: float(text) if text else None)
    strings = ["0", "299.9", "300", "599", "600", "5000", ""]
    for buckets, fates, thresholds in (
        (["head"], "__rrrr_", [300, 300, 300, 300]),
        (["head", "middle"], "____rr_", [600, 600]),
        (["middle"], "rr__rr_", [300, 300, 600, 600]),
        (["middle", "tail"], "rr_____", [300, 300]),
        (["tail"], "rrrr___", [600, 600, 600, 600]),
        (["head", "tail"], "__rr___", [300, 300]),
    ):
        step = Perplexity(model=model, calibration=calibration, buckets=buckets)  # type: ignore[arg-type]
        done = step(batch(*strings))
        assert done.column("measure:perplexity_bucket").to_pylist() == [0, 0, 1, 1, 2, 2, None]
        assert done.column(FATE).to_pylist() == ["removed" if mark == "r" else None for mark in fates], buckets
        assert [value for value in done.column(THRESHOLD).to_pylist() if value is not None] == thresholds
        assert step.measures == ("perplexity", "perplexity_bucket")
    assert done.column(REASON)[2].as_py() == "perplexity_middle"
    kept = Perplexity(model=model, calibration=calibration, keep=0.3)(batch(*strings))
    assert kept.column(FATE).to_pylist() == [None, None, None, "removed", "removed", "removed", None]


@settings(deadline=None, max_examples=300)
@given(
    st.text(st.sampled_from("aÉß１1٣，。„—…％►`\t\r\n\x85\u0301\u0130 ") | st.characters(codec="utf-8"), max_size=40)
)
def test_normalisation_is_ccnets(text: str) -> None:
    """Oracle: the steps of cc_net/text_normalizer.py one after the other, each by its own pass."""
    line = text.strip().lower()
    line = "".join(c for c in unicodedata.normalize("NFD", line) if unicodedata.category(c) != "Mn")
    line = re.sub(r"\d", "0", line)
    table = dict(zip("，。、„”“«»」「《》´∶：？！（）；–．～’…━〈〉【】％►", [
        ",", ".", ",", '"', '"', '"', '"', '"', '"', '"', '"', '"', "'", ":", ":", "?", "!", "(", ")", ";", "-", ". ",
        "~", "'", "...", "-", "<", ">", "[", "]", "%", "-",
    ], strict=True)) | {"—": " - "}  # fmt: skip
    line = "".join(table.get(c, c) for c in line)
    assert normalised(text) == re.sub(r"[\x00-\x1f\x7f-\x9f]", "", line)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"model": "none.arpa"}, "no model at 'none.arpa'"),
        ({"sentencepiece": "none.model"}, "no model at 'none.model'"),
        ({"buckets": ["head"]}, "'buckets' needs 'calibration'"),
        ({"buckets": ["head"], "calibration": "c", "max": 3.0}, "not both"),
        ({"head": 0.7}, "behind the beginning of the tail"),
        ({"keep": 0.5}, "'keep' needs 'calibration'"),
        ({"calibration": "none.json"}, "No calibration at"),
    ],
)
def test_mistakes_are_told_before_any_work(model: str, keys: dict[str, Any], told: str) -> None:
    pytest.importorskip("kenlm")
    with pytest.raises(UserError, match=told) as error:
        Perplexity(**{"model": model, **keys})
    assert "\n" not in str(error.value)


def test_files_that_are_no_models_and_a_missing_package(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("kenlm")
    (tmp_path / "wrong").write_bytes(b"\\data\\ nothing")
    with pytest.raises(UserError, match="no KenLM model"):
        Perplexity(model=str(tmp_path / "wrong")).perplexity("x")
    with pytest.raises(UserError, match="no SentencePiece model"):
        Perplexity(model=model, sentencepiece=str(tmp_path / "wrong")).perplexity("x")
    monkeypatch.setattr(perplexity.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"corpusmill\[perplexity\]"):
        Perplexity(model=model)


def test_parameters_are_checked_and_the_step_pickles_small(model: str) -> None:
    pytest.importorskip("kenlm")
    for wrong in (
        {"buckets": ["best"], "calibration": "c"},
        {"maximum": 3},
        {"head": 0.0},
        {"digits": -1},
        {"max": math.nan},
    ):
        with pytest.raises(ValidationError):
            Perplexity(**{"model": model, **wrong})
    step = Perplexity(model=model, max=3.0)
    step(batch("the river"))
    assert pickle.loads(pickle.dumps(step)) == step and len(pickle.dumps(step)) < 1000
