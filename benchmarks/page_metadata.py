"""Title, author and date of pages: how often they are right, beside trafilatura's `extract_metadata`, and the time they cost.

    python -m benchmarks.page_metadata GOLD     (see benchmarks.gold_pages)

Counted are pages whose truth has the value. A title is right if it has the letters and digits of the true one in their order,
case and forms of characters aside; an author if the set of names is the true one, names compared as titles are; a date if it is the
same day. Pages a second are those of the metadata alone, behind the extraction of the text; trafilatura's include parsing.
"""

from __future__ import annotations

import html
import logging
import re
import time
import unicodedata
from collections import defaultdict
from typing import Annotated

import typer
from rich.table import Table
from trafilatura.metadata import extract_metadata

from benchmarks.gold_pages import gold_pages
from curation.extract import charset
from curation.extract.main_text.extractor import Extractor, Output
from curation.extract.main_text.weights import shipped_model
from curation.extract.train.gold import GoldPage
from jobs import command
from jobs.command import output

VALUES = ("title", "author", "date")
SYSTEMS = ("fast", "trafilatura")
_MARKS = re.compile(r"[\W_]+")
_BETWEEN_NAMES = re.compile(r"[;,&/|]|\b(?:and|und|et)\b", re.IGNORECASE)


def letters(value: str) -> str:
    """What titles and names are compared by."""
    return _MARKS.sub("", unicodedata.normalize("NFKC", html.unescape(value)).casefold())


def comparable(value: str, name: str) -> object:
    """A title's letters, the set of an author's names, a date's day."""
    if name == "author":
        return frozenset(part for part in map(letters, _BETWEEN_NAMES.split(html.unescape(value))) if part)
    return letters(value) if name == "title" else value[:10]


class Scores:
    """Counts of one system, by value and source: pages with a truth, right ones, and values given where there is no truth."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], int] = defaultdict(int)
        self.right: dict[tuple[str, str], int] = defaultdict(int)
        self.given: dict[tuple[str, str], int] = defaultdict(int)
        self.seconds = 0.0

    def add(self, page: GoldPage, found: dict[str, str]) -> None:
        """Counts what was found in a page."""
        for name in VALUES:
            truth = getattr(page, name)
            for source in (page.source, "all"):
                self.known[name, source] += bool(truth)
                self.given[name, source] += bool(found[name]) and not truth
                self.right[name, source] += bool(truth) and comparable(found[name], name) == comparable(truth, name)

    def share(self, name: str, source: str = "all") -> float:
        """Of the pages with a truth, those that are right."""
        return self.right[name, source] / max(1, self.known[name, source])


def main(data: Annotated[str, typer.Argument(help="Folder of the gold pages.")]) -> None:
    """Prints a table, and the figures in one line at the end."""
    logging.disable(logging.CRITICAL)
    extractor, scores, sources, pages = Extractor(shipped_model()), {name: Scores() for name in SYSTEMS}, ["all"], 0
    for page in gold_pages(data):
        if not (page.title or page.author or page.date):
            continue
        utf8 = charset.to_utf8(page.html, page.charset)
        if utf8 is None:
            continue
        pages += 1
        sources += [page.source] if page.source not in sources else []
        scores["fast"].add(page, ours(extractor, utf8, page.url, scores["fast"]))
        scores["trafilatura"].add(page, theirs(utf8.decode("utf-8", "replace"), page.url, scores["trafilatura"]))
    output.print(table(scores, sources))
    shares = [f"{name}={scores['fast'].share(name):.3f}" for name in VALUES]
    shares += [f"{name}_trafilatura={scores['trafilatura'].share(name):.3f}" for name in VALUES]
    figures = " ".join(shares)
    output.print(
        f"page_metadata {figures} pages_per_s={pages / scores['fast'].seconds:.0f}", highlight=False, soft_wrap=True
    )


def ours(extractor: Extractor, page: bytes, url: str, scores: Scores) -> dict[str, str]:
    """The engine's; timed is what the metadata add to the extraction."""
    extractor.extract(page, Output())
    started = time.process_time()
    extractor.extract(page, Output())
    between = time.process_time()
    found = extractor.extract(page, Output(metadata=True), url).page
    scores.seconds += time.process_time() - between - (between - started)
    assert found is not None
    return {name: getattr(found, name) or "" for name in VALUES}


def theirs(page: str, url: str, scores: Scores) -> dict[str, str]:
    """trafilatura's; none where it fails."""
    started = time.process_time()
    try:
        found = extract_metadata(page, default_url=url or None)
    except Exception:
        return dict.fromkeys(VALUES, "")
    finally:
        scores.seconds += time.process_time() - started
    return {name: getattr(found, name) or "" for name in VALUES}


def table(scores: dict[str, Scores], sources: list[str]) -> Table:
    """A row for each value and source."""
    drawn = Table("value", "source", "pages", *SYSTEMS, "given without truth", title="Share of right values")
    for name in VALUES:
        for source in sources:
            shares = [f"{each.share(name, source):.3f}" for each in scores.values()]
            given = " / ".join(str(each.given[name, source]) for each in scores.values())
            drawn.add_row(name, source, str(scores["fast"].known[name, source]), *shares, given)
    return drawn


if __name__ == "__main__":
    command.run(main)
