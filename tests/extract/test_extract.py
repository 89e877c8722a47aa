"""The step `Extract`: what goes in, what comes out, and how each page without text ends."""

from __future__ import annotations

import pickle
import random
import time
from pathlib import Path

import pyarrow as pa
import pytest
from pydantic import ValidationError

from connectors.errors import UserError
from curation.extract import Extract, resiliparse_engine
from curation.extract.step import Engine
from curation.run.documents import CHARSET, CONTENT, FATE, MEDIA, REASON, TEXT, THRESHOLD, VALUE

ARTICLE = (
    "<html><head><title>T</title></head><body><nav><a href=/>Home</a> <a href=/x>About</a></nav><article><h1>{0}</h1>"
    "<p>{0} was first seen in the valley by two botanists, who wrote a long letter about it to their friends.</p>"
    "<p>The letter about {0} is kept in the library, where everybody can read it on weekdays from ten to five.</p>"
    "</article><footer>All rights reserved</footer></body></html>"
)


def batch(*rows: tuple[str, str, bytes | None]) -> pa.RecordBatch:
    media, charsets, contents = zip(*rows, strict=True)
    columns = {
        "url": ["u"] * len(rows),
        MEDIA: list(media),
        CHARSET: list(charsets),
        CONTENT: pa.array(contents, pa.binary()),
    }
    return pa.record_batch(columns)


def page(html: str) -> tuple[str, str, bytes]:
    return ("html", "utf-8", html.encode())


@pytest.fixture(params=["fast", "resiliparse", "trafilatura"])
def engine(request: pytest.FixtureRequest) -> Engine:
    if request.param == "trafilatura":
        pytest.importorskip("trafilatura", exc_type=ImportError)
    name: Engine = request.param
    return name


def test_main_text_is_kept_and_the_columns_read_are_gone(engine: Engine) -> None:
    result = Extract(engine=engine)(batch(page(ARTICLE.format("Gentiana"))))
    text = result.column(TEXT)[0].as_py()
    assert "two botanists" in text and "on weekdays" in text
    assert "All rights reserved" not in text and "About" not in text.split()
    assert result.column(FATE)[0].as_py() is None
    assert result.schema.names[:2] == ["url", TEXT] and not {MEDIA, CHARSET, CONTENT} & set(result.schema.names)


def test_text_passes_through_unchanged() -> None:
    text = "  One line.\n\n\tTwo — lines, ﬁne.\r\n"
    assert Extract()(batch(("text", "", text.encode()))).column(TEXT)[0].as_py() == text


@pytest.mark.parametrize(
    ("row", "fate", "reason", "value", "threshold"),
    [
        (("text", "", b"caf\xe9"), "quarantined", "bad_charset", None, None),
        (("html", "utf-8", b"\x1f\x8b\x81\x8d\x90\xff\xfe" * 99), "quarantined", "bad_charset", None, 0.1),
        (("html", "", b"<p>" + b"x" * 5000), "quarantined", "page_too_large", 5003, 5000),
        (("text", "", b"x" * 5001), "quarantined", "page_too_large", 5001, 5000),
        (("html", "", b"<div>" * 51), "quarantined", "page_too_deep", 51, 50),
        (("html", "", b"<p>" * 201), "quarantined", "page_too_many_tags", 201, 200),
        (("html", "", b"<p" + b" a=1" * 11 + b">"), "quarantined", "page_too_many_attributes", 11, 10),
        (("html", "", b"<select>" + b"<option>x" * 21), "quarantined", "page_too_many_options", 21, 20),
        (("html", "", b"<div>" * 49 + b"<p>" * 100), "quarantined", "page_too_tangled", 6125, 4000),
        (("html", "", b"<html><body></body></html>"), "removed", "no_main_text", None, None),
        (("html", "", b""), "removed", "no_main_text", None, None),
        (("text", "", b" \n"), "removed", "no_main_text", None, None),
        (("", "", None), "removed", "no_main_text", None, None),
    ],
)
def test_every_page_without_text_has_its_reason(
    row: tuple[str, str, bytes | None], fate: str, reason: str, value: float | None, threshold: float | None
) -> None:
    limits = {"max_tags": 200, "max_nesting": 50, "max_attributes": 10, "max_options": 20, "max_placements": 4000}
    step = Extract(engine="resiliparse", max_page_bytes=5000, **limits)
    result = step(batch(row, page(ARTICLE.format("a"))))
    found = [result.column(name)[0].as_py() for name in (FATE, REASON, VALUE, THRESHOLD, TEXT)]
    assert found == [fate, reason, value, threshold, ""]
    assert result.column(FATE)[1].as_py() is None, "the other page goes on"


def test_an_error_inside_an_engine_is_the_pages_fate(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(html: str) -> str:
        raise RuntimeError(html)

    monkeypatch.setattr(resiliparse_engine, "main_text", broken)
    result = Extract(engine="resiliparse")(batch(page(ARTICLE.format("secret"))))
    assert (result.column(FATE)[0].as_py(), result.column(REASON)[0].as_py()) == ("quarantined", "extractor_error")
    assert "secret" not in str(result.to_pydict())


def test_references_to_surrogates_and_nul_give_text_that_arrow_holds(engine: Engine) -> None:
    html = ARTICLE.format("Gentiana &#xD800; &#0; &#xDFFF; \x00 \U0001f600")
    result = Extract(engine=engine)(batch(page(html)))
    result.validate(full=True)
    assert "botanists" in result.column(TEXT)[0].as_py() and "\0" not in result.column(TEXT)[0].as_py()


def test_a_pages_text_does_not_depend_on_the_pages_before_it(engine: Engine) -> None:
    """Repeated segments across pages: what trafilatura's own de-duplication would take out from the third time on."""
    pages = [page(ARTICLE.format(name)) for name in ("Gentiana", "Primula", "Gentiana", "Gentiana", "Salvia")] * 2
    step = Extract(engine=engine)
    together = step(batch(*pages)).column(TEXT).to_pylist()
    order = random.Random(1).sample(range(len(pages)), len(pages))
    for place in order:
        assert step(batch(pages[place])).column(TEXT)[0].as_py() == together[place]


def test_hostile_pages_within_the_limits_take_bounded_time() -> None:
    """Measured: 0.3 to 1 s each; the same shapes without limits take minutes and gigabytes."""
    formatting = "".join(f"<b a={number}>" for number in range(400))
    hostile = [
        "<div>" * 500 + "<p>x</p>" * 1700,
        "<p>" + formatting + "</p>" + "<p>x</p>" * 2000,
        "<select>" + "<option>x" * 10_000,
        ("<p " + " ".join(f"a{number}=1" for number in range(1000)) + ">x</p>") * 100,
        "<div>" * 100_000,
        "<p " + " ".join(f"a{number}=1" for number in range(1_000_000)) + ">",
    ]
    start = time.process_time()
    Extract()(batch(*map(page, hostile)))
    assert time.process_time() - start < 30


def test_real_pages_stay_far_below_the_limits(shared: Path) -> None:
    """Source: 300 pages of a public crawl."""
    from fastwarc.warc import ArchiveIterator, WarcRecordType

    rows = []
    for record in ArchiveIterator(str(shared / "data/crawl/crawl-0.warc.gz"), record_types=WarcRecordType.response):
        content = record.reader.read()
        if b"<html" in content[:5000].lower():
            rows.append(("html", record.http_charset or "", content))
    reasons = Extract()(batch(*rows)).column(REASON).to_pylist()
    assert len(rows) > 200 and not [reason for reason in reasons if reason and reason != "no_main_text"]
    assert reasons.count("no_main_text") < 0.05 * len(rows)


def test_parameters_are_checked_and_the_step_pickles_small() -> None:
    for wrong in ({"engine": "lynx"}, {"max_page_bytes": 0}, {"nesting": 3}):
        with pytest.raises(ValidationError):
            Extract(**wrong)  # type: ignore[arg-type]
    assert pickle.loads(pickle.dumps(Extract(max_tags=7))) == Extract(max_tags=7)
    assert len(pickle.dumps(Extract())) < 1000


def test_a_missing_package_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from curation.extract import step

    def absent(name: str) -> object:
        raise ImportError(name)

    step._engine.cache_clear()
    monkeypatch.setattr(step.importlib, "import_module", absent)
    with pytest.raises(UserError, match="trafilatura"):
        Extract(engine="trafilatura")(batch(page("<p>x")))
    assert resiliparse_engine.main_text("<p>x</p>") == "x"


TEXTS = [
    "One.",
    "  Two.",
    "\u3000Three",
    "é",
    "\x7f",
    "\x1f",
    "\n",
    "\u3000",
    "\0",
    "a\0b",
    "",
    "\ufeffx",
    "x" * 40,
    "x" * 41,
]


@pytest.mark.parametrize("text", [*(text.encode() for text in TEXTS), b"\xff", b"a\xc3", None])
def test_a_batch_of_text_is_what_its_rows_are(text: bytes | None) -> None:
    """The texts that pass through in one go, and one among them that does not: the oracle is each row beside a page."""
    step = Extract(max_page_bytes=40)
    rows = [("text", "", content) for content in (b"before", text, "behind é".encode())]
    together = step(batch(*rows))
    alone = [step(batch(row, ("html", "", b""))).slice(0, 1).to_pylist()[0] for row in rows]
    assert together.to_pylist() == alone and together.schema.equals(step(batch(page(""))).schema)
    assert step(batch(*rows).slice(1)).to_pylist() == alone[1:]


def test_clean_text_passes_through_without_a_row_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Extract, "_outcome", None)
    rows = [("text", "", text.encode()) for text in TEXTS[:4]]
    assert Extract()(batch(*rows)).column(TEXT).to_pylist() == TEXTS[:4]
