"""Signatures to and from datasketch, the reference library of MinHash.

A signature can be compared with another only if both come of the same shingles, hash function, permutations and seed; nothing
in its values tells whether they do. So there are two ways:

- `to_datasketch` hands over signatures as they are. datasketch then estimates similarities and indexes them (`MinHashLSH`) as it
  does its own, and `from_datasketch` takes them back. They agree with signatures of ours over the same shingling and number
  of values, and with nothing that datasketch computed itself: there similarities are near 0, without an error.
- `datasketch_minhashes` computes datasketch's own values from our shingles. They agree with an index that was made with
  datasketch, if that was fed with the same shingles and hashed them by xxh64, see there. An index over SHA-1, datasketch's
  default, can be queried only with the texts at hand.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from connectors.errors import UserError, missing_extra
from curation.dedup.signature import SEED, Present, Signatures
from curation.text.batch import Shingles

if TYPE_CHECKING:
    from datasketch import MinHash

Scheme = Literal["legacy", "affine32", "affine64"]
OURS: Scheme = "affine64"  # the scheme whose values are 64 bits; by its name they are kept apart from those of others
EXTRA = "parity"


def to_datasketch(signatures: Signatures, seed: int = SEED) -> list[MinHash]:
    """A `MinHash` for each row of uint64[documents, values], which must be of documents that have shingles.

    They may be compared, counted, merged and indexed among themselves; `update` would add what is hashed in another way. The
    seed is what datasketch compares before it compares values. Raises `UserError` if datasketch is not installed.
    """
    empty = _minhash(signatures.shape[1], seed, OURS)
    return [
        _minhash(len(row), seed, OURS, hashvalues=row, permutations=empty.permutations)
        for row in np.asarray(signatures, np.uint64)
    ]


def from_datasketch(minhashes: Sequence[MinHash]) -> Signatures:
    """The values, uint64[documents, values]. Raises `UserError` unless all have one length, seed and scheme."""
    kinds = {(len(each.hashvalues), each.seed, getattr(each, "scheme", "legacy")) for each in minhashes}
    if len(kinds) > 1:
        told = ", ".join(f"{length} values, seed {seed}, {scheme}" for length, seed, scheme in sorted(kinds))
        raise UserError(f"signatures of datasketch that cannot be compared with each other: {told}")
    values = np.zeros((len(minhashes), kinds.pop()[0] if kinds else 0), np.uint64)
    for row, each in enumerate(minhashes):
        values[row] = each.hashvalues
    return values


def datasketch_minhashes(
    shingles: Shingles, count: int = 128, seed: int = 1, scheme: Scheme = "affine64"
) -> tuple[list[MinHash], Present]:
    """datasketch's own `MinHash` of each document's shingles, by its own code, and which documents have shingles.

    They equal those of `MinHash(count, seed, scheme=…, hashfunc=…)` that was updated with each shingle in UTF-8, where the
    function is `xxhash.xxh64_intdigest` for affine64, and its low 32 bits for the others. About a microsecond a shingle. Raises
    `UserError` if datasketch is not installed, or is older than the scheme.
    """
    hashes = shingles.hashes if scheme == "affine64" else shingles.hashes & np.uint64(0xFFFFFFFF)
    empty = _minhash(count, seed, scheme, hashfunc=int)
    if getattr(empty, "scheme", "legacy") != scheme:
        raise UserError(f"datasketch has no scheme '{scheme}' before version 2: take 'legacy', or a newer datasketch")
    found = []
    for start, stop in zip(shingles.offsets[:-1], shingles.offsets[1:], strict=True):
        minhash = _minhash(count, seed, scheme, hashfunc=int, permutations=empty.permutations)
        if stop > start:
            minhash.update_batch(np.unique(hashes[start:stop]).tolist())
        found.append(minhash)
    return found, np.diff(shingles.offsets) > 0


def _minhash(values: int, seed: int, scheme: Scheme, **given: Any) -> MinHash:
    """A `MinHash` under a scheme; before version 2 there was one only, and no name for it."""
    try:
        from datasketch import MinHash
    except ModuleNotFoundError:
        raise missing_extra("datasketch", EXTRA) from None
    if "scheme" in inspect.signature(MinHash).parameters:
        given["scheme"] = scheme
    minhash: MinHash = MinHash(num_perm=values, seed=seed, **given)
    return minhash
