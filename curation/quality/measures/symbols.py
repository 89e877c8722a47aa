"""Measures of symbols that stand where words should."""

from __future__ import annotations

from curation.quality import evidence
from curation.quality.measure import Floats, batch_measure, quotient
from curation.text.batch import TextBatch
from curation.text.kernels.words import COUNT_ELLIPSES, COUNT_HASHES, COUNT_TOKENS

_SOURCE = "Rae et al. 2021 (Gopher), A1.1; datatrove 0.10.1, filters/gopher_quality_filter.py"


@batch_measure(unit="ratio", source=_SOURCE, catches="pages of hashtags", evidence=evidence.hashes)
def hashes_per_word(texts: TextBatch) -> Floats:
    """`#` characters for each token; undefined without tokens."""
    return quotient(texts.word_counts[:, COUNT_HASHES], texts.word_counts[:, COUNT_TOKENS])


@batch_measure(unit="ratio", source=_SOURCE, catches="lists of teasers that are cut off", evidence=evidence.ellipses)
def ellipses_per_word(texts: TextBatch) -> Floats:
    """`...` (not overlapping) and `…` for each token; undefined without tokens."""
    return quotient(texts.word_counts[:, COUNT_ELLIPSES], texts.word_counts[:, COUNT_TOKENS])
