"""MinHash signatures, bit for bit those of datatrove, and the keys by which bands meet.

A signature holds, for each of `bands` x `rows` permutations, the least value that it gives to a shingle of the
document. Two documents agree in one value with a probability that is their Jaccard similarity (Broder 1997).
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import xxhash

from curation.text import segmentation
from curation.text.segmentation import Text
from curation.text.shingles import shingle_hashes

BANDS = 14
ROWS = 8
WORDS = 5  # of a shingle
SEED = 1
_PRIME = np.uint64((1 << 61) - 1)  # a Mersenne prime
_SHIFT = np.uint64(61)
_BLOCK = 1_024  # shingles permuted at a time: 1 MB, what a core's second cache holds

Signatures = npt.NDArray[np.uint64]


def signatures(
    documents: Iterable[str | Text], bands: int = BANDS, rows: int = ROWS, words: int = WORDS, seed: int = SEED
) -> tuple[Signatures, npt.NDArray[np.bool_]]:
    """The signatures [documents, bands * rows], band after band, and which documents have one.

    A document of fewer than `words` words has none: its row is 0 and it is nobody's duplicate. Memory beyond the result
    is bounded for each document. Source: datatrove 0.10.1, pipeline/dedup/minhash.py, `MinhashDedupSignature`.
    """
    found = [_signature(shingle_hashes(_text(document), words), bands * rows, seed) for document in documents]
    present = np.array([values is not None for values in found], np.bool_)
    result = np.zeros((len(found), bands * rows), np.uint64)
    for row, values in zip(result, found, strict=True):
        if values is not None:
            row[:] = values
    return result, present


def band_keys(signatures: Signatures, bands: int = BANDS, rows: int = ROWS) -> npt.NDArray[np.uint64]:
    """One key for each band, [documents, bands]: xxh3-64 of its values, little endian, seeded with its number."""
    documents = len(signatures)
    values = np.ascontiguousarray(signatures.reshape(documents, bands, rows), "<u8")
    keys = np.empty((documents, bands), np.uint64)
    for document in range(documents):
        for band in range(bands):
            keys[document, band] = xxhash.xxh3_64_intdigest(values[document, band].tobytes(), seed=band)
    return keys


def _text(document: str | Text) -> Text:
    return document if isinstance(document, Text) else segmentation.Text(document)


def _signature(shingles: Signatures, permutations: int, seed: int) -> Signatures | None:
    """min over x of (a * x + b mod 2^64) mod (2^61 - 1): the product wraps around, as datatrove's does."""
    if not len(shingles):
        return None
    factors, offsets = _permutations(permutations, seed)
    least = np.full(permutations, np.iinfo(np.uint64).max, np.uint64)
    for start in range(0, len(shingles), _BLOCK):
        values = shingles[start : start + _BLOCK, None] * factors
        values += offsets
        high = values >> _SHIFT
        values &= _PRIME
        values += high  # the remainder, or the remainder plus the prime
        np.subtract(values, _PRIME, out=high)  # wraps to a large number where there is nothing to take off
        np.minimum(values, high, out=values)
        np.minimum(least, values.min(axis=0), out=least)
    return least


@functools.cache
def _permutations(count: int, seed: int) -> tuple[Signatures, Signatures]:
    """The factors and offsets, drawn as datatrove draws them."""
    generator = np.random.RandomState(seed)
    factors = generator.randint(1, _PRIME, dtype=np.uint64, size=count)
    offsets = generator.randint(0, _PRIME, dtype=np.uint64, size=count)
    return factors, offsets
