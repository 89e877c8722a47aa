"""Measures of sentences."""

from __future__ import annotations

from curation.quality.measure import measure
from curation.text.segmentation import Text

_SOURCE = "spaCy 3.8.18, pipeline/sentencizer.pyx"


@measure(unit="sentences", range=(1.0, float("inf")), source=_SOURCE, catches="captions and titles")
def sentences(text: Text) -> float:
    """Sentences; the empty text is one."""
    return len(text.sentences)


@measure(unit="words", source=_SOURCE, catches="lists without sentence marks, text run together")
def mean_sentence_length(text: Text) -> float | None:
    """Tokens for each sentence; None without tokens."""
    return len(text.words) / len(text.sentences) if text.words else None
