"""Main text by trafilatura: the quality mode, with the options of the FineWeb recipe, an order of magnitude slower.

Barbaresi, "Trafilatura", ACL 2021; release 2.3.1. `favor_precision`, no comments, as datatrove 0.10.1's Trafilatura
block sets them. Its `deduplicate` stays off: it remembers segments from page to page, so a page's text would depend
on the pages before it. The caches that remain active are memos of pure functions.
"""

from __future__ import annotations

import functools
import logging

from trafilatura import extract


@functools.cache
def _quiet() -> None:
    """Turn off the loggers that would quote a page's address or markup."""
    for name in ("trafilatura", "htmldate", "courlan", "justext"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def main_text(html: str) -> str:
    """The page's main text, "" where it has none."""
    _quiet()
    return extract(html, favor_precision=True, include_comments=False, deduplicate=False) or ""
