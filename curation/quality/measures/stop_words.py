"""Measures of stop words: text that somebody wrote has them."""

from __future__ import annotations

import numpy as np

from curation.quality.measure import Floats, batch_measure
from curation.text.batch import TextBatch
from curation.text.kernels.chunks import STOP_WORDS
from curation.text.kernels.words import COUNT_STOP_WORDS


@batch_measure(
    unit="words",
    range=(0.0, float(len(STOP_WORDS))),
    source="Rae et al. 2021 (Gopher), A1.1; datatrove 0.10.1, filters/gopher_quality_filter.py",
    catches="keyword lists, text all in capitals (`THE` does not count)",
)
def stop_words_present(texts: TextBatch) -> Floats:
    """How many of the eight English stop words occur, each counted once, lower case only."""
    return texts.word_counts[:, COUNT_STOP_WORDS].astype(np.float64)
