"""Where in a text stands what a measure counts: spans of characters, for a person to look at.

Written to be obviously right, one document at a time; the measures count the same over whole batches by kernels. Spans come
in order. Where a threshold is a least share of something good, they are of what lacks it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from curation.quality.measure import Evidence
from curation.text.batch import SHORT_LINE
from curation.text.punctuation import TERMINAL_PUNCTUATION
from curation.text.segmentation import Span, Text

BULLETS = ("•", "-")
ELLIPSES = ("...", "…")
_NEWLINE = re.compile(r"\n")
_NEWLINES = re.compile(r"\n+")
_EMPTY_LINES = re.compile(r"\n{2,}")
_HASH = re.compile("#")
_ELLIPSIS = re.compile(r"\.\.\.|…")


def duplicate_paragraphs(text: Text) -> list[Span]:
    """Paragraphs of the stripped text that have come before."""
    start = len(text.string) - len(text.string.lstrip())
    return _come_before(text.string, _between(_EMPTY_LINES, text.string, start, len(text.string.rstrip())))


def duplicate_lines(text: Text) -> list[Span]:
    r"""Lines, between runs of `\n`, that have come before; two empty ones may be at the ends of the text."""
    return _come_before(text.string, _between(_NEWLINES, text.string))


def repeated_filled_lines(text: Text) -> list[Span]:
    r"""Lines, between single `\n` and not blank, that have come before."""
    return _come_before(text.string, _filled_lines(text))


def top_n_gram(n: int) -> Evidence:
    """The evidence of every place of the most frequent run of n tokens, of equally frequent ones the first."""

    def places(text: Text) -> list[Span]:
        spans, words = text.word_spans, text.words
        grams = [" ".join(words[first : first + n]) for first in range(len(words) - n + 1)]
        counts = Counter(grams)
        top = max(counts, key=counts.__getitem__, default=None)
        return [(spans[first][0], spans[first + n - 1][1]) for first, gram in enumerate(grams) if gram == top]

    return places


def duplicate_n_grams(n: int) -> Evidence:
    """The evidence of runs of n tokens that have come before, from the left, without overlap."""

    def places(text: Text) -> list[Span]:
        spans, words = text.word_spans, text.words
        known: set[str] = set()
        found: list[Span] = []
        first = 0
        while first + n <= len(words):
            gram = "".join(words[first : first + n])
            if gram in known:
                found.append((spans[first][0], spans[first + n - 1][1]))
                first += n
            else:
                known.add(gram)
                first += 1
        return found

    return places


def bullet_lines(text: Text) -> list[Span]:
    """Lines, by every line end, that begin with a bullet after white space."""
    return [(a, b) for a, b in _lines(text) if text.string[a:b].lstrip().startswith(BULLETS)]


def ellipsis_lines(text: Text) -> list[Span]:
    """Lines, by every line end, that end in an ellipsis before white space."""
    return [(a, b) for a, b in _lines(text) if text.string[a:b].rstrip().endswith(ELLIPSES)]


def unterminated_lines(text: Text) -> list[Span]:
    """Lines that are not blank and whose very last character is no sentence mark of any script."""
    return [(a, b) for a, b in _filled_lines(text) if text.string[b - 1] not in TERMINAL_PUNCTUATION]


def short_lines(text: Text) -> list[Span]:
    """Lines that are not blank, of at most 30 characters."""
    return [(a, b) for a, b in _filled_lines(text) if b - a <= SHORT_LINE]


def newlines(text: Text) -> list[Span]:
    r"""Every `\n`."""
    return [found.span() for found in _NEWLINE.finditer(text.string)]


def hashes(text: Text) -> list[Span]:
    """Every `#`."""
    return [found.span() for found in _HASH.finditer(text.string)]


def ellipses(text: Text) -> list[Span]:
    """Every `...`, not overlapping, and every `…`."""
    return [found.span() for found in _ELLIPSIS.finditer(text.string)]


def words_without_letters(text: Text) -> list[Span]:
    """Tokens without a letter."""
    return [(a, b) for a, b in text.word_spans if not any(map(str.isalpha, text.string[a:b]))]


def repeated_words(text: Text) -> list[Span]:
    """Tokens that have come before."""
    return _come_before(text.string, text.word_spans)


def _between(separator: re.Pattern[str], string: str, start: int = 0, stop: int | None = None) -> list[Span]:
    """The parts of string[start:stop] between what the expression finds, as `re.split` gives them."""
    end = len(string) if stop is None else max(start, stop)
    cuts = [found.span() for found in separator.finditer(string, start, end)]
    return list(zip([start, *(stop for _, stop in cuts)], [*(start for start, _ in cuts), end], strict=True))


def _filled_lines(text: Text) -> list[Span]:
    return [(a, b) for a, b in _between(_NEWLINE, text.string) if text.string[a:b].strip()]


def _lines(text: Text) -> list[Span]:
    """The lines by every line end, without it."""
    spans: list[Span] = []
    start = 0
    for whole, line in zip(text.string.splitlines(keepends=True), text.lines, strict=True):
        spans.append((start, start + len(line)))
        start += len(whole)
    return spans


def _come_before(string: str, spans: Iterable[Span]) -> list[Span]:
    """Those of the spans whose text an earlier one has."""
    known: set[str] = set()
    found: list[Span] = []
    for start, stop in spans:
        part = string[start:stop]
        if part in known:
            found.append((start, stop))
        known.add(part)
    return found
