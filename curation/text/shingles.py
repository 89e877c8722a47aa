"""Shingles: the runs of consecutive words of a text's normal form, as 64-bit hashes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from curation.text.columns import batch_of
from curation.text.segmentation import Text

Hashes = npt.NDArray[np.uint64]


def shingle_hashes(text: Text, words: int = 5) -> Hashes:
    """xxh64 (seed 0) of every run of `words` normalised words joined by blanks, in order, repetitions included.

    Empty where the text has fewer words. Source: datatrove 0.10.1, pipeline/dedup/minhash.py, `get_shingles`.
    """
    hashes: Hashes = batch_of([text.string]).shingles(words).hashes
    return hashes


def jaccard(a: Hashes, b: Hashes) -> float:
    """The Jaccard similarity of two sets of shingles, 0 to 1; 0 where both are empty."""
    a, b = np.unique(a), np.unique(b)
    shared = len(np.intersect1d(a, b, assume_unique=True))
    union = len(a) + len(b) - shared
    return shared / union if union else 0.0
