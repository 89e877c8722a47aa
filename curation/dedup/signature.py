"""MinHash signatures, bit for bit those of datatrove, and what is kept of them.

A signature holds, for each of a number of permutations, the least value that it gives to a shingle of the document. Two
documents agree in one value with a probability that is their Jaccard similarity (Broder 1997).

    shingles ─► signature ─┬─► a key for each band, and for each finer one of later rounds: who meets whom
                           └─► agreement: the low byte of its first values, which tell how similar two documents are
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from curation.dedup.banding import Banding
from curation.dedup.kernels.band_keys import hash_bands
from curation.text.batch import Shingles, TextBatch
from curation.text.columns import batch_of
from curation.text.kernels.minhash import PRIME, least_values

BANDS = 14
ROWS = 8
WORDS = 5  # of a shingle
SEED = 1
VALUES = BANDS * ROWS  # what a signature has at least: the standard error of a similarity of 0.8 is then 0.038
AGREEMENT = 128  # values at most of which a byte is kept
PORTION = 1 << 24  # bytes of signatures that are there at a time

Signatures = npt.NDArray[np.uint64]
Present = npt.NDArray[np.bool_]


def signatures(
    texts: TextBatch | Sequence[str], bands: int = BANDS, rows: int = ROWS, words: int = WORDS, seed: int = SEED
) -> tuple[Signatures, Present]:
    """The signatures [texts, bands * rows] over runs of words, band after band, and which texts have one.

    A text of fewer than `words` words has none: its row is 0 and it is nobody's duplicate. Memory beyond the result: eight
    bytes a word. Source: datatrove 0.10.1, pipeline/dedup/minhash.py, `MinhashDedupSignature`.
    """
    batch = texts if isinstance(texts, TextBatch) else batch_of(texts)
    return minhash(batch.shingles(words), bands * rows, seed)


def minhash(shingles: Shingles, count: int, seed: int = SEED) -> tuple[Signatures, Present]:
    """The signatures [documents, count] over any shingles, and which documents have one; the row of another is 0.

    Signatures of two counts share no values but by chance: datatrove draws all factors before all addends.
    """
    values = np.zeros((len(shingles.offsets) - 1, count), np.uint64)
    least_values(shingles.hashes, shingles.offsets, *_permutations(count, seed), values)
    return values, np.diff(shingles.offsets) > 0


def signature_length(banding: Banding) -> int:
    """How many values a signature has whose agreement is looked at: those of the banding, and no fewer than VALUES."""
    return max(VALUES, banding.values)


def band_keys(signatures: Signatures, bands: int = BANDS, rows: int = ROWS) -> Signatures:
    """One key for each band, uint64[documents, bands], of the first bands * rows values."""
    if signatures.shape[1] < bands * rows:
        raise ValueError(f"{bands} bands of {rows} need more than {signatures.shape[1]} values")
    keys = np.empty((len(signatures), bands), np.uint64)
    hash_bands(np.require(signatures, np.uint64, ["C", "W"]), rows, keys)  # compiled for writable arrays alone
    return keys


def agreement(signatures: Signatures) -> npt.NDArray[np.uint8]:
    """The low bytes of the first AGREEMENT values, uint8[documents, values].

    Of values that differ one in 256 has the same byte all the same: a share p of equal bytes stands for a similarity of
    (p - 1/256) / (1 - 1/256). Source: Li and König 2010, b-bit minwise hashing.
    """
    return signatures[:, :AGREEMENT].astype(np.uint8)


class Signed(NamedTuple):
    """What is kept of the signatures of some documents; rows of documents that have none mean nothing.

    keys       uint64[documents, bands]
    fine_keys  uint64[documents, bands of later rounds], no columns if there are none
    agreement  uint8[documents, at most AGREEMENT]
    present    bool[documents]: whether the document has shingles
    """

    keys: Signatures
    fine_keys: Signatures
    agreement: npt.NDArray[np.uint8]
    present: Present


def sign(shingles: Shingles, count: int, banding: Banding, fine: Banding | None = None, seed: int = SEED) -> Signed:
    """What is kept of signatures of `count` values, of which PORTION bytes are there at a time."""
    documents, offsets = len(shingles.offsets) - 1, shingles.offsets
    keys = np.empty((documents, banding.bands), np.uint64)
    fine_keys = np.empty((documents, fine.bands if fine else 0), np.uint64)
    bytes_kept = np.empty((documents, min(count, AGREEMENT)), np.uint8)
    step = max(1, PORTION // (8 * count))
    for first in range(0, documents, step):
        rows = slice(first, first + step)
        part = offsets[first : first + step + 1]
        here = Shingles(shingles.hashes[part[0] : part[-1]], part - part[0])
        values, _ = minhash(here, count, seed)
        keys[rows] = band_keys(values, banding.bands, banding.rows)
        if fine is not None:
            fine_keys[rows] = band_keys(values, fine.bands, fine.rows)
        bytes_kept[rows] = agreement(values)
    return Signed(keys, fine_keys, bytes_kept, np.diff(offsets) > 0)


@functools.cache
def _permutations(count: int, seed: int) -> tuple[Signatures, Signatures]:
    """The factors and offsets, drawn as datatrove draws them."""
    generator = np.random.RandomState(seed)
    factors = generator.randint(1, PRIME, dtype=np.uint64, size=count)
    offsets = generator.randint(0, PRIME, dtype=np.uint64, size=count)
    return factors, offsets
