"""Where the words stand in a text that a tokenizer gave as strings only."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

FARTHEST = 1_000  # visible characters that are searched for a word, and so bound the time
SKIPPED = 64  # visible characters that a tokenizer may have left out between two words

Span = tuple[int, int]


def aligned(string: str, words: Sequence[str]) -> list[Span]:
    """One (start, stop) a word, in order, found from left to right. White space is left out of the comparison.

    A word that is not there as it is written, because the tokenizer rewrites characters, gets a place all the same: such
    words share the stretch between the words found before and behind them, by their lengths. So the number of words is
    always right; a place may be a few characters off, or empty.
    """
    visible = [place for place, character in enumerate(string) if not character.isspace()]
    squeezed = "".join(string.split())
    found: list[Span] = []
    lost: list[int] = []  # lengths of the words not found since the last that was
    end = 0
    for word in ("".join(word.split()) for word in words):
        start = _find(squeezed, word, end, sum(lost))
        if start < 0:
            lost.append(len(word))
            continue
        found += [*_shared(end, start, lost), (start, start + len(word))]
        lost, end = [], start + len(word)
    found += _shared(end, min(end + sum(lost), len(squeezed)), lost)
    return [_place(visible, len(string), span) for span in found]


def _find(squeezed: str, word: str, end: int, behind: int) -> int:
    """Where a word begins at or behind `end`; `behind` characters of words not found may lie between. -1: nowhere."""
    if not behind and squeezed.startswith(word, end):
        return end
    return squeezed.find(word, end, end + min(behind + SKIPPED, FARTHEST) + len(word)) if word else -1


def _shared(start: int, stop: int, lengths: Sequence[int]) -> list[Span]:
    """A stretch cut into one part a word, by their lengths."""
    total = sum(lengths) or 1
    cuts = [start + (stop - start) * part // total for part in accumulate(lengths, initial=0)]
    return list(zip(cuts[:-1], cuts[1:], strict=True))


def _place(visible: Sequence[int], length: int, span: Span) -> Span:
    """A span of the squeezed text in the text itself."""
    start, stop = span
    first = visible[start] if start < len(visible) else length
    return first, (visible[stop - 1] + 1 if stop > start else first)
