"""Main text by fitted weights over blocks of text: no tree of objects, no package but numba. See docs/extraction.md."""

from __future__ import annotations

import functools
import threading
from typing import Any

from curation.extract.main_text.extractor import Extractor, Judged, MainText, Output
from curation.extract.main_text.weights import shipped_model

__all__ = ["Output", "extract", "judged", "main_text"]

_of_thread = threading.local()  # an extractor's arrays are for one page at a time
_output = functools.cache(Output)


def main_text(html: bytes, **options: Any) -> str:
    """The main text of a page in UTF-8, "" where it has none: a block a line, or as the options, those of `Output`, say."""
    return extract(html, _output(**options)).text


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
