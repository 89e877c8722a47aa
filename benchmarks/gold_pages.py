"""Pages with their main text, for benchmarks: those of a folder (see `curation.extract.train.gold`), or composed by the sample's
grammar."""

from __future__ import annotations

from collections.abc import Iterator

from curation.extract.train import gold
from curation.extract.train.gold import GoldPage
from curation.sample.populations import compose
from curation.sample.records import crawl_date
from curation.sample.sites import has_comments, rendered, url_of

COMPOSED = 400


def gold_pages(folder: str) -> Iterator[GoldPage]:
    """All pages of a folder, in the order of its files, or composed ones where none is named.

    Raises `UserError` where there are none.
    """
    return gold.gold_pages(folder) if folder else composed_pages()


def composed_pages() -> Iterator[GoldPage]:
    """Composed pages that say something, without comments of readers, which are no part of their main text."""
    for number in range(COMPOSED):
        _, page = compose(1, number)
        if page.text is None or has_comments(1, number):
            continue
        url = url_of(1, number, page)
        html, charset = rendered(1, number, page, url, crawl_date(1, number))
        yield GoldPage(str(number), "composed", url, html, charset, "article", page.text.main_text, (), ())
