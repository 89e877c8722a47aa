"""The composed pages of eight languages, and the words by which texts in them are compared."""

from __future__ import annotations

import html
import re

import pytest

from benchmarks.language_pages.composing import LANGUAGES, composed_pages
from benchmarks.script_words import precision_recall_f1, script_words


def test_words_are_pairs_of_characters_where_no_blanks_stand_between_them() -> None:
    assert set(script_words("白鹤又回 来")) == {"白鹤", "鹤又", "又回", "来"}
    assert set(script_words("नदी के किनारे। Straße 12")) == {"नदी", "के", "किनारे", "strasse", "12"}
    assert script_words("น้ำฝน").total() == 4, "marks and vowels are no ends of words"


def test_precision_and_recall_count_words_as_often_as_they_stand() -> None:
    assert precision_recall_f1("a b b c", "a b d") == pytest.approx((0.5, 2 / 3, 4 / 7))
    assert precision_recall_f1("", "a") == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_holds_its_main_text_and_more_and_no_slot_is_left(language: str) -> None:
    pages = list(composed_pages(language))
    assert len(pages) == 36 and pages == list(composed_pages(language))
    for page in pages:
        text = html.unescape(re.sub(r"<[^>]*>", "", page.html.decode()))
        assert all(part in text for part in page.main.split("\n")) and len(page.main) < len(text)
        assert "{{" not in page.html.decode()
