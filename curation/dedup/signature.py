"""MinHash signatures, bit for bit those of datatrove, and the keys by which bands meet.

A signature holds, for each of `bands` x `rows` permutations, the least value that it gives to a shingle of the
document. Two documents agree in one value with a probability that is their Jaccard similarity (Broder 1997).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import xxhash

from curation.text.batch import TextBatch
from curation.text.columns import batch_of
from curation.text.kernels.minhash import PRIME, least_values

BANDS = 14
ROWS = 8
WORDS = 5  # of a shingle
SEED = 1

Signatures = npt.NDArray[np.uint64]


def signatures(
    texts: TextBatch | Sequence[str], bands: int = BANDS, rows: int = ROWS, words: int = WORDS, seed: int = SEED
) -> tuple[Signatures, npt.NDArray[np.bool_]]:
    """The signatures [texts, bands * rows], band after band, and which texts have one.

    A text of fewer than `words` words has none: its row is 0 and it is nobody's duplicate. Memory beyond the result: eight
    bytes a word. Source: datatrove 0.10.1, pipeline/dedup/minhash.py, `MinhashDedupSignature`.
    """
    batch = texts if isinstance(texts, TextBatch) else batch_of(texts)
    shingles = batch.shingles(words)
    values = np.zeros((len(batch), bands * rows), np.uint64)
    least_values(shingles.hashes, shingles.offsets, *_permutations(bands * rows, seed), values)
    return values, np.diff(shingles.offsets) > 0


def band_keys(signatures: Signatures, bands: int = BANDS, rows: int = ROWS) -> npt.NDArray[np.uint64]:
    """One key for each band, [documents, bands]: xxh3-64 of its values, little endian, seeded with its number."""
    documents = len(signatures)
    values = np.ascontiguousarray(signatures.reshape(documents, bands, rows), "<u8")
    keys = np.empty((documents, bands), np.uint64)
    for document in range(documents):
        for band in range(bands):
            keys[document, band] = xxhash.xxh3_64_intdigest(values[document, band].tobytes(), seed=band)
    return keys


@functools.cache
def _permutations(count: int, seed: int) -> tuple[Signatures, Signatures]:
    """The factors and offsets, drawn as datatrove draws them."""
    generator = np.random.RandomState(seed)
    factors = generator.randint(1, PRIME, dtype=np.uint64, size=count)
    offsets = generator.randint(0, PRIME, dtype=np.uint64, size=count)
    return factors, offsets
