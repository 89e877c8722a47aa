"""FineWeb-2's filters. Oracle: datatrove 0.10.1's, set as fineweb-2-pipeline.py (huggingface/fineweb-2 d0defb2) sets them."""

from __future__ import annotations

import json
import lzma
import pickle
import random
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml

from connectors.errors import UserError
from curation.quality.fineweb2 import FineWeb2
from curation.run.documents import FATE, LANG, LANG_SCORE, MEASURE, REASON, TEXT, THRESHOLD, VALUE

# FineWeb-2's names and those of the UDHR's texts
LANGUAGES = {
    "deu_Latn": "deu",
    "fra_Latn": "fra",
    "spa_Latn": "spa",
    "ita_Latn": "ita",
    "ron_Latn": "ron",
    "rus_Cyrl": "rus",
    "ell_Grek": "ell_monotonic",
    "arb_Arab": "arb",
    "tur_Latn": "tur",
    "fin_Latn": "fin",
    "pol_Latn": "pol",
    "swh_Latn": "swh",
}
GERMAN: dict[str, Any] = {
    "language_score": 0.8,
    "dup_line_frac": 0.3,
    "top_n_grams": [[2, 0.2], [3, 0.18], [4, 0.16]],
    "dup_n_grams": [[5, 0.15], [6, 0.14], [7, 0.13], [8, 0.12], [9, 0.11], [10, 0.1]],
    "line_punct_thr": 0.1,
    "new_line_ratio": 0.25,
    "min_avg_word_length": 3,
    "max_avg_word_length": 15,
    "max_non_alpha_words_ratio": 0.7,
    "stopwords": ["der", "und", "die", "in"],
}
PROSE = (
    "Der Mensch hat das Recht auf Leben und auf Freiheit, denn niemand darf ohne Grund verhaftet werden.\n"
    "Jeder, der in einem Land wohnt, kann sich darin frei bewegen, und die Familie steht unter seinem Schutz.\n"
    "Wer arbeitet, soll gerecht bezahlt werden; auch Erholung, Bildung und Kunst gehören dazu, so steht es hier.\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Thresholds of German alone."""
    return write(tmp_path / "thresholds", deu_Latn=GERMAN)


def write(folder: Path, **files: Any) -> Path:
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / f"{name}.yml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return folder


def batch(strings: list[str], languages: list[str | None], scores: list[float | None] | None = None) -> pa.RecordBatch:
    columns = {TEXT: strings, LANG: languages, LANG_SCORE: scores or [1.0] * len(strings)}
    kinds = {TEXT: pa.string(), LANG: pa.string(), LANG_SCORE: pa.float64()}
    return pa.record_batch({name: pa.array(values, kinds[name]) for name, values in columns.items()})


def altered(string: str, seed: int) -> str:
    """A part of a text, with something done to it that one of the filters looks for."""
    draw = random.Random(seed)
    lines = [line.strip() for line in string.split("\n") if line.strip()]
    first = draw.randrange(len(lines))
    lines = lines[first : first + draw.choice([3, 8, 20, 60])]
    kind = seed % 12
    if kind == 0:
        lines += draw.choices(lines, k=len(lines) // 2 + 1)
    elif kind == 1:
        lines = [line.rstrip(".،؛;:,") for line in lines]
    elif kind == 2:
        lines = [word for line in lines for word in line.split()]
    elif kind == 3:
        lines = [line + " " + " ".join(line.split()[:4]) * draw.randrange(1, 4) for line in lines]
    elif kind == 4:
        lines = [f"{draw.randrange(10**6)} {word}" for line in lines for word in line.split()[::3]]
    elif kind == 5:
        lines = ["#" + "# ".join(line.split()[:6]) for line in lines]
    elif kind == 6:
        lines = [draw.choice("-•") + line for line in lines]
    elif kind == 7:
        lines = [line + "..." for line in lines]
    elif kind == 8:
        lines = ["".join(line.split()) for line in lines]
    elif kind == 9:
        lines = [" ".join(character for character in line if character.isalpha()) + "." for line in lines]
    elif kind == 10:
        lines = [" ".join(word for word in line.split() if len(word) > 4) + "." for line in lines]
    return draw.choice(["\n", "\n\n"]).join(lines)


class Oracle:
    """The three filters that FineWeb-2 runs one after another, for one language."""

    def __init__(self, language: str, config: dict[str, Any]) -> None:
        filters = pytest.importorskip("datatrove.pipeline.filters")
        self.filters = [
            filters.GopherRepetitionFilter(
                language=language,
                dup_para_frac=0,
                dup_line_char_frac=0,
                dup_para_char_frac=0,
                dup_line_frac=config["dup_line_frac"],
                top_n_grams=config["top_n_grams"],
                dup_n_grams=config["dup_n_grams"],
            ),
            filters.FineWebQualityFilter(
                language=language,
                short_line_thr=999,
                char_duplicates_ratio=0.1,
                line_punct_thr=config["line_punct_thr"],
                new_line_ratio=config["new_line_ratio"],
            ),
            filters.GopherQualityFilter(
                language=language,
                max_avg_word_length=config["max_avg_word_length"],
                min_avg_word_length=config["min_avg_word_length"],
                stop_words=config["stopwords"],
                max_non_alpha_words_ratio=config["max_non_alpha_words_ratio"],
                min_stop_words=2,
            ),
        ]

    def reason(self, string: str) -> str | None:
        from datatrove.data import Document

        for each in self.filters:
            told = each.filter(Document(text=string, id="0"))
            if told is not True:
                return str(told[1])
        return None


@pytest.mark.parametrize("language", LANGUAGES)
def test_verdicts_equal_datatrove(shared: Path, language: str) -> None:
    archive = shared / "data/lists/fineweb2-thresholds.tar.gz"
    with tarfile.open(archive) as opened:
        file = opened.extractfile(f"fineweb2-thresholds/{language}.yml")
        assert file is not None
        oracle = Oracle(language, yaml.safe_load(file.read()))
    with lzma.open(shared / "data/text/udhr/udhr2.jsonl.xz") as lines:
        texts = {row["code"]: row["text"] for row in map(json.loads, lines)}
    source = texts[LANGUAGES[language]]
    strings = [source, "", " \n ", *(altered(source, seed) for seed in range(72))]
    step = FineWeb2(thresholds=str(archive), languages=(language,))
    judged = step(batch(strings, [language] * len(strings)))
    expected = [oracle.reason(string) for string in strings]
    assert judged.column(REASON).to_pylist() == expected
    assert len(Counter(expected)) > 4  # or the alterations would prove little


def test_values_and_thresholds_stand_in_the_verdict(folder: Path) -> None:
    step = FineWeb2(thresholds=str(folder))
    strings = [PROSE, PROSE[: PROSE.index("Wer")], PROSE + "\n".join(f"{n} {n + 1}" for n in range(200)) + "."]
    rows = step(batch(strings, ["de"] * 3)).to_pylist()
    assert [row[FATE] for row in rows] == [None, "removed", "removed"]
    assert (rows[1][REASON], rows[1][THRESHOLD]) == ("gopher_short_doc", 50) and rows[1][VALUE] == 35
    assert rows[2][REASON] == "line_punct_ratio" and rows[2][VALUE] < rows[2][THRESHOLD] == 0.1
    assert {MEASURE + name for name in step.measures} <= set(rows[0])
    assert rows[0][MEASURE + "stop_words_present"] == 4


def test_the_language_decides_the_thresholds_and_stop_words(folder: Path) -> None:
    write(folder, fra_Latn=GERMAN | {"stopwords": ["le", "la"]}, ita_Latn=GERMAN | {"max_avg_word_length": 4})
    judged = FineWeb2(thresholds=str(folder))(batch([PROSE] * 3, ["de", "fr", "ita_Latn"]))
    assert judged.column(REASON).to_pylist() == [None, "gopher_enough_stop_words", "gopher_above_avg_threshold"]


def test_a_score_on_the_bound_is_high_enough(folder: Path) -> None:
    rows = FineWeb2(thresholds=str(folder))(batch([PROSE] * 3, ["de"] * 3, [0.8, 0.79, None])).to_pylist()
    assert [row[REASON] for row in rows] == [None, "language_score", "language_score"]
    assert (rows[1][VALUE], rows[1][THRESHOLD]) == (0.79, 0.8)
    assert rows[1][MEASURE + "words"] is None and rows[0][MEASURE + "words"] is not None


def test_languages_without_thresholds(folder: Path) -> None:
    strings, languages = [PROSE] * 3, ["fr", None, "de"]
    removed = FineWeb2(thresholds=str(folder))(batch(strings, languages))
    assert removed.column(REASON).to_pylist() == ["no_thresholds", "no_thresholds", None]
    kept = FineWeb2(thresholds=str(folder), without_thresholds="keep")(batch(strings, languages))
    assert kept.column(REASON).to_pylist() == [None] * 3
    renamed = FineWeb2(thresholds=str(folder), names={"fr": "deu_Latn"})(batch(strings, languages))
    assert renamed.column(REASON).to_pylist() == [None, "no_thresholds", None]


def test_a_bound_of_zero_switches_a_rule_off_as_in_datatrove(folder: Path) -> None:
    write(folder, deu_Latn=GERMAN | {"dup_line_frac": 0, "min_avg_word_length": 0, "max_avg_word_length": 0})
    reasons = {rule.reason for rule in _rules(folder)}
    assert not reasons & {"dup_line_frac", "gopher_below_avg_threshold", "gopher_above_avg_threshold"}
    assert {"list_ratio", "top_2_gram"} <= reasons


def _rules(folder: Path) -> list[Any]:
    from curation.quality.fineweb2_thresholds import thresholds

    return FineWeb2(thresholds=str(folder)).rules(thresholds(str(folder), "deu_Latn"))


def test_every_row_is_judged_by_itself_and_the_step_travels(folder: Path) -> None:
    step = pickle.loads(pickle.dumps(FineWeb2(thresholds=str(folder))))
    strings = [altered(PROSE * 4, seed) for seed in range(24)]
    languages = ["de", "fr", None] * 8
    together = step(batch(strings, languages)).to_pylist()
    alone = [step(batch([s], [language])).to_pylist()[0] for s, language in zip(strings, languages, strict=True)]
    assert repr(together) == repr(alone)
    assert step(batch([], [])).num_rows == 0


def test_an_archive_says_the_same_as_its_folder(folder: Path, tmp_path: Path) -> None:
    archive = tmp_path / "thresholds.tar.gz"
    with tarfile.open(archive, "w:gz") as opened:
        opened.add(folder, "thresholds")
    given = batch([PROSE, "Kurz."], ["de", "de"])
    from_archive = FineWeb2(thresholds=str(archive))
    assert from_archive(given) == FineWeb2(thresholds=str(folder))(given)
    assert from_archive.files == (str(archive),)
    assert FineWeb2(thresholds=str(folder)).files == (str(folder / "deu_Latn.yml"),)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({**GERMAN, "language_scor": 1}, "unknown key 'language_scor'. Did you mean 'language_score'?"),
        ({key: value for key, value in GERMAN.items() if key != "stopwords"}, "stopwords: field required"),
        (GERMAN | {"top_n_grams": [[7, 0.1]]}, "top_n_grams.0.0"),
        ([1, 2], "deu_Latn"),
    ],
)
def test_damaged_thresholds_are_told_with_their_file(tmp_path: Path, content: Any, told: str) -> None:
    folder = write(tmp_path / "damaged", deu_Latn=content)
    with pytest.raises(UserError) as raised:
        FineWeb2(thresholds=str(folder), languages=("deu_Latn",))
    assert told in str(raised.value) and "deu_Latn" in str(raised.value) and "\n" not in str(raised.value)


def test_mistakes_are_one_line(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "no.tar.gz").write_bytes(b"nothing")
    for given, told in {
        str(tmp_path / "none"): "github.com/huggingface/fineweb-2",
        str(tmp_path / "none.tar.gz"): "github.com/huggingface/fineweb-2",
        str(tmp_path / "empty"): "has no thresholds",
        str(tmp_path / "no.tar.gz"): "no tar file",
    }.items():
        with pytest.raises(UserError, match=told):
            FineWeb2(thresholds=given)
    with pytest.raises(UserError, match="has no 'deu_Lat'. Did you mean 'deu_Latn'?"):
        FineWeb2(thresholds=str(folder), languages=("deu_Lat",))
    with pytest.raises(UserError, match="documents have no language"):
        FineWeb2(thresholds=str(folder))(pa.record_batch({TEXT: ["x"], LANG_SCORE: [1.0]}))
