"""Measures of words by white space, as Dolma and DCLM cut them: a mark stays with the word that it follows."""

from __future__ import annotations

from curation.quality.measure import Floats, batch_measure, quotient
from curation.text.batch import TextBatch
from curation.text.kernels.words import COUNT_ELLIPSES, COUNT_HASHES
from curation.text.white_space_words import white_space_words

_DOLMA = "Soldaini et al. 2024 (Dolma); allenai/dolma 669f534, python/dolma/taggers/gopher.py"
_DCLM = "Li et al. 2024 (DataComp-LM); mlfoundations/dclm 361714b, baselines/mappers/filters/content_filters.py"


@batch_measure(unit="characters", source=_DOLMA, catches="hexadecimal dumps, text in a script without blanks")
def median_white_space_word_length(texts: TextBatch) -> Floats:
    """Median length of the words, marks included; undefined without words."""
    return white_space_words(texts).median_lengths


@batch_measure(unit="characters", source=_DCLM, catches="hexadecimal dumps, text in a script without blanks")
def mean_white_space_word_length(texts: TextBatch) -> Floats:
    """Mean length of the words, marks included; undefined without words."""
    found = white_space_words(texts)
    return quotient(found.characters, found.words)


@batch_measure(unit="share", range=(0.0, 1.0), source=_DOLMA, catches="tables of figures, lists of prices")
def alpha_white_space_word_share(texts: TextBatch) -> Floats:
    """Words with at least one letter among all words; undefined without words."""
    found = white_space_words(texts)
    return quotient(found.letter_words, found.words)


@batch_measure(
    unit="share", range=(0.0, 1.0), source=_DOLMA, catches="pages of hashtags, lists of teasers that are cut off"
)
def symbol_white_space_word_share(texts: TextBatch) -> Floats:
    """Words that have a `#` or `…` among all words; three dots are none. Undefined without words."""
    found = white_space_words(texts)
    return quotient(found.symbol_words, found.words)


@batch_measure(unit="words", source=_DOLMA, catches="keyword lists, text all in capitals (`THE` does not count)")
def stop_word_occurrences(texts: TextBatch) -> Floats:
    """Words that are one of the eight English stop words, each time that it occurs, lower case only."""
    return white_space_words(texts).stop_words.astype(float)


@batch_measure(unit="words", source=_DCLM, catches="keyword lists")
def stop_word_occurrences_in_any_case(texts: TextBatch) -> Floats:
    """Words that are one of the eight English stop words, each time that it occurs, capitals or not."""
    return white_space_words(texts).stop_words_any_case.astype(float)


@batch_measure(unit="ratio", source=_DCLM, catches="pages of hashtags, lists of teasers that are cut off")
def symbols_per_white_space_word(texts: TextBatch) -> Floats:
    """`#`, `...` (not overlapping) and `…` for each word; undefined without words. DCLM counts `. . .`, too."""
    counts = texts.word_counts
    return quotient(counts[:, COUNT_HASHES] + counts[:, COUNT_ELLIPSES], white_space_words(texts).words)
