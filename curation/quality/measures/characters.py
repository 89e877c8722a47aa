"""Measures of the bare text."""

from __future__ import annotations

import numpy as np

from curation.quality.measure import Floats, batch_measure
from curation.text.batch import TextBatch
from curation.text.kernels.repetition import REP_CHARACTERS


@batch_measure(
    unit="characters",
    source="datatrove 0.10.1, filters/gopher_repetition_filter.py, `if not text`",
    catches="a page whose extraction left nothing",
)
def characters(texts: TextBatch) -> Floats:
    """Unicode characters, white space included."""
    return texts.repetition[:, REP_CHARACTERS].astype(np.float64)
