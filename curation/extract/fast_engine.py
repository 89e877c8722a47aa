"""Main text by fitted weights over blocks of text: no tree of objects, no package but numba. See docs/extraction.md."""

from __future__ import annotations

import threading

from curation.extract.main_text.extractor import PLAIN, Extractor, Judged, MainText, Output
from curation.extract.main_text.weights import shipped_model

__all__ = ["Output", "extract", "judged", "main_text"]

_of_thread = threading.local()  # an extractor's arrays are for one page at a time


def main_text(html: bytes) -> str:
    """The main text of a page in UTF-8, a block a line, "" where it has none."""
    return extract(html, PLAIN).text


def extract(html: bytes, output: Output, url: str = "") -> MainText:
    """The main text of a page in UTF-8 as it is wanted, with the quality to expect of it."""
    return _extractor().extract(html, output, url)


def judged(html: bytes, output: Output, url: str = "") -> Judged:
    """A page's blocks, with what was decided."""
    return _extractor().judged(html, output, url)


def _extractor() -> Extractor:
    if not hasattr(_of_thread, "extractor"):
        _of_thread.extractor = Extractor(shipped_model())
    extractor: Extractor = _of_thread.extractor
    return extractor
