"""The meaning of the measures at their edges. Oracle where named: datatrove 0.10.1."""

from __future__ import annotations

import math
import pickle
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.errors import UserError
from curation.quality.measure import Measure, measure, resolve, shipped
from curation.text.segmentation import Text

SHIPPED = shipped()
words = st.lists(st.sampled_from(["a", "b", "ab", "bc", "c", "the", ".", "longer", "中文"]), max_size=60)
lines = st.lists(
    st.sampled_from(["One line.", "- two", " ", "", "…", "x...", "three?", "\n", "a long line " * 4]), max_size=12
)


def value(name: str, string: str) -> float | None:
    return SHIPPED[name](Text(string))


@pytest.mark.parametrize(
    ("name", "string", "expected"),
    [
        ("duplicate_line_share", "\nOne line.\n", 1 / 3),  # two equal empty lines
        ("duplicate_line_share", "   ", 0.0),
        ("duplicate_line_character_share", "ab\nab\n\nab", 4 / 9),
        ("duplicate_paragraph_share", "ab\n\nab\n\n\ncd", 1 / 3),
        ("duplicate_paragraph_character_share", "ab\n\nab", 2 / 6),
        ("top_2_gram_share", "ab cd", 1.0),  # once is enough
        ("top_2_gram_share", "a b longer longest a b longer longest", 6 / 37),  # of equally frequent ones the first
        ("top_3_gram_share", "ab cd", None),
        ("words", "One, two • … ‘ ...", 4),  # the bullet and the opening quotation mark are no symbols
        ("words", "\x01 \x7f . ! 。", 0),
        ("mean_word_length", "a bcd ...", 2.0),
        ("mean_word_length", "... !", None),
        ("hashes_per_word", "#a b", 1 / 3),
        ("ellipses_per_word", "a..... …", 2 / 3),  # not overlapping
        ("bullet_line_share", "• a\x0b- b\u2028c\r\n  -d", 3 / 4),
        ("ellipsis_line_share", "a...  \nb…\nc", 2 / 3),
        ("alpha_word_share", "ab, cd e! 1", 3 / 6),
        ("stop_words_present", "THE The Of AND", 0),
        ("stop_words_present", "the the of", 2),
        ("terminal_punctuation_line_share", 'a.\n"b."\nc. \nd:\ne…\nf。\n \n', 2 / 6),
        ("short_line_share", "x" * 30 + "\n" + "x" * 31, 1 / 2),
        ("repeated_line_character_share", "ab\n\nab\n \n", 2 / 5),
        ("newlines_per_word", "a\nb\n", 1.0),
        ("filled_lines", "a\n \n\nb", 2),
        ("third_longest_line", "aaa\nbb", 0),
        ("third_longest_line", "aaa\nb\ncc", 1),
        ("characters", "é\n", 2),
        ("sentences", "", 1),
        ("mean_sentence_length", "One two. Three.", 2.5),
        ("distinct_word_share", "a a b b", 0.5),
    ],
)
def test_values(name: str, string: str, expected: float | None) -> None:
    got = value(name, string)
    assert got == (None if expected is None else pytest.approx(expected, abs=1e-15))


def test_duplicate_n_grams_are_compared_without_blanks() -> None:
    assert value("duplicate_5_gram_share", "ab c d e f a bc d e f") == pytest.approx(6 / 21)


def test_skipped_n_grams_are_not_remembered() -> None:
    """`b c d e y` first starts inside a repeated `a b c d e`, so its second occurrence is its first."""
    string = "a b c d e x a b c d e y b c d e y"
    assert value("duplicate_5_gram_share", string) == pytest.approx(5 / len(string))


@settings(deadline=None, max_examples=300)
@given(words, st.sampled_from([5, 6, 7, 8, 9, 10]))
def test_duplicate_n_grams_equal_datatrove(parts: list[str], n: int) -> None:
    oracle = pytest.importorskip("datatrove.pipeline.filters.gopher_repetition_filter")
    text = Text(" ".join(parts))
    expected = oracle.find_all_duplicate(text.words, n) / len(text.string) if text.string else None
    assert SHIPPED[f"duplicate_{n}_gram_share"](text) == expected


@settings(deadline=None, max_examples=200)
@given(words, st.sampled_from([2, 3, 4]))
def test_top_n_grams_equal_datatrove(parts: list[str], n: int) -> None:
    oracle = pytest.importorskip("datatrove.pipeline.filters.gopher_repetition_filter")
    text = Text(" ".join(parts))
    grams = oracle.get_n_grams(text.words, n)
    assert SHIPPED[f"top_{n}_gram_share"](text) == (
        oracle.find_top_duplicate(grams) / len(text.string) if grams else None
    )


@settings(deadline=None, max_examples=200)
@given(words | lines, st.sampled_from([" ", "\n", "\n\n"]))
def test_every_value_lies_in_its_range(parts: list[str], joint: str) -> None:
    text = Text(joint.join(parts))
    for each in SHIPPED.values():
        got = each(text)
        assert got is None or each.range[0] <= got <= each.range[1], each.name


@pytest.mark.parametrize("name", SHIPPED)
def test_every_measure_is_documented(name: str) -> None:
    each = SHIPPED[name]
    assert each.name == name
    assert all((each.unit, each.source, each.catches))
    assert each.range[0] <= each.range[1]
    assert pickle.loads(pickle.dumps(each)) is each


def test_resolve_by_name_and_by_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_measures.py").write_text(
        "from curation.quality.measure import measure\n"
        "def vowels(text): return sum(map(text.string.count, 'aeiou'))\n"
        "@measure(unit='characters', source='here', catches='x')\n"
        "def length(text): return len(text.string)\n"
        "number = 3\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert resolve("words") is SHIPPED["words"]
    assert resolve("own_measures:vowels")(Text("banana")) == 3
    assert resolve("own_measures:length").unit == "characters"
    for name in ("vowels", "length"):
        own = resolve(f"own_measures:{name}")
        assert pickle.loads(pickle.dumps(own)) == own
    with pytest.raises(UserError, match="Did you mean 'words'"):
        resolve("wrods")
    for name in ("own_measures:none", "no_such_module:x", "own_measures:number", ":x"):
        with pytest.raises(UserError, match=name):
            resolve(name)
    sys.modules.pop("own_measures", None)


def test_a_measure_is_named_after_its_function() -> None:
    @measure(unit="characters", source="here", catches="nothing")
    def blanks(text: Text) -> float:
        return text.string.count(" ")

    assert isinstance(blanks, Measure)
    assert (blanks.name, blanks.range, blanks(Text("a b c"))) == ("blanks", (0.0, math.inf), 2)
