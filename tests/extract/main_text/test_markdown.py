"""The engine `fast` writes Markdown: what each element becomes, and options that don't go together."""

from __future__ import annotations

import time

import pytest

from benchmarks.mutated_pages import HOSTILE
from connectors.errors import UserError
from curation.extract import Extract
from curation.extract.fast_engine import main_text
from curation.extract.main_text.extractor import Extractor, Output
from curation.extract.main_text.kernels.features import PAGE_TYPES
from curation.extract.main_text.kernels.measuring import WORDS
from curation.extract.main_text.kernels.page import BLOCKS
from curation.extract.main_text.kernels.reader_comments import leave_out_comments
from curation.extract.main_text.weights import shipped_model
from curation.recipes.load import parse_recipe
from tests.extract.main_text.markdown_pages import whole_page

PARAGRAPH = "Two botanists saw the plant in the valley, and wrote a long letter about it to all of their friends."


@pytest.fixture(scope="module")
def extractor() -> Extractor:
    return Extractor(shipped_model())


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("<h1>One</h1><h6>Six #</h6><p>x", "# One\n\n###### Six \\#\n\nx"),
        ("<h2>a<br><br>b</h2>c", "## a b\n\nc"),
        ("<h2>never ends" + "<p>x" * 5, "never ends" + "\n\nx" * 5),
        ("<ul><li>a<li>b</ul>", "- a\n- b"),
        ("<ol><li>a<li>b<ul><li>c<li>d</ul><li>e</ol>", "1. a\n2. b\n   - c\n   - d\n3. e"),
        ("<ul><li><p>a<p>b<li>c</ul>d", "- a\n\n  b\n- c\n\nd"),
        ("<ul>" + "<li>x" * 10 + "</ul>", "\n".join(["- x"] * 10)),
        ("<ol>" + "<li>x" * 10 + "</ol>", "\n".join(f"{n}. x" for n in range(1, 11))),
        ("<ul><li><h3>Card</h3>text<li>item</ul>", "### Card\n\ntext\n\n- item"),
        ("<ul>" * 9 + "<li>" * 1 + "deep", "- deep"),
        ("<dl><dt>term<dd>one<dd>two<dt>other<dd>three</dl>", "- term\n\n  one\n\n  two\n- other\n\n  three"),
        ("<blockquote><p>a<p>b<blockquote>c</blockquote></blockquote>d", "> a\n>\n> b\n>\n> > c\n\nd"),
        ("<blockquote>a</blockquote><blockquote>b</blockquote>", "> a\n\n> b"),
        ("<pre>\n  if x:\n\ty  = 1\n\n    z\n</pre>", "```\n  if x:\n\ty  = 1\n\n    z\n```"),
        ("<pre><code><div>a</div><div>  b</div></code></pre>", "```\na\n  b\n```"),
        ("<pre><b>f</b><i>(</i>x <b>)</b></pre>", "```\nf(x )\n```"),
        ("<ul><li>a<pre>b\n\nc</pre></ul>", "- a\n\n  ```\n  b\n\n  c\n  ```"),
        ("<blockquote><pre>b\n\nc</pre></blockquote>", "> ```\n> b\n>\n> c\n> ```"),
        ("<pre>```</pre>", "````\n```\n````"),
        ("a <code>b|`c`</code> <kbd>d</kbd>", "a ``b|`c` `` `d`".replace("``b", "`` b")),
        ("<code><span>f</span><span>(</span><span> x</span></code>", "`f( x`"),
        ("a <b>b</b> <em> c </em>d", "a **b** *c* d"),
        ("a<b>b</b>c a<b>(b)</b>c", "a**b**c a(b)c"),
        ("<b>a <i>b</i></b><i>c</i>", "**a b** *c*"),
        ("<h2><b>a</b></h2>", "## a"),
        ("a<br>b <br> - c", "a  \nb  \n\\- c"),
        (
            "<table><tr><th>a<th>b<tr><td>1|2<td><p>x<p>y<tr><td>3</table>",
            "| a | b |\n| --- | --- |\n| 1\\|2 | x y |\n| 3 | |",
        ),
        ("<table><caption>c</caption><tr><td>a<td>b<tr><td><td>d</table>", "c\n\n| a | b |\n| --- | --- |\n| | d |"),
        ("<table><tr><td>a<td>b</table>", "a\n\nb"),
        ("<table><tr><td>a<td>b<tr><td><h2>c</h2><td>d</table>", "a\n\nb\n\n## c\n\nd"),
        (f"<table><tr><td>a<td>b<tr><td>c<td>{'long ' * 120}</table>", f"a\n\nb\n\nc\n\n{('long ' * 120).strip()}"),
        (
            "<table><tr><td><table><tr><td>a<td>b<tr><td>c<td>d</table><td>x<tr><td>y<td>z</table>",
            "| a | b |\n| --- | --- |\n| c | d |\n\nx\n\ny\n\nz",
        ),
        ("<p><img alt=x>a", "a"),
    ],
)
def test_elements_become_markdown(extractor: Extractor, given: str, expected: str) -> None:
    assert whole_page(extractor, given)[1] == expected + "\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("snake_case 5 * 3 a < b, AT&T C# [1] {x} (y) 1.5 ~5 a|b !", None),
        ("-5 degrees", None),
        ("#tag", None),
        ("# a", "\\# a"),
        ("- a", "\\- a"),
        ("12) a", "12\\) a"),
        ("> a", "\\> a"),
        ("---", "\\---"),
        ("*a* _b_ `c`", "\\*a\\* \\_b\\_ \\`c\\`"),
        ("[a](b) [c]: d", "[a\\](b) [c\\]: d"),
        ("a <b> &amp; ~~c~~", "a \\<b> \\&amp; \\~\\~c\\~\\~"),
        ("C:\\Users\\_x", "C:\\Users\\\\\\_x"),
    ],
)
def test_only_what_would_be_markup_is_escaped(extractor: Extractor, text: str, expected: str | None) -> None:
    given = text.replace("&", "&amp;").replace("<", "&lt;")
    assert whole_page(extractor, f"<p>{given}")[1] == (expected or text) + "\n"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("/a?b=1&amp;c", "[x](/a?b=1&amp;c)"),
        (" https://a.b/c (d) ", "[x](https://a.b/c%20%28d%29)"),
        ("mailto:a@b.c", "[x](mailto:a@b.c)"),
        *((address, "x") for address in ("#top", "", "data:text/html,x", "JavaScript:alert(1)", "java\nscript:x")),
        *((address, "x") for address in ("&#106;avascript:x", "javascript&colon;x", "\x01javascript:x", "x" * 2001)),
    ],
)
def test_links_lead_where_a_reader_may_go(extractor: Extractor, address: str, expected: str) -> None:
    given = f'<p>a <a href="{address}">x</a>'
    assert whole_page(extractor, given, links=True)[1] == f"a {expected}\n"
    assert whole_page(extractor, given)[1] == "a x\n"


def test_a_link_around_a_heading_is_one_in_it(extractor: Extractor) -> None:
    assert (
        whole_page(extractor, "<a href=/a><div><h2>t</h2></div></a>!<a href=b>x</a>", True)[1]
        == "## [t](/a)\n\n\\![x](b)\n"
    )


def test_markdown_of_a_page_is_its_main_text() -> None:
    said = [PARAGRAPH, "Nobody " + PARAGRAPH[::-1].lower(), " ".join(reversed(PARAGRAPH.split()))]
    marked = "".join(f"<p>{paragraph.replace('saw', '<b>saw</b>')}</p>" for paragraph in said)
    page = f"<nav><a href=/>Home</a></nav><article>{marked}</article><footer>Legal</footer>"
    expected = "\n\n".join(paragraph.replace("saw", "**saw**") for paragraph in said) + "\n"
    assert main_text(page.encode(), format="markdown") == expected


def test_text_of_json_becomes_paragraphs() -> None:
    body = "# The plant * was seen by two botanists, who wrote a letter about it. " * 4
    page = f'<div id=app></div><script type="application/ld+json">{{"articleBody": "{body}"}}</script>'.encode()
    assert main_text(page, format="markdown").startswith("\n\\# The plant \\* was seen".replace("\\*", "*"))


def test_white_space_in_code_is_kept_in_plain_text_too(extractor: Extractor) -> None:
    assert whole_page(extractor, "<p>a  b</p><pre>\n  if x:\n\ty  = 1\n\n</pre>c")[0] == "a b\n  if x:\n\ty  = 1\nc\n"


def without_comments(extractor: Extractor, page: str, page_type: str = "article") -> tuple[int, list[str]]:
    """Words and blocks that stay of a page all of whose blocks were chosen."""
    parsed = extractor._parsed(page.encode())
    measures, count = extractor._measures(parsed), int(parsed.facts[BLOCKS])
    measures.keep[:count] = 1
    measures.statistics[:count, WORDS] = [
        len(text.split()) for text in extractor._written(parsed, measures, Output()).splitlines()
    ]
    measures.type_chances[:] = [name == page_type for name in PAGE_TYPES]
    words = leave_out_comments(parsed, measures)
    kept = extractor._written(parsed, measures, Output())
    return words, kept.splitlines()


@pytest.mark.parametrize(
    "start",
    [
        "<div class='post-comments x'>",
        "<div id=comments>",
        "<div id=disqus_thread>",
        "<div itemscope itemtype=http://schema.org/Comment>",
    ],
)
def test_comments_are_left_out_but_of_forums(extractor: Extractor, start: str) -> None:
    page = (
        f"<body class=comments-open id=comments-1><h1>One two</h1><p>three</p>{start}<p>four<div>five</div></div><p>six"
    )
    assert without_comments(extractor, page) == (4, ["One two", "three", "six"])
    assert without_comments(extractor, page, "forum") == (6, ["One two", "three", "four", "five", "six"])


def test_an_element_with_the_title_is_the_page_and_no_comment(extractor: Extractor) -> None:
    page = "<div class=has-comments><h1>One</h1><p>two<div class=comment>three</div></div><div class=comment>four"
    assert without_comments(extractor, page) == (2, ["One", "two"])


def test_large_pages_are_written_whole(extractor: Extractor) -> None:
    """More than the room that is there at first, and then a small page again."""
    lines = "".join(f"<li>line {number}" for number in range(30_000))
    markdown = whole_page(extractor, f"<blockquote><ul>{lines}</ul></blockquote>")[1]
    assert markdown.splitlines() == [f"> - line {number}" for number in range(30_000)]


@pytest.mark.parametrize(
    "page",
    [
        *(piece * (500_000 // len(piece)) for piece in HOSTILE),
        b"<ul><li>" * 60_000 + b"x",
        b"<pre>" + b"  \n x\n" * 80_000,
        b"<table>" + b"<tr><td>a<td>b" * 30_000,
        b"<p>" + b"*_`[]<b>\\" * 60_000,
        b"<h2><pre>a" * 50_000,
        b"<p>" + b"<b><a href=x><code>`" * 20_000 + b"x",
    ],
    ids=lambda page: page[:24].decode("latin-1"),
)
def test_hostile_pages_take_linear_time(extractor: Extractor, page: bytes) -> None:
    started = time.process_time()
    whole_page(extractor, page, links=True)
    assert time.process_time() - started < 1.5


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"engine": "resiliparse", "format": "markdown"}, "extract.format: 'resiliparse' has no such thing"),
        ({"engine": "trafilatura", "comments": "drop"}, "extract.comments: 'trafilatura' has no such thing"),
        ({"engine": "fast", "links": True}, "add 'format: markdown'"),
        ({"engine": "fast", "format": "html"}, "markdown"),
    ],
)
def test_options_that_do_not_go_together_are_told_at_once(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(UserError, match=told) as error:
        parse_recipe({"recipe": "x", "extract": wrong}, "x.yaml")
    assert "\n" not in str(error.value)


def test_the_step_writes_markdown() -> None:
    from tests.extract.test_extract import batch, page

    step = Extract(engine="fast", format="markdown", links=True, comments="drop")
    marked = PARAGRAPH.replace("saw", "<a href=/x>saw</a>")
    result = step(batch(page(f"<p>{marked}</p>" * 3)))
    assert result.column("text").to_pylist()[0].startswith("Two botanists [saw](/x) the")
