"""Markdown read back is the plain text, on random, composed and mutated pages. Oracle: markdown-it, which reads CommonMark."""

from __future__ import annotations

import html
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.gold_pages import composed_pages
from benchmarks.mutated_pages import mutations
from curation.extract.main_text.extractor import Extractor
from curation.extract.main_text.weights import shipped_model
from tests.extract.main_text.markdown_pages import PARSER, read_back, whole_page, without_space

_NAMES = "p div h1 h2 ul ol li blockquote pre code b strong i em span table tr td th dl dt dd br kbd caption h6"
_MARKS = (
    "* ** _ __ ` `` ``` [ ] ( ) ](x) ]:x < <b> & &amp; &lt; # ## > - -- --- + 1. 12) ~ ~~ ~~~ | || \\ \\\\ ! ![ = === : ---|---"
    " a foo Bar 7 é “ ” 中 。 \u3000 \u2003 ' \" . , http://x.y \u200b / \u00a0 \u2028"
)
TAGS = [*_NAMES.split(), "a href='x y'", "a href='http://x/(y)'", "a href=javascript:z", "a href='a|b`'"]
MARKS = _MARKS.split(" ")
PAGE = (
    "<h1>T #</h1><p>Some *words*, and <b>some</b> <a href=/x>more_</a>.</p><ul><li>a<ol><li>b<li>c</ol></ul><table><tr><th>a<th>b"
    "<tr><td>c|d<td>e</table><pre>x\n  y</pre><dl><dt>d<dd>e</dl><blockquote>q<br>- r</blockquote><p>1. x <code>y</code></p>"
)


@pytest.fixture(scope="module")
def extractor() -> Extractor:
    return Extractor(shipped_model())


def check(extractor: Extractor, page: str | bytes) -> None:
    for links in (False, True):
        plain, markdown = whole_page(extractor, page, links)
        assert without_space(read_back(markdown)) == without_space(plain)


pieces = st.one_of(
    st.sampled_from([f"<{tag}>" for tag in TAGS]),
    st.sampled_from([f"</{tag.split()[0]}>" for tag in TAGS]),
    st.sampled_from([html.escape(mark) for mark in MARKS]),
    st.sampled_from([html.escape(mark) + " " for mark in MARKS]),
    st.sampled_from([*MARKS, "&#10;", "&#9;", "\n", "  ", "&nbsp;"]),
)


@given(st.lists(pieces, max_size=60))
@settings(max_examples=400)
def test_random_markup_reads_back_as_its_text(pieces: list[str]) -> None:
    check(_shared(), "".join(pieces))


_EXTRACTORS: list[Extractor] = []


def _shared() -> Extractor:
    if not _EXTRACTORS:
        _EXTRACTORS.append(Extractor(shipped_model()))
    return _EXTRACTORS[0]


def test_composed_and_mutated_pages_read_back_as_their_text(extractor: Extractor) -> None:
    for page in list(composed_pages())[::20]:
        check(extractor, page.html)
    for mutated in mutations([PAGE.encode(), PAGE.encode() * 4], 200, seed=11):
        check(extractor, mutated.decode("utf-8", "replace"))


# A document as it is meant: what is written as HTML must be read from the Markdown as what it was.
words = st.lists(
    st.sampled_from([mark for mark in MARKS if mark.strip("\u200b \u3000\u2003\u00a0\u2028")]), min_size=1, max_size=5
)
texts = words.map(" ".join)
codes = st.lists(st.tuples(st.sampled_from(["", "  ", "\t", "      "]), texts), min_size=1, max_size=4)
items = st.recursive(
    st.tuples(texts, st.none()),
    lambda inner: st.tuples(texts, st.tuples(st.booleans(), st.lists(inner, min_size=1, max_size=3))),
    max_leaves=6,
)
parts = st.one_of(
    st.tuples(st.just("p"), texts),
    st.tuples(st.sampled_from(["h1", "h2", "h3", "h4", "h5", "h6"]), texts),
    st.tuples(st.just("list"), st.tuples(st.booleans(), st.lists(items, min_size=1, max_size=3))),
    st.tuples(
        st.just("table"),
        st.integers(2, 4).flatmap(lambda n: st.lists(st.lists(texts, min_size=n, max_size=n), min_size=2)),
    ),
    st.tuples(st.just("pre"), codes),
)


def as_html(kind: str, content: object) -> str:
    if kind == "list":
        is_ordered, inner = content  # type: ignore[misc]
        tag = "ol" if is_ordered else "ul"
        texts = (html.escape(text) + (as_html("list", more) if more else "") for text, more in inner)
        return f"<{tag}>{''.join(f'<li>{text}</li>' for text in texts)}</{tag}>"
    if kind == "table":
        rows = ("".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in content)  # type: ignore[attr-defined]
        return f"<table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"
    if kind == "pre":
        return "<pre>" + "\n".join(indent + html.escape(text) for indent, text in content) + "</pre>"  # type: ignore[attr-defined]
    return f"<{kind}>{html.escape(str(content))}</{kind}>"


def meant(kind: str, content: object, depth: int = 1) -> Iterator[tuple[object, ...]]:
    """What a reader should find, in order."""
    if kind == "list":
        is_ordered, inner = content  # type: ignore[misc]
        for text, more in inner:
            yield "item", depth, is_ordered, text
            if more:
                yield from meant("list", more, depth + 1)
    elif kind == "table":
        yield from (("row", *row) for row in content)  # type: ignore[attr-defined]
    elif kind == "pre":
        yield "pre", "\n".join(indent + text for indent, text in content) + "\n"  # type: ignore[attr-defined]
    else:
        yield kind, content


def read(markdown: str) -> Iterator[tuple[object, ...]]:
    """What is found in Markdown."""
    lists: list[bool] = []
    row: list[str] = []
    tokens = PARSER.parse(markdown)
    for place, token in enumerate(tokens):
        if token.type in ("bullet_list_open", "ordered_list_open"):
            lists.append(token.type == "ordered_list_open")
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            lists.pop()
        elif token.type == "tr_open":
            row = []
        elif token.type == "tr_close":
            yield "row", *row
        elif token.type == "fence":
            yield "pre", token.content
        elif token.type == "inline":
            text, around = read_back_inline(token.children or []), tokens[place - 1]
            if around.type in ("td_open", "th_open"):
                row.append(text)
            elif lists:
                yield "item", len(lists), lists[-1], text
            else:
                yield around.tag, text


def read_back_inline(parts: list) -> str:  # type: ignore[type-arg]
    return "".join(part.content if part.type in ("text", "code_inline") else f"[{part.type}]" for part in parts)


@given(st.lists(parts, max_size=6))
@settings(max_examples=150)
def test_documents_keep_their_structure(document: list[tuple[str, object]]) -> None:
    page = "".join(as_html(kind, content) for kind, content in document)
    _, markdown = whole_page(_shared(), page)
    assert [*read(markdown)] == [found for kind, content in document for found in meant(kind, content)]
