"""Measures of words: how many, how long, and how many of them are words at all.

A word is a token that has a character outside `SYMBOLS`; a token is what the segmentation gives, punctuation included.
"""

from __future__ import annotations

from curation.quality.measure import measure
from curation.text.punctuation import SYMBOLS
from curation.text.segmentation import Text

_SOURCE = "Rae et al. 2021 (Gopher), A1.1; datatrove 0.10.1, filters/gopher_quality_filter.py"


@measure(unit="words", source=_SOURCE, catches="a page of a headline and a date")
def words(text: Text) -> float:
    """Words, not counting those that are symbols only."""
    return sum(count for word, count in text.word_counts.items() if not SYMBOLS.issuperset(word))


@measure(unit="characters", source=_SOURCE, catches="hexadecimal dumps, words run together")
def mean_word_length(text: Text) -> float | None:
    """Mean length of the words that are not symbols only; None without words."""
    counts = [(len(word), count) for word, count in text.word_counts.items() if not SYMBOLS.issuperset(word)]
    total = sum(count for _, count in counts)
    return sum(length * count for length, count in counts) / total if total else None


@measure(unit="share", range=(0.0, 1.0), source=_SOURCE, catches="tables of figures, lists of prices, code")
def alpha_word_share(text: Text) -> float | None:
    """Tokens with at least one letter among all tokens, punctuation marks included; None without tokens."""
    if not text.words:
        return None
    return sum(count for word, count in text.word_counts.items() if _has_letter(word)) / len(text.words)


def _has_letter(word: str) -> bool:
    return word.isalpha() or any(map(str.isalpha, word))


@measure(
    unit="share",
    range=(0.0, 1.0),
    source="Raffel et al. 2020 (T5), type-token ratio as in RedPajama v2, `rps_doc_frac_unique_words`",
    catches="one phrase repeated over a whole page",
)
def distinct_word_share(text: Text) -> float | None:
    """Distinct tokens among all tokens; falls with length, so compare texts of like length. None without tokens."""
    return len(text.word_counts) / len(text.words) if text.words else None
