"""Shingles of characters and of words. Oracles: slow Python with `normalized` and xxhash; datatrove 0.10.1."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from connectors.errors import UserError
from curation.dedup.normal_texts import normal_texts
from curation.dedup.shingles import Shingling, Unit, document_shingles, text_shingles, way_of
from curation.run.documents import LANG, TEXT
from curation.text.batch import Shingles
from curation.text.columns import batch_of
from curation.text.normalize import normalized

# What the normal form treats specially: digits of scripts, separators, blanks, marks alone, letters that depend on neighbours
HARD = "aB zZ01.,٣٫٤\u0301\u0308\u00a0\u2028\u3000\t\nÀé“”!-_#ΣςσßİıÅﬁ가각中文。\u1fef\u0344\U0001d7d8\U0001f600\u0f71\u0f72"
texts_of_hard_letters = st.lists(
    st.text(st.one_of(st.sampled_from(HARD), st.characters(exclude_categories=["Cs"])), max_size=40), max_size=6
)


def of(shingles: Shingles, row: int) -> list[int]:
    hashes: list[int] = shingles.hashes[shingles.offsets[row] : shingles.offsets[row + 1]].tolist()
    return hashes


def slowly(string: str, characters: int) -> list[int]:
    normal = normalized(string)
    return [
        xxhash.xxh64_intdigest(normal[start : start + characters].encode())
        for start in range(len(normal) - characters + 1)
    ]


@settings(max_examples=400, deadline=None)
@given(texts_of_hard_letters)
def test_normal_forms_are_those_of_python(strings: list[str]) -> None:
    content, bounds = normal_texts(batch_of(strings))
    assert [content[start:stop].tobytes().decode() for start, stop in zip(bounds[:-1], bounds[1:], strict=True)] == [
        normalized(string) for string in strings
    ]


def test_a_mark_between_blanks_leaves_both() -> None:
    """As `simplify_text` has it: blanks are joined before marks go."""
    content, _ = normal_texts(batch_of(["a \u0301 b"]))
    assert content.tobytes() == b"a  b" == normalized("a \u0301 b").encode()


def test_normal_forms_of_some_rows_over_many_portions() -> None:
    strings = [f"Text {number} ΟΔΟΣ. " * 20_000 if number % 3 else f"Nr. {number},5" for number in range(9)]
    rows = np.array([1, 3, 8])
    content, bounds = normal_texts(batch_of(strings), rows)
    found = [content[start:stop].tobytes().decode() for start, stop in zip(bounds[:-1], bounds[1:], strict=True)]
    assert found == [normalized(strings[row]) for row in rows]


@settings(max_examples=200, deadline=None)
@given(texts_of_hard_letters, st.integers(1, 12))
def test_shingles_of_characters_are_hashes_of_the_normal_form(strings: list[str], characters: int) -> None:
    shingles = text_shingles(strings, Shingling(characters=characters))
    assert len(shingles.offsets) == len(strings) + 1
    for row, string in enumerate(strings):
        assert of(shingles, row) == slowly(string, characters)


def test_long_shingles_of_characters() -> None:
    string = "Ünïcode and plain text of many letters, 中文 too. " * 3
    assert of(text_shingles([string], Shingling(characters=24)), 0) == slowly(string, 24)


def test_words_by_default_are_those_of_the_text_engine() -> None:
    strings = ["one two three four five six", "few words", "a b c d e"]
    shingles, expected = text_shingles(strings, Shingling()), batch_of(strings).shingles(5)
    assert shingles.hashes.tolist() == expected.hashes.tolist()
    assert np.diff(shingles.offsets).tolist() == [2, 0, 1]
    assert of(shingles, 2) == [xxhash.xxh64_intdigest("a b c d e")]


def test_rows_that_an_earlier_step_left() -> None:
    """The documents of a batch whose texts a larger batch had: the right ones, whichever way is taken."""
    strings = [f"this is text number n{number} of a batch" for number in range(10)]
    column = pa.array(strings)
    document_shingles(pa.record_batch({TEXT: column}), Shingling())
    for kept in ([0, 2, 3, 5, 7, 8, 9], [4]):
        rest = pa.record_batch({TEXT: column.take(kept), LANG: pa.array(["de"] * len(kept))})
        for shingling in (Shingling(), Shingling(characters=7), Shingling(languages={"de": Unit(characters=3)})):
            found = document_shingles(rest, shingling)
            for place, number in enumerate(kept):
                alone = text_shingles([strings[number]], shingling, ["de"])
                assert of(found, place) == of(alone, 0)


def test_each_language_in_its_own_way() -> None:
    strings = ["one two three four five six", "一二三四五六七", "", "and two three four five six", "一二三四五六"]
    languages = ["en", "zh", "zh", None, "zh"]
    shingles = text_shingles(strings, Shingling(languages={"zh": Unit(characters=5)}), languages)
    words = text_shingles(strings, Shingling())
    assert [of(shingles, row) for row in range(5)] == [
        of(words, 0), slowly(strings[1], 5), [], of(words, 3), slowly(strings[4], 5)
    ]  # fmt: skip
    assert np.diff(words.offsets).tolist() == [2, 0, 0, 2, 0]


def test_a_language_is_known_by_either_name() -> None:
    shingling = Shingling(languages={"cmn_Hani": Unit(characters=5)})
    assert way_of(shingling, "zh").characters == 5
    assert way_of(shingling, "ja").characters is None


def test_the_engine_cuts_english_and_what_has_no_tokenizer() -> None:
    shingling = Shingling(tokenizer="language")
    assert [way_of(shingling, language).language for language in ("en", "eng_Latn", "xx-none", None)] == [""] * 4
    pytest.importorskip("spacy")
    assert way_of(shingling, "de").language == "deu_Latn"


@pytest.mark.parametrize(("language", "theirs"), [("de", "deu_Latn"), ("ru", "rus_Cyrl"), ("fr", "fra_Latn")])
def test_words_of_a_language_are_datatroves(language: str, theirs: str, tmp_path: Path) -> None:
    """Oracle: datatrove's shingles with `language`."""
    pytest.importorskip("spacy")
    minhash = pytest.importorskip("datatrove.pipeline.dedup.minhash")
    string = "Das ist z.B. l'été, п.с. и т.д.; we can't “see” 1.234,5 Ωμέγα. " * 3
    oracle = minhash.MinhashDedupSignature(str(tmp_path), minhash.MinhashConfig(), language=theirs)
    expected = oracle.get_shingles(string).ravel().tolist()
    strings = ["zu kurz", string, "", string]
    shingles = text_shingles(strings, Shingling(tokenizer="language"), [language] * 4)
    assert of(shingles, 1) == of(shingles, 3) == expected
    assert np.diff(shingles.offsets).tolist()[::2] == [0, 0]


def test_a_recipe_says_it_shortly() -> None:
    read = TypeAdapter(Shingling).validate_python
    assert read({}) == read({"words": 5}) == Shingling(words=5)
    assert read({"characters": 24}).words is None
    assert read({"words": 5, "languages": {"zh": {"characters": 5}}}).languages == {"zh": Unit(characters=5)}
    assert read(TypeAdapter(Shingling).dump_python(read({"characters": 24}))) == Shingling(characters=24)


@pytest.mark.parametrize("wrong", [{"words": 0}, {"words": 1000}, {"letters": 5}, {"tokenizer": "gpt2"}])
def test_what_a_recipe_may_not_say(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Shingling).validate_python(wrong)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"words": 5, "characters": 5}, "either `words` or `characters`"),
        ({"languages": {"zh": {}}}, "either `words` or `characters`"),
        ({"languages": {"chinese": {"characters": 5}}}, "'chinese' is no language"),
        ({"languages": {"qqq": {"words": 5}}}, "'qqq'"),
    ],
)
def test_a_mistake_is_told_in_one_line(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(UserError, match=told) as error:
        TypeAdapter(Shingling).validate_python(wrong)
    assert "\n" not in str(error.value)


def test_languages_without_a_column_of_languages() -> None:
    batch = pa.record_batch({TEXT: pa.array(["some text"])})
    with pytest.raises(UserError, match="have no language"):
        document_shingles(batch, Shingling(languages={"zh": Unit(characters=5)}))


def test_no_documents() -> None:
    for shingling in (Shingling(), Shingling(characters=3), Shingling(languages={"zh": Unit(characters=5)})):
        shingles = text_shingles([], shingling, [])
        assert (len(shingles.hashes), shingles.offsets.tolist()) == (0, [0])
