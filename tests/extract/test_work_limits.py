"""The counts of work, against Python's own HTML tokenizer and against pages made to be hard."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.extract.work_limits import SCOPES, VOID_OR_IMPLIED, measure


class Count(HTMLParser):
    """The obviously right count for pages whose tags all match."""

    def __init__(self) -> None:
        super().__init__()
        self.open, self.depth, self.tags, self.attributes = 0, 0, 0, 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags += 1
        self.attributes = max(self.attributes, len(attrs))
        self.open += tag not in VOID_OR_IMPLIED
        self.depth = max(self.depth, self.open)

    def handle_endtag(self, tag: str) -> None:
        self.tags += 1
        self.open -= tag not in VOID_OR_IMPLIED


NAMES = st.sampled_from(["div", "SPAN", "b", "ul", "li", "table", "td", "section", "p", "x-y"])
ATTRIBUTES = st.sampled_from(["", " a=1", " class='x > y' hidden", ' title="<div>" id=2 b', " a = 'q' c"])
PAGES = st.recursive(
    st.sampled_from(["text", "a < b", "1 &lt; 2", "<br>", "<img src=x alt='>'>", "<!-- <div> -->", ""]),
    lambda inner: st.builds(
        lambda name, attributes, parts: f"<{name}{attributes}>{''.join(parts)}</{name}>",
        NAMES,
        ATTRIBUTES,
        st.lists(inner, max_size=3),
    ),
    max_leaves=12,
)


@settings(deadline=None, max_examples=200)
@given(PAGES)
def test_counts_are_those_of_an_html_tokenizer(page: str) -> None:
    """Oracle: `html.parser` of the standard library."""
    count = Count()
    count.feed(page)
    count.close()
    work = measure(page.encode())
    assert (work.tags, work.depth, work.attributes) == (count.tags, count.depth, count.attributes)


def test_elements_with_optional_end_tags_are_not_deep() -> None:
    assert measure(b"<ul>" + b"<li>one<p>two" * 1000).depth == 1
    assert measure(b"<table>" + b"<tr><td>x" * 1000).depth == 1


def test_raw_text_holds_no_tags() -> None:
    assert measure(b"<script>" + b"'<div>'" * 100 + b"</script><p>").tags == 3
    assert measure(b"<style><div></style><textarea><b></textarea>").depth == 0


def test_stray_end_tags_do_not_hide_depth() -> None:
    assert measure(b"<div></x></p>" * 700).depth == 700


@pytest.mark.parametrize("scope", SCOPES)
def test_an_end_tag_closes_nothing_outside_its_table(scope: str) -> None:
    page = b"<div>" + b"<b>" * 300 + f"<{scope}>".encode() + b"</b>" * 300 + f"</{scope}>".encode()
    assert measure(page + b"</div>" + b"<p>x</p>" * 1000).placements > 300_000


def test_formatting_left_open_counts_in_every_later_block() -> None:
    plain = measure(b"<p>" + b"<b></b>" * 100 + b"</p>" + b"<p>x</p>" * 1000)
    open_ones = measure(b"<div>" + b"<b>" * 100 + b"</div>" + b"<p>x</p>" * 1000)
    assert plain.placements < 1_000 < 100_000 < open_ones.placements


@pytest.mark.parametrize("page", [b"", b"<", b"</", b"<a", b"<a b='", b"<!--", b"<script>", b"<!", b"<a/", b"</a"])
def test_unfinished_markup_ends_the_count(page: bytes) -> None:
    assert measure(page).depth <= 1
    assert measure(b"<div>" + page).depth <= 2
