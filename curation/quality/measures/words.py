"""Measures of words: how many, how long, and how many of them are words at all.

A word is a token that has a character outside `SYMBOLS`; a token is what the segmentation gives, punctuation included.
"""

from __future__ import annotations

import numpy as np

from curation.quality import evidence
from curation.quality.measure import Floats, batch_measure, quotient
from curation.text.batch import TextBatch
from curation.text.kernels.ngrams import GRAM_DISTINCT
from curation.text.kernels.words import COUNT_LETTER_TOKENS, COUNT_TOKENS, COUNT_WORD_CHARACTERS, COUNT_WORDS

_SOURCE = "Rae et al. 2021 (Gopher), A1.1; datatrove 0.10.1, filters/gopher_quality_filter.py"


@batch_measure(unit="words", source=_SOURCE, catches="a page of a headline and a date")
def words(texts: TextBatch) -> Floats:
    """Words, not counting those that are symbols only."""
    return texts.word_counts[:, COUNT_WORDS].astype(np.float64)


@batch_measure(unit="characters", source=_SOURCE, catches="hexadecimal dumps, words run together")
def mean_word_length(texts: TextBatch) -> Floats:
    """Mean length of the words that are not symbols only; undefined without words."""
    return quotient(texts.word_counts[:, COUNT_WORD_CHARACTERS], texts.word_counts[:, COUNT_WORDS])


@batch_measure(
    unit="share",
    range=(0.0, 1.0),
    source=_SOURCE,
    catches="tables of figures, lists of prices, code",
    evidence=evidence.words_without_letters,
)
def alpha_word_share(texts: TextBatch) -> Floats:
    """Tokens with at least one letter among all tokens, punctuation marks included; undefined without tokens."""
    return quotient(texts.word_counts[:, COUNT_LETTER_TOKENS], texts.word_counts[:, COUNT_TOKENS])


@batch_measure(
    unit="share",
    range=(0.0, 1.0),
    source="Raffel et al. 2020 (T5), type-token ratio as in RedPajama v2, `rps_doc_frac_unique_words`",
    catches="one phrase repeated over a whole page",
    evidence=evidence.repeated_words,
)
def distinct_word_share(texts: TextBatch) -> Floats:
    """Distinct tokens among all tokens; falls with length, so compare texts of like length. Undefined without tokens."""
    return quotient(texts.ngrams[:, GRAM_DISTINCT], texts.word_counts[:, COUNT_TOKENS])


@batch_measure(unit="words", source="Python's `str.split`", catches="a page of a headline and a date")
def white_space_words(texts: TextBatch) -> Floats:
    """Runs without white space."""
    return texts.white_space_words.astype(np.float64)
