"""Shingles: the runs of consecutive words of a text's normal form, as 64-bit hashes."""

from __future__ import annotations

from itertools import accumulate

import numpy as np
import numpy.typing as npt
import xxhash

from curation.text.normalize import normalized
from curation.text.segmentation import Text

Hashes = npt.NDArray[np.uint64]


def shingle_hashes(text: Text, words: int = 5) -> Hashes:
    """xxh64 (seed 0) of every run of `words` normalised words joined by blanks, in order, repetitions included.

    Empty where the text has fewer words. Source: datatrove 0.10.1, pipeline/dedup/minhash.py, `get_shingles`.
    """
    normal = Text(normalized(text.string)).words
    runs = len(normal) - words + 1
    if runs < 1:
        return np.zeros(0, np.uint64)
    joined = " ".join(normal)
    starts = list(accumulate((len(word) + 1 for word in normal), initial=0))
    digest = xxhash.xxh64_intdigest
    if joined.isascii():
        data = joined.encode()
        spans = zip(starts[:runs], starts[words:], strict=True)
        return np.fromiter((digest(data[a : b - 1]) for a, b in spans), np.uint64, runs)
    spans = zip(starts[:runs], starts[words:], strict=True)
    return np.fromiter((digest(joined[a : b - 1].encode()) for a, b in spans), np.uint64, runs)


def jaccard(a: Hashes, b: Hashes) -> float:
    """The Jaccard similarity of two sets of shingles, 0 to 1; 0 where both are empty."""
    a, b = np.unique(a), np.unique(b)
    shared = len(np.intersect1d(a, b, assume_unique=True))
    union = len(a) + len(b) - shared
    return shared / union if union else 0.0
