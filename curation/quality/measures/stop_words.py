"""Measures of the small words that running text cannot do without."""

from __future__ import annotations

from curation.quality.measure import measure
from curation.text.segmentation import Text

STOP_WORDS = frozenset({"the", "be", "to", "of", "and", "that", "have", "with"})


@measure(
    unit="words",
    range=(0.0, float(len(STOP_WORDS))),
    source="Rae et al. 2021 (Gopher), A1.1; datatrove 0.10.1, filters/gopher_quality_filter.py",
    catches="keyword lists, text all in capitals (`THE` does not count)",
)
def stop_words_present(text: Text) -> float:
    """How many of the eight English stop words occur, each counted once, lower case only."""
    return len(STOP_WORDS.intersection(text.word_counts))
