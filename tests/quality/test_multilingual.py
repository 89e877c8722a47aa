"""Gopher's rules in other languages. Oracle: datatrove 0.10.1's filters with `language` and `stop_words`."""

from __future__ import annotations

import gzip
import json
import lzma
import pickle
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.errors import UserError
from curation.quality.multilingual import Multilingual
from curation.quality.rules import Rule, RuleFilter
from curation.recipes.load import shipped_recipes
from curation.run.documents import LANG, MEASURE, REASON, TEXT
from curation.text.languages import Spans, word_spans
from curation.text.word_batch import WordBatch, words_of_language
from tests.quality.test_fineweb2 import altered

RULES: list[dict[str, Any]] = yaml.safe_load(shipped_recipes()["gopher-multilingual"])["filters"][0]["multilingual"][
    "rules"
]
LANGUAGES = {"de": "deu", "fi": "fin", "fr": "fra", "el": "ell_monotonic", "ru": "rus", "tr": "tur"}
FULL = {"de": "deu_Latn", "fi": "fin_Latn", "fr": "fra_Latn", "el": "ell_Grek", "ru": "rus_Cyrl", "tr": "tur_Latn"}


@pytest.fixture
def stop_words(tmp_path: Path) -> Path:
    path = tmp_path / "stop.json.gz"
    with gzip.open(path, "wt") as file:
        json.dump({"de": ["der", "und", "die"], "fr": []}, file)
    return path


def batch(strings: list[str], languages: list[str | None]) -> pa.RecordBatch:
    return pa.record_batch({TEXT: pa.array(strings, pa.string()), LANG: pa.array(languages, pa.string())})


@pytest.mark.parametrize("language", LANGUAGES)
def test_verdicts_equal_datatrove(shared: Path, language: str) -> None:
    filters = pytest.importorskip("datatrove.pipeline.filters")
    from datatrove.data import Document

    path = shared / "data/lists/stopwords-iso.json.gz"
    with gzip.open(path) as file, lzma.open(shared / "data/text/udhr/udhr2.jsonl.xz") as lines:
        listed = json.load(file)[language]
        texts = {row["code"]: row["text"] for row in map(json.loads, lines)}
    strings = [altered(texts[LANGUAGES[language]], seed) for seed in range(36)]
    steps = [
        filters.GopherQualityFilter(language=FULL[language], stop_words=listed),
        filters.GopherRepetitionFilter(language=FULL[language]),
    ]
    told = [[step.filter(Document(text=string, id="0")) for step in steps] for string in strings]
    expected = [next((answer[1] for answer in answers if answer is not True), None) for answers in told]
    judged = Multilingual(rules=RULES, stop_words=str(path))(batch(strings, [language] * len(strings)))
    assert judged.column(REASON).to_pylist() == expected
    assert len(Counter(expected)) > 3


def test_english_is_what_a_list_of_rules_says() -> None:
    rules = [rule for rule in RULES if rule["measure"] != "characters"]
    strings = [
        "",
        "the of to. " * 60,
        "One word, two words; - three?\n" * 3,
        *(f"# {n} the and…\n" * n for n in range(9)),
    ]
    given = batch(strings, ["en"] * len(strings))
    plain = RuleFilter(name="multilingual", rules=tuple(Rule(**rule) for rule in rules))(given)
    assert Multilingual(rules=rules)(given).to_pylist() == plain.to_pylist()


def test_stop_words_are_those_of_the_language(stop_words: Path) -> None:
    rules = [{"measure": "stop_words_present", "min": 2, "reason": "few"}]
    strings = ["der und", "der der Die", "the of to", "le la", "il la"]
    judged = Multilingual(rules=rules, stop_words=str(stop_words))(batch(strings, ["de", "de", "de", "fr", "it"]))
    assert judged.column(REASON).to_pylist() == [None, "few", "few", "few", None]  # Italian has no list
    assert judged.column(MEASURE + "stop_words_present").to_pylist() == [2, 1, 0, 0, None]


def test_a_document_without_a_known_language_goes_on(stop_words: Path) -> None:
    rules = [{"measure": "words", "min": 50, "reason": "short"}]
    judged = Multilingual(rules=rules)(batch(["kurz"] * 4, ["de", None, "", "zzz"]))
    assert judged.column(REASON).to_pylist() == ["short", None, None, None]
    assert (
        Multilingual(rules=rules, language="de")(pa.record_batch({TEXT: ["kurz"]})).column(REASON)[0].as_py() == "short"
    )


def test_every_row_is_judged_by_itself_and_the_step_travels(stop_words: Path) -> None:
    step = pickle.loads(pickle.dumps(Multilingual(rules=RULES, stop_words=str(stop_words))))
    strings, languages = ["Ein Satz, und noch einer.", "Une phrase.", "", "x " * 99] * 3, ["de", "fr", None] * 4
    together = step(batch(strings, languages)).to_pylist()
    alone = [step(batch([s], [language])).to_pylist()[0] for s, language in zip(strings, languages, strict=True)]
    assert together == alone and step(batch([], [])).num_rows == 0
    assert step.files == (str(stop_words),)


def test_mistakes_are_one_line(tmp_path: Path, stop_words: Path) -> None:
    rules = [{"measure": "words", "min": 50, "reason": "short"}]
    (tmp_path / "list.json").write_text("[1]")
    (tmp_path / "no.json").write_text("{")
    with pytest.raises(UserError, match="github.com/stopwords-iso"):
        Multilingual(rules=rules, stop_words=str(tmp_path / "none.json"))
    with pytest.raises(UserError, match="holds no stop words"):
        Multilingual(rules=rules, stop_words=str(tmp_path / "list.json"))
    with pytest.raises(UserError, match="is no JSON"):
        Multilingual(rules=rules, stop_words=str(tmp_path / "no.json"))
    with pytest.raises(UserError, match="no measure 'wrods'. Did you mean 'words'"):
        Multilingual(rules=[{"measure": "wrods", "min": 1, "reason": "x"}])
    with pytest.raises(UserError, match="No word tokenizer is known"):
        Multilingual(rules=rules, language="zzz")
    with pytest.raises(UserError, match="documents have no language"):
        Multilingual(rules=rules)(pa.record_batch({TEXT: ["x"]}))


@settings(deadline=None, max_examples=100)
@given(st.lists(st.lists(st.sampled_from(["der", "Über", "ß", "ß", "1", "…", ".", "中"]), max_size=30), max_size=3))
def test_facts_of_given_words(texts: list[list[str]]) -> None:
    """Joined by blanks, so that where each word stands is known."""
    strings = [" ".join(words) for words in texts]
    spans, places = [], []
    for words in texts:
        at = 0
        for word in words:
            places.append((at, at + len(word)))
            at += len(word) + 1
    starts, stops = (list(column) for column in zip(*places, strict=True)) if places else ([], [])
    spans = Spans(
        np.array([len(words) for words in texts], np.int64), np.array(starts, np.int64), np.array(stops, np.int64)
    )
    counts = WordBatch(strings, spans, ["der", "ß"]).word_counts
    assert counts[:, 0].tolist() == [len(words) for words in texts]
    assert counts[:, 1].tolist() == [sum(word not in "….." for word in words) for words in texts]
    assert counts[:, 3].tolist() == [sum(any(map(str.isalpha, word)) for word in words) for words in texts]
    assert counts[:, 4].tolist() == [len({"der", "ß"} & set(words)) for words in texts]
    assert counts[:, 6].tolist() == [words.count("…") for words in texts]


def test_words_that_overlap_have_room() -> None:
    """Korean morphemes may be fused into one syllable, so that words have more bytes than their text."""
    string = "한" * 50
    count = 3_000
    spans = Spans(np.array([count]), np.zeros(count, np.int64), np.full(count, 50, np.int64))
    batch = WordBatch([string], spans)
    assert batch.ngrams[0, 0] == 1 and batch.ngrams[0, 1] == (2 * 50 + 1) * (count - 1)
    assert len(words_of_language([string], "de")) == 1 and word_spans([""], "de").counts.tolist() == [0]
