"""Measures of sentences."""

from __future__ import annotations

import numpy as np

from curation.quality.measure import Floats, batch_measure, quotient
from curation.text.batch import TextBatch
from curation.text.kernels.words import COUNT_TOKENS

_SOURCE = "spaCy 3.8.18, pipeline/sentencizer.pyx"


@batch_measure(unit="sentences", range=(1.0, float("inf")), source=_SOURCE, catches="captions and titles")
def sentences(texts: TextBatch) -> Floats:
    """Sentences; the empty text is one."""
    return texts.sentences.astype(np.float64)


@batch_measure(unit="words", source=_SOURCE, catches="lists without sentence marks, text run together")
def mean_sentence_length(texts: TextBatch) -> Floats:
    """Tokens for each sentence; undefined without tokens."""
    tokens = texts.word_counts[:, COUNT_TOKENS]
    return np.where(tokens > 0, quotient(tokens, texts.sentences), np.nan)
