"""Measures of the bare text."""

from __future__ import annotations

from curation.quality.measure import measure
from curation.text.segmentation import Text


@measure(
    unit="characters",
    source="datatrove 0.10.1, filters/gopher_repetition_filter.py, `if not text`",
    catches="a page whose extraction left nothing",
)
def characters(text: Text) -> float:
    """Unicode characters, white space included."""
    return len(text.string)
