"""Main text: quality and CPU time of the engine `fast` beside resiliparse and trafilatura, page by page in one process.

    python -m benchmarks.extraction GOLD --folds FOLDER    on pages with their main text, each by the weights that saw nothing of
                                                           its domain (of `curation.extract.train GOLD --folds-to FOLDER`)
    python -m benchmarks.extraction GOLD                   by the weights that ship
    python -m benchmarks.extraction                        on composed pages

f1_types is the mean word F1 over the pages whose type is known, f1_articles the F1 of four-word shingles over
scrapinghub's articles; times are from bytes to text, decoding included. The weights that ship have been fitted to pages of public
sets, so their figures on those sets are no test; the output says so. Pages with snippets only have been fitted to by nobody.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean, median
from typing import Annotated

import typer
from rich.table import Table

from benchmarks.extractors import EXTRACTORS, Extract
from benchmarks.fold_weights import extractor_of_page
from benchmarks.gold_pages import gold_pages
from benchmarks.text_overlap import ShingleScore, SnippetScore, found_share, word_f1
from curation.extract import charset
from curation.extract.train.gold import GoldPage
from jobs import command
from jobs.command import output

ARTICLES = "scrapinghub"
WARM_UP = 5  # pages
UNSEEN = "cross-validated: weights that saw nothing of a page's registered domain, for pages of the folds' own data"
SEEN = "not a test: the weights that ship were fitted to these public sets (all but the snippets)"

OfPage = Callable[[GoldPage], str]


class Result:
    """What one extractor gave, page by page."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.seconds: list[float] = []
        self.failed = 0

    def run(self, extract: OfPage, page: GoldPage) -> None:
        """Extracts a page; one that the extractor fails on has no text."""
        before = time.process_time()
        try:
            text = extract(page)
        except Exception:
            text = ""
            self.failed += 1
        self.seconds.append(time.process_time() - before)
        self.texts.append(text)

    @property
    def per_second(self) -> float:
        """Pages a CPU second."""
        return len(self.seconds) / sum(self.seconds)


def main(
    data: Annotated[str, typer.Argument(help="Folder of the gold pages; without it, pages are composed.")] = "",
    folds: Annotated[Path | None, typer.Option(help="Folder of the weights of each fold.")] = None,
) -> None:
    """Prints a table, and the figures in one line at the end."""
    pages = list(gold_pages(data))
    results = compared(pages, folds)
    figures = {name: scores(pages, result) for name, result in results.items()}
    output.print(table(pages, figures, results))
    if data:
        output.print(UNSEEN if folds else SEEN, highlight=False)
    fast = results["fast"]
    output.print(
        f"extraction f1_types={figures['fast'].get('f1_types', 0):.3f} f1_articles={figures['fast'].get('f1_articles', 0):.3f}"
        f" docs_per_s={fast.per_second:.0f} ratio_resiliparse={fast.per_second / results['resiliparse'].per_second:.2f}"
        f" ratio_trafilatura={fast.per_second / results['trafilatura'].per_second:.1f}",
        highlight=False,
        soft_wrap=True,
    )


def compared(pages: Sequence[GoldPage], folds: Path | None) -> dict[str, Result]:
    """All extractors on each page in turn, so that what else the machine does meets all of them."""
    extractors = {name: of_page(make()) for name, make in EXTRACTORS.items()}
    if folds:
        extractors["fast"] = by_folds(folds)
    for extract in extractors.values():
        for page in pages[:WARM_UP]:
            Result().run(extract, page)
    results = {name: Result() for name in extractors}
    names = list(extractors)
    for number, page in enumerate(pages):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            results[name].run(extractors[name], page)
    return results


def of_page(extract: Extract) -> OfPage:
    """An extractor as a function of a gold page."""
    return lambda page: extract(page.html, page.charset)


def by_folds(folder: Path) -> OfPage:
    """The engine `fast`, each page by the weights that saw nothing of its domain."""
    extractor_of = extractor_of_page(folder)

    def extract(page: GoldPage) -> str:
        utf8 = charset.to_utf8(page.html, page.charset)
        return "" if utf8 is None else extractor_of(page).main_text(utf8)

    return extract


def scores(pages: Sequence[GoldPage], result: Result) -> dict[str, float]:
    """Quality by type, over all typed pages, of articles and of snippets; what the pages do not tell is left out."""
    by_type: dict[str, list[float]] = defaultdict(list)
    wanted: list[float] = []
    unwanted: list[float] = []
    articles, snippets = ShingleScore(), SnippetScore()
    for page, text in zip(pages, result.texts, strict=True):
        if page.source == ARTICLES:
            articles.add(text, page.main or "")
        elif page.main is None:
            snippets.add(text, page.wanted, page.unwanted)
        else:
            by_type[page.page_type].append(word_f1(text, page.main))
            wanted.append(found_share(text, page.wanted))
            unwanted.append(found_share(text, page.unwanted))
    figures = {f"F1 {name} ({len(values)})": mean(values) for name, values in sorted(by_type.items())}
    typed = [value for values in by_type.values() for value in values]
    if typed:
        figures["mean of the types"] = mean(mean(values) for values in by_type.values())
        figures["wanted snippets found"], figures["unwanted snippets found"] = mean(wanted), mean(unwanted)
        figures["f1_types"] = mean(typed)
    if articles.recalls:
        figures["f1_articles"] = articles.f1
    if snippets.there + snippets.missing:
        figures["F1 of snippets, other pages"] = snippets.f1
    return figures


def table(pages: Sequence[GoldPage], figures: dict[str, dict[str, float]], results: dict[str, Result]) -> Table:
    """A row for each figure, a column for each extractor."""
    size = sum(len(page.html) for page in pages) / 1e6
    drawn = Table("", *figures, title=f"{len(pages)} pages, {size:.0f} MB")
    for name in figures["fast"]:
        drawn.add_row(name, *(f"{found[name]:.3f}" for found in figures.values()))
    for name, value in (
        ("pages a CPU second", lambda result: f"{result.per_second:.0f}"),
        ("MB a CPU second", lambda result: f"{size / sum(result.seconds):.1f}"),
        ("median, ms", lambda result: f"{median(result.seconds) * 1e3:.2f}"),
        ("slowest, ms", lambda result: f"{max(result.seconds) * 1e3:.0f}"),
        ("pages it failed on", lambda result: str(result.failed)),
    ):
        drawn.add_row(name, *(value(result) for result in results.values()))
    return drawn


if __name__ == "__main__":
    command.run(main)
