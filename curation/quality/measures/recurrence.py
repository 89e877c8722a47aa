r"""Measures of repetition in which every copy counts, the first included, as Dolma has them. Lines lie between runs of `\n`.

Where each further copy counts only, as in Gopher's table, are the measures of `repetition`. Words are cut by white space,
and shares of characters are of those in words.
"""

from __future__ import annotations

import numpy as np

from curation.quality.measure import Floats, Measure, batch_measure, quotient
from curation.text.batch import TextBatch
from curation.text.kernels.recurrence import (
    BULLET_LINES,
    ELLIPSIS_LINES,
    LINES,
    RECURRING_LINE_CHARACTERS,
    RECURRING_LINES,
    RUN_ALL,
    RUN_RECURRING,
    RUN_TOP,
)
from curation.text.white_space_words import recurring_lines, white_space_words

_DOLMA = "Soldaini et al. 2024 (Dolma); allenai/dolma 669f534, python/dolma/taggers/gopher.py"
TOP_SIZES, RECURRING_SIZES = range(2, 5), range(5, 11)


@batch_measure(unit="share", range=(0.0, 1.0), source=_DOLMA, catches="menus and tables of contents")
def asterisk_bullet_line_share(texts: TextBatch) -> Floats:
    """Lines whose first character is `*` or `-`, among all lines."""
    lines = recurring_lines(texts)
    return quotient(lines[:, BULLET_LINES], lines[:, LINES])


@batch_measure(unit="share", range=(0.0, 1.0), source=_DOLMA, catches="search results whose texts are cut off")
def ellipsis_character_line_share(texts: TextBatch) -> Floats:
    """Lines whose last character is `…`, among all lines; three dots are none."""
    lines = recurring_lines(texts)
    return quotient(lines[:, ELLIPSIS_LINES], lines[:, LINES])


@batch_measure(unit="share", range=(0.0, 1.0), source=_DOLMA, catches="`Reply` and `Share` under every comment")
def recurring_line_share(texts: TextBatch) -> Floats:
    """Lines that stand there more than once, all copies, among all lines."""
    lines = recurring_lines(texts)
    return quotient(lines[:, RECURRING_LINES], lines[:, LINES])


@batch_measure(unit="ratio", source=_DOLMA, catches="the same disclaimer under every entry")
def recurring_line_character_ratio(texts: TextBatch) -> Floats:
    """Characters of lines that stand there more than once, blanks included, by the characters in words; may pass 1.

    Undefined without words.
    """
    return quotient(recurring_lines(texts)[:, RECURRING_LINE_CHARACTERS], white_space_words(texts).characters)


def _top(n: int) -> Measure:
    @batch_measure(
        name=f"top_{n}_white_space_gram_share",
        unit="ratio",
        source=_DOLMA,
        catches=f"a phrase of {n} words stuffed into every sentence; also texts of a handful of words",
    )
    def share(texts: TextBatch) -> Floats:
        """Characters of the most frequent run of n words, without blanks, times its frequency, by the characters in words.

        Of equally frequent ones the first counts; once is enough. Undefined for fewer than n words.
        """
        found = white_space_words(texts)
        values = quotient(found.runs[:, RUN_TOP + n - TOP_SIZES.start], found.characters)
        return np.where(found.words >= n, values, np.nan)

    return share


def _recurring(n: int) -> Measure:
    @batch_measure(
        name=f"recurring_{n}_gram_share",
        unit="share",
        range=(0.0, 1.0),
        source=_DOLMA,
        catches=f"sentences made from a template, {n} words of which stay the same",
    )
    def share(texts: TextBatch) -> Floats:
        """Characters of runs of n words that stand there more than once, all copies, by those of all runs of n words.

        Runs overlap, so that a character counts in up to n of them, above as below. Undefined for fewer than n words.
        """
        runs, place = white_space_words(texts).runs, n - RECURRING_SIZES.start
        return quotient(runs[:, RUN_RECURRING + place], runs[:, RUN_ALL + place])

    return share


TOP = tuple(_top(n) for n in TOP_SIZES)
RECURRING = tuple(_recurring(n) for n in RECURRING_SIZES)
