"""Measures of repetition: lines, paragraphs and runs of words that come again.

The first of a kind is free, every further one counts. Shares of characters are of the whole text, white space included,
except in `repeated_line_character_share`, which leaves newlines out.
"""

from __future__ import annotations

import numpy as np

from curation.quality import evidence
from curation.quality.measure import Floats, Measure, batch_measure, quotient
from curation.text.batch import TextBatch
from curation.text.kernels.ngrams import GRAM_REPEATED, GRAM_TOP, REPEATED_SIZES, TOP_SIZES
from curation.text.kernels.repetition import (
    REP_CHARACTERS,
    REP_LINES,
    REP_NEWLINES,
    REP_PARAGRAPHS,
    REP_REPEATED_FILLED_CHARACTERS,
    REP_REPEATED_LINE_CHARACTERS,
    REP_REPEATED_LINES,
    REP_REPEATED_PARAGRAPH_CHARACTERS,
    REP_REPEATED_PARAGRAPHS,
)
from curation.text.kernels.words import COUNT_TOKENS

_GOPHER = "Rae et al. 2021 (Gopher), table A1; datatrove 0.10.1, filters/gopher_repetition_filter.py"


@batch_measure(
    unit="share",
    range=(0.0, 1.0),
    source=_GOPHER,
    catches="the same notice before every post of a forum",
    evidence=evidence.duplicate_paragraphs,
)
def duplicate_paragraph_share(texts: TextBatch) -> Floats:
    """Paragraphs that have come before, among all."""
    return quotient(texts.repetition[:, REP_REPEATED_PARAGRAPHS], texts.repetition[:, REP_PARAGRAPHS])


@batch_measure(
    unit="share",
    range=(0.0, 1.0),
    source=_GOPHER,
    catches="an article that stands twice on its page",
    evidence=evidence.duplicate_paragraphs,
)
def duplicate_paragraph_character_share(texts: TextBatch) -> Floats:
    """Characters of paragraphs that have come before, among all characters; undefined for the empty text."""
    return quotient(texts.repetition[:, REP_REPEATED_PARAGRAPH_CHARACTERS], texts.repetition[:, REP_CHARACTERS])


@batch_measure(
    unit="share",
    range=(0.0, 1.0),
    source=_GOPHER,
    catches="`Reply` and `Share` under every comment",
    evidence=evidence.duplicate_lines,
)
def duplicate_line_share(texts: TextBatch) -> Floats:
    r"""Lines that have come before, among all lines between runs of `\n`.

    A text that begins and ends with a newline has two equal empty lines.
    """
    return quotient(texts.repetition[:, REP_REPEATED_LINES], texts.repetition[:, REP_LINES])


@batch_measure(
    unit="share",
    range=(0.0, 1.0),
    source=_GOPHER,
    catches="the same disclaimer under every entry",
    evidence=evidence.duplicate_lines,
)
def duplicate_line_character_share(texts: TextBatch) -> Floats:
    r"""Characters of lines (between runs of `\n`) that have come before, among all; undefined for the empty text."""
    return quotient(texts.repetition[:, REP_REPEATED_LINE_CHARACTERS], texts.repetition[:, REP_CHARACTERS])


@batch_measure(
    unit="share",
    range=(0.0, 1.0),
    source="Penedo et al. 2024 (FineWeb), 3.6; datatrove 0.10.1, filters/fineweb_quality_filter.py",
    catches="boilerplate lines between the paragraphs of a page",
    evidence=evidence.repeated_filled_lines,
)
def repeated_line_character_share(texts: TextBatch) -> Floats:
    r"""Characters of lines (between single `\n`, not blank) that have come before, among all but `\n`.

    Undefined for a text without any other character.
    """
    counts = texts.repetition
    return quotient(counts[:, REP_REPEATED_FILLED_CHARACTERS], counts[:, REP_CHARACTERS] - counts[:, REP_NEWLINES])


def _top(n: int) -> Measure:
    @batch_measure(
        name=f"top_{n}_gram_share",
        unit="ratio",
        source=_GOPHER,
        catches=f"a phrase of {n} words stuffed into every sentence; also texts of a handful of words",
        evidence=evidence.top_n_gram(n),
    )
    def share(texts: TextBatch) -> Floats:
        """Length times frequency of the most frequent run of n tokens, joined by blanks, by all characters.

        Of equally frequent ones the first counts; once is enough. Undefined for fewer than n tokens.
        """
        values = quotient(texts.ngrams[:, GRAM_TOP + n - TOP_SIZES.start], texts.repetition[:, REP_CHARACTERS])
        return np.where(texts.word_counts[:, COUNT_TOKENS] >= n, values, np.nan)

    return share


def _duplicate(n: int) -> Measure:
    @batch_measure(
        name=f"duplicate_{n}_gram_share",
        unit="share",
        range=(0.0, 1.0),
        source=_GOPHER,
        catches=f"sentences made from a template, {n} words of which stay the same",
        evidence=evidence.duplicate_n_grams(n),
    )
    def share(texts: TextBatch) -> Floats:
        """Characters in runs of n tokens that have come before, among all characters; undefined for the empty text.

        From the left, without overlap: behind a repeated run the search goes on n tokens further, and the runs that start
        inside it are not remembered. Runs are equal when their tokens joined with nothing are (`ab c` and `a bc`).
        """
        repeated = texts.ngrams[:, GRAM_REPEATED + n - REPEATED_SIZES.start]
        return quotient(repeated, texts.repetition[:, REP_CHARACTERS])

    return share


TOP = tuple(_top(n) for n in TOP_SIZES)
DUPLICATE = tuple(_duplicate(n) for n in REPEATED_SIZES)
