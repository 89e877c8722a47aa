"""The trie of a word list. Oracle: Python's `re`."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.quality.word_trie import WordTrie

PIECES = ["a", "b", "ab", "_", " ", "-", "é", "ß", "中", "女", "\u0301", "\u0661", "🖕", "\n", "²"]
texts = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


@settings(deadline=None, max_examples=400)
@given(st.lists(texts.filter(bool), max_size=4), texts, st.booleans())
def test_places_are_those_of_re(entries: list[str], string: str, whole: bool) -> None:
    either = "|".join(map(re.escape, entries)) or r"(?!)"
    expression = rf"(?:(?<=\W)|(?<![\w\W]))(?=(?:{either})(?:\W|\Z))" if whole else f"(?=(?:{either}))"
    expected = sum(1 for _ in re.finditer(expression, string))
    assert WordTrie.of(entries).count(string, whole) == expected


@pytest.mark.parametrize("entries", [[], [""]])
def test_no_entries_are_found_nowhere(entries: list[str]) -> None:
    assert WordTrie.of(entries).count("a  b", whole_words=True) == 0
    assert WordTrie.of(entries).count("", whole_words=False) == 0
