"""What pages of the web cannot do to the report: no tag, no attribute, no hidden or turning character comes from them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.report.markup import LONGEST, escape, tag, web
from tests.report import hostile
from tests.report.reading import Page, parse


def test_a_hostile_run_has_the_elements_of_any_other(page: Page, hostile_page: Page) -> None:
    assert hostile_page.names() <= page.names() | {"bdi"}
    assert not hostile_page.names() & {"script", "img", "iframe", "link", "base", "object", "form", "a:href"}
    assert [name for name, _ in hostile_page.elements].count("style") == 1
    assert hostile_page.unclosed == [] and page.unclosed == []


def test_it_has_no_attribute_that_runs_or_loads(hostile_page: Page) -> None:
    for name, attributes in hostile_page.elements:
        for attribute, value in attributes.items():
            assert not attribute.startswith("on") and attribute not in ("src", "style", "srcdoc", "action"), name
            assert attribute != "href" or value.startswith("#")


def test_no_character_of_it_hides_or_turns_the_text(hostile_page: Page) -> None:
    unseen = {c for c in hostile_page.source if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")}
    assert unseen <= {"\n", "\t"} and "\u3164" not in hostile_page.source
    assert "U+202E" in hostile_page.source and "U+200B" in hostile_page.source


def test_the_harm_is_there_to_read(hostile_page: Page) -> None:
    """The tests above would pass on a page that showed nothing."""
    shown = "".join(hostile_page.sections.values())
    assert "<script>alert('owned')</script>" in shown and "javascript:alert(document.domain)" in shown
    assert "</style>" in hostile_page.sections["reasons"] or "%3C/style" in hostile_page.sections["reasons"]
    assert "x" * 100 in shown and "x" * 400 not in shown
    assert "number 1 of many" in hostile_page.sections["kept"]


def test_no_source_text_is_left_of_a_removed_document(hostile_page: Page) -> None:
    assert "on a site of that name" not in hostile_page.source


@settings(deadline=None, max_examples=200)
@given(st.text(st.characters(codec=None), max_size=60))
def test_any_text_is_text(text: str) -> None:
    page = parse(tag("p", web(text), text, title=text))
    assert page.names() <= {"p", "bdi", "span"} and page.unclosed == []
    assert all(set(attributes) <= {"class", "title"} for _, attributes in page.elements)
    page.source.encode()  # no half of a surrogate pair


@pytest.mark.parametrize("text", ["a<b & 'c' \"d\"", "Grüße, 世界, שלום, مرحبا, 🎉", "é e\u0301 ไก่"])
def test_honest_text_reads_as_it_is(text: str) -> None:
    assert parse(f"<section id=x>{escape(text)}</section>").sections["x"] == text


def test_long_texts_and_towers_of_marks_are_cut() -> None:
    assert len(escape("x" * 10**6)) == LONGEST + 1
    assert len(escape(hostile.MARKS)) == 5
