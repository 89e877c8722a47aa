"""What a page says of itself: title, author, day, language, site, type."""

from __future__ import annotations

import json
import time

import pyarrow as pa
import pytest

from connectors.errors import UserError
from curation.extract import Extract
from curation.extract.main_text.extractor import Extractor, Output
from curation.extract.main_text.metadata import PageMetadata
from curation.extract.main_text.metadata.authors import name_in
from curation.extract.main_text.metadata.dates import day_of, day_of_address, days
from curation.extract.main_text.metadata.facts import MAX_VALUE
from curation.extract.main_text.metadata.languages import language_tag
from curation.extract.main_text.metadata.titles import without_site
from curation.extract.main_text.weights import shipped_model
from curation.recipes.load import load_recipe
from curation.redact import Redact
from curation.run.documents import CHARSET, CONTENT, MEDIA, META, URL

BODY = f"<p>{'Two botanists saw the plant in the valley, and wrote a long letter about it. ' * 4}</p>" * 3


@pytest.fixture(scope="module")
def extractor() -> Extractor:
    return Extractor(shipped_model())


def of(extractor: Extractor, head: str, body: str = BODY, url: str = "", html: str = "<html>") -> PageMetadata:
    page = f"{html}<head>{head}</head><body>{body}</body></html>".encode("utf-8", "surrogatepass")
    found = extractor.extract(page, Output(metadata=True), url).page
    assert found is not None
    return found


def script(content: object) -> str:
    return f"<script type='application/ld+json'>{json.dumps(content)}</script>"


def test_nobody_is_told_who_has_not_asked(extractor: Extractor) -> None:
    assert extractor.extract(b"<title>A letter</title>", Output()).page is None


def test_the_text_is_the_same_whoever_asks(extractor: Extractor) -> None:
    page = f"<title>A letter</title><meta name=author content='Jo Doe'>{BODY}".encode()
    assert extractor.extract(page, Output(metadata=True)).text == extractor.extract(page, Output()).text


def test_a_page_without_anything_says_nothing(extractor: Extractor) -> None:
    assert of(extractor, "", "") == PageMetadata()
    assert of(extractor, "", "").known() == {}


@pytest.mark.parametrize(
    ("head", "body", "title"),
    [
        ("<title>A letter - The Valley</title><meta property=og:site_name content='The Valley'>", "", "A letter"),
        ("<title>A letter | Whoever</title>", "", "A letter"),
        (
            "<title>A letter: of two friends</title>",
            "<h1>A <b>letter</b>: of two friends</h1>",
            "A letter: of two friends",
        ),
        ("<title>The Valley</title><meta property=og:site_name content='The Valley'>", "<h1>A letter</h1>", "A letter"),
        (script({"@type": "Article", "headline": "A &amp; B"}), "", "A & B"),
        ("<meta property=og:title content='Letters &amp; friends'>", "", "Letters & friends"),
        ("<title>A <i>letter</i></title>", "<svg><title>x</title></svg>", "A letter"),
        ("", "<h1>A letter</h1>", "A letter"),
    ],
)
def test_the_title_is_what_places_agree_on_without_the_site(
    extractor: Extractor, head: str, body: str, title: str
) -> None:
    assert of(extractor, head, body + BODY).title == title


def test_a_site_is_cut_from_either_end() -> None:
    assert without_site("The Valley » A letter", "The Valley", "") == "A letter"
    assert without_site("A letter - news", "", "https://www.news.example/a") == "A letter"
    assert without_site("Well - known words", "", "https://other.example/") == "Well - known words"


@pytest.mark.parametrize(
    ("head", "body", "author"),
    [
        (
            script({"@type": "NewsArticle", "headline": "x", "author": [{"@type": "Person", "name": "Jo Doe"}]}),
            "",
            "Jo Doe",
        ),
        (
            script(
                {
                    "@graph": [
                        {"@type": "Article", "headline": "x", "author": {"@id": "#1"}},
                        {"@id": "#1", "name": "Jo Doe"},
                    ]
                }
            ),
            "",
            "Jo Doe",
        ),
        ("<meta name=author content='By Jo Doe, jo@example.com'>", "", "Jo Doe"),
        ("<meta name=twitter:label1 content='Written by'><meta name=twitter:data1 content='Jo Doe'>", "", "Jo Doe"),
        ("<meta name=twitter:label1 content='Reading time'><meta name=twitter:data1 content='Five'>", "", None),
        (
            "<meta property=article:author content='https://social.example/jo'>",
            "<a rel='author' href=/jo>Jo Doe</a>",
            "Jo Doe",
        ),
        ("", "<span itemprop=author>Jo Doe</span>", "Jo Doe"),
        ("", "<div class='post-author-name'>Von Jo Doe | 3. Mai 2020</div>", "Jo Doe"),
        ("", "<div class=byline>Posted on May 3, 2020 by Jo Doe</div>", "Jo Doe"),
        ("", "<footer><div class=author>Web Agency</div></footer>", None),
        ("", "<h1>A letter</h1><p>By Jo Doe</p>", "Jo Doe"),
        ("", "<h1>A letter</h1><p>By the river</p>", None),
        ("<meta name=author content='Jo Doe and Ann Poe'>", "", "Jo Doe; Ann Poe"),
    ],
)
def test_authors_are_names(extractor: Extractor, head: str, body: str, author: str | None) -> None:
    assert of(extractor, head, body + BODY).author == author


def test_the_site_is_its_author_only_if_nobody_else_is(extractor: Extractor) -> None:
    head = "<meta property=og:site_name content='The Valley'><meta name=author content='the valley'>"
    assert of(extractor, head).author == "the valley"
    assert of(extractor, head, f"<a rel=author>Jo Doe</a>{BODY}").author == "Jo Doe"


def test_what_is_no_name() -> None:
    for value in ("admin", "https://a.example", "May 3, 2020", "12 comments", "2 hours ago", "x " * 30, "", "on"):
        assert name_in(value) == "", value


@pytest.mark.parametrize(
    ("text", "month_first", "day"),
    [
        ("2020-05-03T23:59:00+0000", False, "2020-05-03"),
        ("20200503", False, "2020-05-03"),
        ("Sun, 03 May 2020 10:00:00 GMT", False, "2020-05-03"),
        ("Published May 3rd, 2020", False, "2020-05-03"),
        ("am 3. März 2020 um 10 Uhr", False, "2020-03-03"),
        ("le 1er février 2020", False, "2020-02-01"),
        ("3 de mayo de 2020", False, "2020-05-03"),
        ("3 мая 2020", False, "2020-05-03"),
        ("2020年5月3日", False, "2020-05-03"),
        ("5/3/2020", True, "2020-05-03"),
        ("5/3/2020", False, "2020-03-05"),
        ("13/5/2020", True, "2020-05-13"),
        ("5.3.2020", True, "2020-03-05"),
        ("1588500000", False, "2020-05-03"),
        ("1588500000123", False, "2020-05-03"),
        ("30 February 2020", False, ""),
        ("call 555-12-2020", False, ""),
        ("version 1.2.3", False, ""),
        ("1066-10-14", False, ""),
    ],
)
def test_days_are_read_as_people_write_them(text: str, month_first: bool, day: str) -> None:
    assert day_of(text, month_first) == day


def test_all_days_of_a_text_and_of_an_address() -> None:
    assert list(days("May 3, 2020, changed 2021-02-01", True)) == ["2020-05-03", "2021-02-01"]
    assert day_of_address("https://a.example/2020/05/03/a-letter") == "2020-05-03"
    assert day_of_address("https://a.example/a-letter-2020-5-3/") == "2020-05-03"
    assert day_of_address("https://a.example/2020/05/a-letter") == ""


@pytest.mark.parametrize(
    ("head", "body", "url", "date"),
    [
        (
            "<meta property=article:published_time content=2020-05-03T10:00>",
            "<time datetime=2019-01-01>x</time>",
            "",
            "2020-05-03",
        ),
        (
            script({"@type": "Article", "name": "x", "dateModified": "2021-01-01", "datePublished": "2020-05-03"}),
            "",
            "",
            "2020-05-03",
        ),
        (
            "",
            "<time datetime=2021-01-01 class=updated>x</time><time class=published datetime='2020-05-03'>x</time>",
            "",
            "2020-05-03",
        ),
        ("", "<footer><time datetime=2021-01-01></time></footer><p>3 May 2020</p>", "", "2020-05-03"),
        ("", "", "https://a.example/2020/05/03/x.html", "2020-05-03"),
        ("<link rel=canonical href='https://a.example/2020/05/03/x.html'>", "", "", "2020-05-03"),
        ("<meta property=article:modified_time content=2020-05-03>", "", "", "2020-05-03"),
        ('<script>{"datePublished": "2020-05-03"}</script>', "", "", "2020-05-03"),
        ("", "", "", None),
    ],
)
def test_the_day_of_publication(extractor: Extractor, head: str, body: str, url: str, date: str | None) -> None:
    assert of(extractor, head, body + BODY, url).date == date


def test_the_language_decides_how_figures_are_read(extractor: Extractor) -> None:
    body = f"<h1>A letter</h1><p>5/3/2020</p>{BODY}"
    assert of(extractor, "", body, html="<html lang=en-US>").date == "2020-05-03"
    assert of(extractor, "", body, html="<html lang=en-GB>").date == "2020-03-05"


def test_languages_are_tags(extractor: Extractor) -> None:
    assert of(extractor, "<meta property=og:locale content=pt_br>").language == "pt-BR"
    assert of(extractor, "<meta property=og:locale content=pt_br>", html="<html lang='de-ch'>").language == "de-CH"
    assert of(extractor, "<meta http-equiv=content-language content='fr, en'>").language == "fr"
    assert [language_tag(tag) for tag in ("zh-hant-tw", "und", "english", "", "C")] == ["zh-Hant-TW", "", "", "", ""]


def test_the_type_comes_with_its_probability(extractor: Extractor) -> None:
    found = of(extractor, "<title>A letter</title>")
    assert found.type in ("article", "documentation", "service", "forum", "listing", "collection", "product")
    assert found.type_probability is not None and 1 / 7 <= found.type_probability <= 1


def test_values_are_bounded_and_hold_no_markup(extractor: Extractor) -> None:
    head = f"<meta property=og:title content='{'<b>word</b> ' * 2000}'><meta name=author content='\ud800 Jo &#0; Doe'>"
    found = of(extractor, head)
    assert found.title is not None and len(found.title) <= MAX_VALUE and "<" not in found.title
    assert found.author is not None
    assert found.author.encode() and "\0" not in found.author


def test_hostile_pages_take_linear_time(extractor: Extractor) -> None:
    many = 30_000
    pages = [
        "<meta name=author content='a b'>" * many,
        "<a rel=author class='author byline date'>x</a>" * many,
        "<time datetime=x>" * many,
        "<h1>" * many,
        script([{"@type": "Article", "headline": "x" * 100, "author": [[]] * 300}] * 2000),
        "<div class=author " + "a='" * many,
        "<p>" + "By " * many + "1/1/" * many,
        "<title>" + " | " * many,
        "<script>" + "datePublished " * many,
    ]
    for page in pages:
        started = time.process_time()
        of(extractor, page, "")
        assert time.process_time() - started < 2, page[:40]


def extracted(html: str, meta: str | None, **options: object) -> dict[str, object]:
    columns = {
        URL: ["https://a.example/"],
        MEDIA: ["html"],
        CHARSET: [""],
        CONTENT: pa.array([html.encode()], pa.binary()),
    }
    if meta is not None:
        columns[META] = [meta]
    step = Extract(engine="fast", **options)  # type: ignore[arg-type]
    row: dict[str, object] = step(pa.record_batch(columns)).to_pylist()[0]
    return row


PAGE = f"<html lang=en><title>A letter</title><meta name=author content='jo@example.com Jo Doe'>{BODY}"


def test_the_step_writes_it_beside_own_columns_which_stay() -> None:
    said = json.loads(str(extracted(PAGE, "", metadata=True)[META]))["page"]
    assert said["title"] == "A letter" and said["language"] == "en" and "date" not in said
    own = '{"a": 1e400, "b": [1.50]}'
    assert str(extracted(PAGE, own, metadata=True)[META]).endswith(own[1:])
    for untouched in ('{"page": 7}', "no JSON", "[1]"):
        assert extracted(PAGE, untouched, metadata=True)[META] == untouched
    assert extracted(PAGE, own)[META] == own


def test_redaction_reaches_it() -> None:
    page = PAGE.replace("A letter", "Letters to ann@example.com")
    batch = pa.RecordBatch.from_pylist([extracted(page, "", metadata=True)])
    redacted = Redact(kinds=["email"])(batch.select([META])).column(META)[0].as_py()
    assert "ann@example.com" in str(batch.column(META)[0]) and "ann@example.com" not in redacted


def test_other_engines_have_none() -> None:
    with pytest.raises(UserError, match=r"^extract\.metadata: 'trafilatura' has no such thing; take the engine 'fast'"):
        Extract(engine="trafilatura", metadata=True)
    with pytest.raises(UserError, match="resiliparse' has no such thing"):
        load_recipe("dclm", ["extract.metadata=true"])
