"""Measures of lines: how they begin and end, how long they are. Each published filter cuts lines in its own way."""

from __future__ import annotations

import numpy as np

from curation.quality import evidence
from curation.quality.measure import Floats, batch_measure, quotient
from curation.text.batch import TextBatch
from curation.text.kernels.lines import LINE_BEGINS_BULLET, LINE_ENDS_ELLIPSIS
from curation.text.kernels.repetition import REP_FILLED, REP_FILLED_SHORT, REP_FILLED_TERMINAL, REP_NEWLINES
from curation.text.kernels.words import COUNT_TOKENS

_GOPHER = "Rae et al. 2021 (Gopher), A1.1; datatrove 0.10.1, filters/gopher_quality_filter.py"
_FINEWEB = "Penedo et al. 2024 (FineWeb), 3.6; datatrove 0.10.1, filters/fineweb_quality_filter.py"
_C4 = "Xue et al. 2021 (mC4), 3.1; datatrove 0.10.1, filters/c4_filters.py, `C4ParagraphFilter`"


def share_of_lines(texts: TextBatch, mark: int) -> Floats:
    """Lines with a mark among all lines by every line end; undefined without lines."""
    lines = texts.lines
    marked = np.zeros(len(lines.facts) + 1, np.int64)
    np.cumsum((lines.bits & mark) != 0, out=marked[1:])
    return quotient(np.diff(marked[lines.offsets]), np.diff(lines.offsets))


@batch_measure(
    unit="share",
    range=(0.0, 1.0),
    source=_GOPHER,
    catches="menus and tables of contents",
    evidence=evidence.bullet_lines,
)
def bullet_line_share(texts: TextBatch) -> Floats:
    """Lines that begin with `•` or `-` after white space, among all lines; undefined without lines."""
    return share_of_lines(texts, LINE_BEGINS_BULLET)


@batch_measure(
    unit="share",
    range=(0.0, 1.0),
    source=_GOPHER,
    catches="search results whose texts are cut off",
    evidence=evidence.ellipsis_lines,
)
def ellipsis_line_share(texts: TextBatch) -> Floats:
    """Lines that end in `...` or `…` before white space, among all lines; undefined without lines."""
    return share_of_lines(texts, LINE_ENDS_ELLIPSIS)


@batch_measure(unit="lines", source=_FINEWEB, catches="a page of blanks")
def filled_lines(texts: TextBatch) -> Floats:
    """Lines that are not blank."""
    return texts.repetition[:, REP_FILLED].astype(np.float64)


@batch_measure(
    unit="share",
    range=(0.0, 1.0),
    source=_FINEWEB,
    catches="navigation, lists of products",
    evidence=evidence.unterminated_lines,
)
def terminal_punctuation_line_share(texts: TextBatch) -> Floats:
    """Lines whose very last character is a sentence mark of any script, among those not blank; undefined without such.

    Quotation marks, `…`, `:` and `;` end no line, and a mark before trailing white space does not count.
    """
    return quotient(texts.repetition[:, REP_FILLED_TERMINAL], texts.repetition[:, REP_FILLED])


@batch_measure(
    unit="share",
    range=(0.0, 1.0),
    source=_FINEWEB,
    catches="menus, tables laid out as lines",
    evidence=evidence.short_lines,
)
def short_line_share(texts: TextBatch) -> Floats:
    """Lines of at most 30 characters among those not blank; undefined without such."""
    return quotient(texts.repetition[:, REP_FILLED_SHORT], texts.repetition[:, REP_FILLED])


@batch_measure(unit="ratio", source=_FINEWEB, catches="one word a line", evidence=evidence.newlines)
def newlines_per_word(texts: TextBatch) -> Floats:
    r"""`\n` for each token; undefined without tokens."""
    return quotient(texts.repetition[:, REP_NEWLINES], texts.word_counts[:, COUNT_TOKENS])


@batch_measure(unit="characters", source=_C4, catches="pages without three long paragraphs")
def third_longest_line(texts: TextBatch) -> Floats:
    r"""Length of the third longest line by `\n`; 0 where there are fewer than three."""
    return texts.third_longest_lines.astype(np.float64)
