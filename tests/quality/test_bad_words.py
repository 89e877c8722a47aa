"""The step `bad_words`. Oracle where named: datatrove 0.10.1, `C4BadWordsFilter` with `keep_fraction=0`."""

from __future__ import annotations

import gzip
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.errors import UserError
from curation.quality.bad_words import ALLOWED, BadWords
from curation.run.documents import DOC_ID, LANG, TEXT

LISTS = {"en": "bad\nvery bad\nco.uk\nass\n", "de": "Mist\nböse\n", "ja": "ばか\nsm\n", "xx": ""}


@pytest.fixture
def lists(tmp_path: Path) -> str:
    for language, content in LISTS.items():
        (tmp_path / f"{language}.txt").write_text(content, encoding="utf-8")
    return str(tmp_path)


def batch(*rows: tuple[str, str | None]) -> pa.RecordBatch:
    ids = [number.to_bytes(16, "big") for number in range(len(rows))]
    columns = {
        DOC_ID: pa.array(ids, pa.binary(16)),
        TEXT: pa.array([text for text, _ in rows], pa.string()),
        LANG: pa.array([language for _, language in rows], pa.string()),
    }
    return pa.record_batch(columns)


@pytest.mark.parametrize(
    ("text", "language", "count"),
    [
        ("This is BAD.", "en", 1),
        ("very bad", "en", 2),
        ("badly, a class, bad_", "en", 0),
        ("bad bad-bad", "en", 3),
        ("example.co.uk", "en", 1),
        ("Böse!", "de", 1),
        ("Mist", "de", 0),  # as in C4, the text is in lower case and the list as it stands
        ("あばかい", "ja", 1),
        ("sm", "ja", 0),
        ("bad", "xx", 0),
        ("bad", "fr", None),
        ("bad", None, None),
    ],
)
def test_entries_are_counted_by_language(lists: str, text: str, language: str | None, count: int | None) -> None:
    row = BadWords(lists=lists)(batch((text, language))).to_pylist()[0]
    assert row["measure:bad_words"] == count
    verdict = (row["fate"], row["reason"], row["value"], row["threshold"])
    assert verdict == (("removed", "bad_words", count, 0) if count else (None, None, None, None))


def test_parameters(lists: str) -> None:
    rows = batch(("bad", "de"), ("bad bad", "de"), ("Mist", "fr"))
    assert BadWords(lists=lists, language="en", max_count=1)(rows).column("value").to_pylist() == [None, 2, None]
    assert BadWords(lists=lists, without_list="remove")(rows).column("reason").to_pylist()[2] == "no_bad_words_list"
    lower = BadWords(lists=lists, language="de", lower_case_lists=True)(rows)
    assert lower.column("value").to_pylist() == [None, None, 1]
    inside = BadWords(lists=lists, language="en", unspaced=("en",))(batch(("badly classes", None)))
    assert inside.column("value").to_pylist() == [2]
    assert BadWords(lists=lists, language="ja", allow=())(batch(("sm", None))).column("value").to_pylist() == [1]


def test_a_share_is_kept_by_the_id_alone(lists: str) -> None:
    rows = [("bad", "en")] * 2000
    step = BadWords(lists=lists, keep_fraction=0.25)
    fates = step(batch(*rows)).column("fate").to_pylist()
    assert 0.21 < fates.count(None) / 2000 < 0.29
    whole = batch(*rows)
    cut = [pickle.loads(pickle.dumps(step))(whole.slice(at, 300)) for at in range(0, 2000, 300)]
    assert [fate for part in cut for fate in part.column("fate").to_pylist()] == fates
    assert BadWords(lists=lists, keep_fraction=0.25, seed=1)(whole).column("fate").to_pylist() != fates
    assert BadWords(lists=lists, keep_fraction=1)(whole).column("fate").to_pylist() == [None] * 2000


def test_files_and_measures(lists: str) -> None:
    assert BadWords(lists=lists, language="de").files == (f"{lists}/de.txt",)
    assert [Path(file).stem for file in BadWords(lists=lists).files] == ["de", "en", "ja", "xx"]
    assert BadWords(lists=lists, name="swearing").measures == ("swearing",)


def test_mistakes_are_one_line(lists: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no folder of lists"):
        BadWords(lists=str(tmp_path / "none"))
    with pytest.raises(UserError, match=r"has no 'enn.txt'.* Did you mean 'en'"):
        BadWords(lists=lists, language="enn")
    with pytest.raises(UserError, match="language: en"):
        BadWords(lists=lists)(batch(("bad", "en")).drop_columns([LANG]))
    (tmp_path / "other").mkdir()
    (tmp_path / "other/latin.txt").write_bytes(b"b\xf6se\n")
    with pytest.raises(UserError, match=r"'latin.txt'.*not UTF-8"):
        BadWords(lists=str(tmp_path / "other"), language="latin")(batch(("x", None)))
    for wrong in ({"keep_fraction": 2}, {"max_count": -1}, {"without_list": "x"}):
        with pytest.raises(ValidationError):
            BadWords(lists=lists, **wrong)  # type: ignore[arg-type]


@pytest.fixture
def oracle(shared: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], bool]:
    """Whether datatrove removes a text in a language; its lists are those beside the checkout."""
    module = pytest.importorskip("datatrove.pipeline.filters.c4_filters")
    document = pytest.importorskip("datatrove.data").Document
    folder = shared / "data/lists/ldnoobw"

    def local(url: str, **_: Any) -> str:
        return str(folder / f"{url.rpartition('/')[2]}.txt")

    monkeypatch.setattr(module, "cached_asset_path_or_download", local)
    block = module.C4BadWordsFilter()
    return lambda text, language: block.filter(document(text=text, id="", metadata={"language": language})) is not True


def test_equal_to_datatrove_on_real_pages(shared: Path, oracle: Callable[[str, str], bool]) -> None:
    step = BadWords(lists=str(shared / "data/lists/ldnoobw"), language="en")
    with gzip.open(shared / "bench/corpus_en_4000.jsonl.gz") as corpus:
        strings = [json.loads(line)["text"] for number, line in enumerate(corpus) if number % 20 == 0]
    removed = [step.count(string, "en") != 0 for string in strings]
    assert removed == [oracle(string, "en") for string in strings]
    assert 0 < sum(removed) < len(removed)


def test_equal_to_datatrove_on_composed_texts(shared: Path, oracle: Callable[[str, str], bool]) -> None:
    folder = shared / "data/lists/ldnoobw"
    step = BadWords(lists=str(folder))
    languages = ["en", "de", "fr", "ru", "hi", "tr", "ja", "th", "zh", "tlh", "fr-CA-u-sd-caqc"]
    words = {language: (folder / f"{language}.txt").read_text(encoding="utf-8").split("\n") for language in languages}

    @settings(deadline=None, max_examples=400, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def compare(data: st.DataObject) -> None:
        language = data.draw(st.sampled_from(languages))
        word = st.sampled_from(words[language]) | st.sampled_from([*ALLOWED, "a", "É", "_", "İ", "ς", "9", "\u0301"])
        joint = st.sampled_from(["", " ", "\n", "-", "_", "。"])
        parts = data.draw(st.lists(st.tuples(word | st.text(max_size=3), joint), max_size=6))
        string = "".join(part for pair in parts for part in pair)
        assert (step.count(string, language) != 0) == oracle(string, language)

    compare()
