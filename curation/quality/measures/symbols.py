"""Measures of symbols that stand where words should."""

from __future__ import annotations

from curation.quality.measure import measure
from curation.text.segmentation import Text

_SOURCE = "Rae et al. 2021 (Gopher), A1.1; datatrove 0.10.1, filters/gopher_quality_filter.py"


@measure(unit="ratio", source=_SOURCE, catches="pages of hashtags")
def hashes_per_word(text: Text) -> float | None:
    """`#` characters for each token; None without tokens."""
    return text.string.count("#") / len(text.words) if text.words else None


@measure(unit="ratio", source=_SOURCE, catches="lists of teasers that are cut off")
def ellipses_per_word(text: Text) -> float | None:
    """`...` (not overlapping) and `…` for each token; None without tokens."""
    return (text.string.count("...") + text.string.count("…")) / len(text.words) if text.words else None
