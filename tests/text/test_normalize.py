"""The normal form of near duplicates, and shingles. Oracle: datatrove 0.10.1, `simplify_text` and `get_shingles`."""

from __future__ import annotations

import numpy as np
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.text.normalize import normalized
from curation.text.punctuation import PUNCTUATION, SENTENCE_END, SYMBOLS, TERMINAL_PUNCTUATION
from curation.text.segmentation import Text
from curation.text.shingles import jaccard, shingle_hashes

strings = st.text(max_size=40) | st.text(alphabet="aÉé\u0301 \n\t.,0159٣٫İßΣς‘•≮\x00\x85\u200b", max_size=40)


@pytest.mark.parametrize(
    ("string", "normal"),
    [
        ("Hello, World!\n\nAgain", "hello world again"),
        ("1,234.56 and 12", "0 0 and 0"),
        ("١٢٫٥", "0"),
        ("Café crème", "cafe creme"),
        ("‘quoted’ • item", "‘quoted • item"),
        ("  \n ", ""),
        ("a ≮ b", "a < b"),
    ],
)
def test_normal_form(string: str, normal: str) -> None:
    assert normalized(string) == normal


@settings(deadline=None, max_examples=400)
@given(strings)
def test_normal_form_equals_datatrove(string: str) -> None:
    oracle = pytest.importorskip("datatrove.utils.text")
    assert normalized(string) == oracle.simplify_text(string)


def test_character_sets_equal_their_sources() -> None:
    oracle = pytest.importorskip("datatrove.utils.text")
    sentencizer = pytest.importorskip("spacy.pipeline").Sentencizer
    assert set(oracle.PUNCTUATION) == PUNCTUATION
    assert oracle.TERMINAL_PUNCTUATION == TERMINAL_PUNCTUATION
    assert set(sentencizer.default_punct_chars) == SENTENCE_END


def test_what_is_no_symbol() -> None:
    assert not SYMBOLS.intersection("•‘·°©™‐‑€£\u200b\u00ad\t\n")
    assert SYMBOLS.issuperset("\x00\x1f\x7f\x9f。？")


@settings(deadline=None, max_examples=200)
@given(st.lists(st.sampled_from(["a", "b", "can't", "Élan", "中文", "1.5", ".", "\n"]), max_size=12), st.integers(1, 6))
def test_shingles_are_hashes_of_joined_words(parts: list[str], words: int) -> None:
    text = Text(" ".join(parts))
    normal = Text(normalized(text.string)).words
    expected = [
        xxhash.xxh64_intdigest(" ".join(normal[i : i + words]).encode()) for i in range(len(normal) - words + 1)
    ]
    assert shingle_hashes(text, words).tolist() == expected


def test_too_few_words_have_no_shingle() -> None:
    assert shingle_hashes(Text("one two three, four")).size == 0
    assert shingle_hashes(Text("one two three, four five")).size == 1


def test_jaccard_is_of_sets() -> None:
    a, b = np.array([1, 2, 2, 3], np.uint64), np.array([2, 3, 4, 4], np.uint64)
    assert jaccard(a, b) == 0.5
    assert jaccard(a, a) == 1.0
    assert jaccard(a[:0], a[:0]) == 0.0
