"""Texts with planted duplicates, made of words that nothing else has."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from curation.dedup.signature import WORDS
from curation.text.columns import batch_of
from curation.text.shingles import jaccard

LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyz"))


def words(count: int, seed: int) -> list[str]:
    """So many words of seven letters, hardly one of which comes twice."""
    drawn = LETTERS[np.random.default_rng(seed).integers(26, size=(count, 7))]
    return ["".join(letters) for letters in drawn]


def chain(documents: int, step: int = 8, length: int = 104) -> list[str]:
    """Texts each of which begins `step` words behind the one before: with 100 shingles 0.85 similar to that, 0.72 to the next."""
    row = words(step * documents + length, seed=1)
    return [" ".join(row[step * number : step * number + length]) for number in range(documents)]


def boilerplate(documents: int, length: int = 200) -> list[str]:
    """One page over and over, with another last word each time."""
    page, last = words(length, seed=2), words(documents, seed=3)
    return [" ".join([*page, word]) for word in last]


def true_jaccard(texts: Sequence[str]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """The Jaccard similarity of every pair of texts over runs of five words. Quadratic: for few texts."""
    shingles = batch_of(texts).shingles(WORDS)
    sets = np.split(shingles.hashes, shingles.offsets[1:-1])
    found = np.eye(len(texts))
    for one in range(len(texts)):
        for other in range(one):
            found[one, other] = found[other, one] = jaccard(sets[one], sets[other])
    return found
