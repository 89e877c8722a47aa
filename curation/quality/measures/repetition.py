"""Measures of repetition: lines, paragraphs and runs of words that come again.

The first of a kind is free, every further one counts. Shares of characters are of the whole text, white space included,
except in `repeated_line_character_share`, which leaves newlines out.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate

from curation.quality.measure import Measure, measure
from curation.text.segmentation import Text

_GOPHER = "Rae et al. 2021 (Gopher), table A1; datatrove 0.10.1, filters/gopher_repetition_filter.py"
_HEAD = 16  # characters by which runs of words are compared first


def _repeated(parts: Sequence[str]) -> int:
    """Parts that have come before."""
    return len(parts) - len(set(parts))


def _repeated_characters(parts: Sequence[str]) -> int:
    """Characters of the parts that have come before."""
    return sum(map(len, parts)) - sum(map(len, set(parts)))


@measure(unit="share", range=(0.0, 1.0), source=_GOPHER, catches="the same notice before every post of a forum")
def duplicate_paragraph_share(text: Text) -> float:
    """Paragraphs that have come before, among all."""
    return _repeated(text.paragraphs) / len(text.paragraphs)


@measure(unit="share", range=(0.0, 1.0), source=_GOPHER, catches="an article that stands twice on its page")
def duplicate_paragraph_character_share(text: Text) -> float | None:
    """Characters of paragraphs that have come before, among all characters; None for the empty text."""
    return _repeated_characters(text.paragraphs) / len(text.string) if text.string else None


@measure(unit="share", range=(0.0, 1.0), source=_GOPHER, catches="`Reply` and `Share` under every comment")
def duplicate_line_share(text: Text) -> float:
    r"""Lines that have come before, among all lines between runs of `\n`.

    A text that begins and ends with a newline has two equal empty lines.
    """
    return _repeated(text.newline_lines) / len(text.newline_lines)


@measure(unit="share", range=(0.0, 1.0), source=_GOPHER, catches="the same disclaimer under every entry")
def duplicate_line_character_share(text: Text) -> float | None:
    r"""Characters of lines (between runs of `\n`) that have come before, among all; None for the empty text."""
    return _repeated_characters(text.newline_lines) / len(text.string) if text.string else None


@measure(
    unit="share",
    range=(0.0, 1.0),
    source="Penedo et al. 2024 (FineWeb), 3.6; datatrove 0.10.1, filters/fineweb_quality_filter.py",
    catches="boilerplate lines between the paragraphs of a page",
)
def repeated_line_character_share(text: Text) -> float | None:
    r"""Characters of lines (between single `\n`, not blank) that have come before, among all but `\n`.

    None for a text without any other character.
    """
    characters = len(text.string) - text.string.count("\n")
    return _repeated_characters(text.filled_lines) / characters if characters else None


def _top_share(text: Text, n: int) -> float | None:
    """Length times frequency of the most frequent run of n tokens; of equally frequent ones, the first counts."""
    runs = len(text.words) - n + 1
    if runs < 1:
        return None
    joined = " ".join(text.words)
    starts = list(accumulate((len(word) + 1 for word in text.words), initial=0))
    counts = Counter([joined[a : b - 1] for a, b in zip(starts[:runs], starts[n:], strict=True)])
    run = max(counts, key=counts.__getitem__)
    return len(run) * counts[run] / len(text.string)


def _top(n: int) -> Measure:
    @measure(
        name=f"top_{n}_gram_share",
        unit="ratio",
        source=_GOPHER,
        catches=f"a phrase of {n} words stuffed into every sentence; also texts of a handful of words",
    )
    def share(text: Text) -> float | None:
        return _top_share(text, n)

    return share


def _duplicate_share(text: Text, n: int) -> float | None:
    """Characters of runs of n tokens that have come before, among all characters; None for the empty text.

    From the left, without overlap: behind a repeated run the search goes on n tokens further, and the runs that start
    inside it are not remembered. Runs are equal when their tokens joined with nothing are (`ab c` and `a bc`).
    """
    if not text.string:
        return None
    joined, starts, repeated = _repeated_starts(text)
    seen: set[str] = set()
    characters = free = 0
    for index in _candidates(starts, repeated, n):
        if index < free:
            continue
        run = joined[starts[index] : starts[index + n]]
        if run in seen:
            characters += len(run)
            free = index + n
        else:
            seen.add(run)
    return characters / len(text.string)


def _candidates(starts: Sequence[int], repeated: Sequence[int], n: int) -> list[int]:
    """Where a run of n tokens may equal another one, in order: its first `_HEAD` characters recur, or it has fewer."""
    last = len(starts) - n
    short = [index for index in range(last) if starts[index + n] - starts[index] < _HEAD]
    return sorted({*short, *(index for index in repeated if index < last)})


@functools.lru_cache(maxsize=1)  # six measures in a row ask for the same text
def _repeated_starts(text: Text) -> tuple[str, list[int], list[int]]:
    """The tokens joined with nothing, where each starts, and those at which the next characters stand elsewhere too."""
    joined = "".join(text.words)
    starts = list(accumulate(map(len, text.words), initial=0))
    heads = [joined[start : start + _HEAD] for start in starts[:-1]]
    counts = Counter(heads)
    return joined, starts, [index for index, head in enumerate(heads) if counts[head] > 1]


def _duplicate(n: int) -> Measure:
    @measure(
        name=f"duplicate_{n}_gram_share",
        unit="share",
        range=(0.0, 1.0),
        source=_GOPHER,
        catches=f"sentences made from a template, {n} words of which stay the same",
    )
    def share(text: Text) -> float | None:
        return _duplicate_share(text, n)

    return share


TOP = tuple(_top(n) for n in (2, 3, 4))
DUPLICATE = tuple(_duplicate(n) for n in (5, 6, 7, 8, 9, 10))
