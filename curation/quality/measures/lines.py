"""Measures of lines: how they begin and end, how long they are. Each published filter cuts lines in its own way."""

from __future__ import annotations

from curation.quality.measure import measure
from curation.text.punctuation import TERMINAL_PUNCTUATION
from curation.text.segmentation import Text

_GOPHER = "Rae et al. 2021 (Gopher), A1.1; datatrove 0.10.1, filters/gopher_quality_filter.py"
_FINEWEB = "Penedo et al. 2024 (FineWeb), 3.6; datatrove 0.10.1, filters/fineweb_quality_filter.py"
_C4 = "Xue et al. 2021 (mC4), 3.1; datatrove 0.10.1, filters/c4_filters.py, `C4ParagraphFilter`"
_TERMINAL = tuple(sorted(TERMINAL_PUNCTUATION))
_SHORT = 30  # characters


@measure(unit="share", range=(0.0, 1.0), source=_GOPHER, catches="menus and tables of contents")
def bullet_line_share(text: Text) -> float | None:
    """Lines that begin with `•` or `-` after white space, among all lines; None without lines."""
    lines = text.lines
    return sum(line.lstrip().startswith(("•", "-")) for line in lines) / len(lines) if lines else None


@measure(unit="share", range=(0.0, 1.0), source=_GOPHER, catches="search results whose texts are cut off")
def ellipsis_line_share(text: Text) -> float | None:
    """Lines that end in `...` or `…` before white space, among all lines; None without lines."""
    lines = text.lines
    return sum(line.rstrip().endswith(("...", "…")) for line in lines) / len(lines) if lines else None


@measure(unit="lines", source=_FINEWEB, catches="a page of blanks")
def filled_lines(text: Text) -> float:
    """Lines that are not blank."""
    return len(text.filled_lines)


@measure(unit="share", range=(0.0, 1.0), source=_FINEWEB, catches="navigation, lists of products")
def terminal_punctuation_line_share(text: Text) -> float | None:
    """Lines whose very last character is a sentence mark of any script, among those not blank; None without such.

    Quotation marks, `…`, `:` and `;` end no line, and a mark before trailing white space does not count.
    """
    lines = text.filled_lines
    return sum(line.endswith(_TERMINAL) for line in lines) / len(lines) if lines else None


@measure(unit="share", range=(0.0, 1.0), source=_FINEWEB, catches="menus, tables laid out as lines")
def short_line_share(text: Text) -> float | None:
    """Lines of at most 30 characters among those not blank; None without such."""
    lines = text.filled_lines
    return sum(len(line) <= _SHORT for line in lines) / len(lines) if lines else None


@measure(unit="ratio", source=_FINEWEB, catches="one word a line")
def newlines_per_word(text: Text) -> float | None:
    r"""`\n` for each token; None without tokens."""
    return text.string.count("\n") / len(text.words) if text.words else None


@measure(unit="characters", source=_C4, catches="pages without three long paragraphs")
def third_longest_line(text: Text) -> float:
    r"""Length of the third longest line by `\n`; 0 where there are fewer than three."""
    lengths = sorted(map(len, text.string.split("\n")), reverse=True)
    return lengths[2] if len(lengths) > 2 else 0
