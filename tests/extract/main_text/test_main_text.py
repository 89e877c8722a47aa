"""What the engine `fast` makes of pages: text, and nothing that depends on other pages."""

from __future__ import annotations

import html
import random
import re
import threading
from html.entities import html5
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.extract.fast_engine import main_text
from curation.extract.main_text.extractor import Extractor, Output
from curation.extract.main_text.weights import shipped_model

FURNITURE = "<nav><a href=/>Home</a> <a href=/about>About us</a></nav>"
PARAGRAPH = "Two botanists saw the plant in the valley, and wrote a long letter about it to all of their friends."
PAGE = (
    "<html><head><title>A letter</title></head><body>{}<article><h1>A letter</h1>{}</article>"
    "<footer>Legal</footer></body></html>"
)


@pytest.fixture(scope="module")
def extractor() -> Extractor:
    """One of our own, whose blocks can be looked at."""
    return Extractor(shipped_model())


def article(inner: str) -> bytes:
    return PAGE.format(FURNITURE, inner).encode()


def blocks(extractor: Extractor, inner: str) -> list[str]:
    return extractor.judged(inner.encode()).texts


def test_the_article_is_kept_and_the_furniture_is_not() -> None:
    paragraphs = [PARAGRAPH, PARAGRAPH[::-1].capitalize(), " ".join(reversed(PARAGRAPH.split())).capitalize()]
    text = main_text(article("".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)))
    assert text.splitlines()[-3:] == paragraphs
    assert not {"Home", "About", "Legal"} & set(text.split())


def test_less_than_twenty_words_are_no_main_text() -> None:
    assert main_text(b"<p>Nineteen words at most are no main text.</p>") == ""


def test_words_count_without_blanks_between_them() -> None:
    """Thai: about twenty-five words without a blank."""
    said = "อาสาสมัครช่วยกันใช้ไม้กับดินอุดคูน้ำเพื่อไม่ให้น้ำฝนไหลทิ้งไปจนหนองน้ำหลังหมู่บ้านแห้งเหมือนเมื่อก่อน"
    assert main_text(article(f"<p>{said}</p>")).strip() == said


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("<p>one<p>two", ["one", "two"]),
        ("<ul><li>one<li>two<ul><li>three</ul></ul>", ["one", "two", "three"]),
        ("<table><tr><td>a<td>b<tr><td>c</table>", ["a", "b", "c"]),
        ("<dl><dt>term<dd>what it is", ["term", "what it is"]),
        ("one<br>two<br><br>three", ["one two", "three"]),
        ("<span>one</span><span>two</span>", ["one two"]),
        ("<b>o</b>ne", ["one"]),
        ("one <i> two</i>  three", ["one two three"]),
        ("<pre>a\n b</pre>", ["a\n b"]),
        ("<p>a<script>'<p>x'</script>b</p>", ["ab"]),
        ("<p>a<!-- <p>x</p> -->b<!DOCTYPE x>c<?php x ?>d</p>", ["abcd"]),
        ("<p>a<svg><text>x</text><svg></svg></svg>b<select><option>x</select>c</p>", ["abc"]),
        ("<p title='a > b'>x</p>", ["x"]),
        ("a < b & c", ["a < b & c"]),
        ("<noscript><p>seen without script</p></noscript>", ["seen without script"]),
        ("<x-y><template shadowrootmode=open><p>in the shadow</p></template></x-y>", ["in the shadow"]),
        ("<template><p>not shown</p></template>x", ["x"]),
        ("<plaintext>text <p>all", ["text", "all"]),
        ("<title>never ends <p>x", ["never ends", "x"]),
        ("<a href='never ends>x</a><p>y", ["x", "y"]),
        ("<!-- never ends <p>x</p>", ["x"]),
        ("so\u00adft\u200b \ufeffhyphen\u00a0here", ["soft hyphen here"]),
    ],
)
def test_markup_is_cut_into_blocks(extractor: Extractor, given: str, expected: list[str]) -> None:
    assert blocks(extractor, given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("<p>one<br>two<br/> three", "one\ntwo\nthree"),
        ("<p><br>one <b>two<br></b>three<br>", "one two\nthree"),
        ("<p>one<br><br>two", "one\ntwo"),
        ("<pre>a<br>  b</pre>", "a\n  b"),
        ("<table><tr><td>a<td>b<tr><th>c<td><b>d</b></table>", "a\tb\nc\td"),
        ("<table><tr><td>a<p>b<td>c<td>d<br>e</table>", "a\nb\nc\td\ne"),  # a cell of two blocks is no cell of a line
        ("<table><tr><td><table><tr><td>a<td>b</table><td>c</table>", "a\tb\nc"),
        ("<td>a<td>b", "a\nb"),
        ("<ul><li>a<li>b</ul>", "a\nb"),
    ],
)
def test_text_has_the_lines_that_the_page_shows(extractor: Extractor, given: str, expected: str) -> None:
    other = " ".join(reversed(PARAGRAPH.split()))
    html = article(f"<p>{PARAGRAPH}</p><div>{given}</div></pre></table><p>{other}</p>")
    text = extractor.extract(html, Output(beta=10.0)).text
    assert text.partition(f"{PARAGRAPH}\n")[2].partition(f"\n{other}")[0] == expected


NAMES = sorted(name for name in html5 if name.endswith(";"))
UNSEEN = str.maketrans({"\u00ad": "", "\u200b": "", "\ufeff": "", "\u200e": "", "\u200f": ""})


def as_text(reference: str) -> str:
    """What a reference stands for, white space squeezed and characters without width left out."""
    return re.sub(" +", " ", html.unescape(reference).translate(UNSEEN).replace("\u00a0", " ")).strip()


def test_every_named_reference_is_what_python_says(extractor: Extractor) -> None:
    """Oracle: `html.unescape` of the standard library. A line feed and a tab by name stay what they are."""
    for name in NAMES:
        found = blocks(extractor, f"a&{name}b")
        assert found == [as_text(f"a&{name}b")], name


@given(st.integers(0, 0x120000), st.booleans(), st.sampled_from([";", " ", "x"]))
@settings(max_examples=300)
def test_numeric_references_are_what_python_says(code: int, is_hexadecimal: bool, end: str) -> None:
    """Oracle: `html.unescape`, save for control characters and spaces, which are one space here, and noncharacters, which stay."""
    reference = f"&#x{code:x}{end}" if is_hexadecimal else f"&#{code}{end}"
    expected = html.unescape(reference)
    if code <= 32 or 0x7F <= code < 0xA0 or code & 0xFFFE == 0xFFFE or 0xFDD0 <= code < 0xFDF0 or code > 0x10FFFF:
        return
    if is_hexadecimal and end == "x" or code == 0x2000B:
        return
    extractor = _shared()
    assert blocks(extractor, f"a{reference}b") == [as_text(f"a{expected}b")]


def _shared() -> Extractor:
    global _EXTRACTOR
    if _EXTRACTOR is None:
        _EXTRACTOR = Extractor(shipped_model())
    return _EXTRACTOR


_EXTRACTOR: Extractor | None = None


def test_text_does_not_depend_on_the_pages_before(extractor: Extractor) -> None:
    """Small pages after large ones, and the other way round: rooms grow, are kept and given back."""
    pages = [
        article(f"<p>{PARAGRAPH} {number}</p>" * (1 + number % 7)) + b"<i class='a b'>x</i>" * draw
        for number, draw in enumerate([0, 40_000, 3, 90_000, 1, 0, 500_000, 2])
    ]
    alone = [Extractor(shipped_model()).main_text(page) for page in pages]
    for place in random.Random(1).sample(range(len(pages)), len(pages)):
        assert extractor.main_text(pages[place]) == alone[place]
    assert len(set(alone)) > 4


def test_threads_do_not_disturb_each_other() -> None:
    pages = [article(f"<p>{PARAGRAPH} {number}.</p>" * 5) for number in range(60)]
    expected = [main_text(page) for page in pages]
    found: list[list[str]] = []

    def work() -> None:
        found.append([main_text(page) for page in pages])

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 3


def test_no_page_type_of_real_pages_is_extracted_worse_than_before(shared: Path) -> None:
    """100 annotated pages of seven types. The weights have seen them: this guards the code, it is no measure of quality."""
    from benchmarks.gold_pages import gold_pages
    from benchmarks.text_overlap import word_f1

    pages = [page for page in gold_pages(str(shared / "data/gold")) if page.source == "wcxb-dev"][::9]
    scores = [word_f1(main_text(page.html), page.main or "") for page in pages]
    assert len(scores) > 90 and sum(scores) / len(scores) > 0.94
