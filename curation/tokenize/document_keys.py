"""Keyed hashes of documents: the order of a shard, and which documents are held out, are drawn by them.

A key is 64 bits of 16 others (a document's id, a hash of its address) and of the recipe's seed: the same on every machine, and
without regard to what other documents there are. The mixing is the finaliser of splitmix64 (Steele, Lea and Flood, "Fast
Splittable Pseudorandom Number Generators", 2014).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

ORDER, PART = 1, 2  # what a key is for: keys of two purposes know nothing of each other
KEYS = 1 << 64  # a key is below

Ids = npt.NDArray[np.void]  # of 16 bytes
Keys = npt.NDArray[np.uint64]

_GOLDEN = 0x9E3779B97F4A7C15


def document_keys(ids: Ids, seed: int, purpose: int) -> Keys:
    """The keys of ids of 16 bytes."""
    words: npt.NDArray[Any] = np.ascontiguousarray(ids).view("<u8").reshape(-1, 2).astype(np.uint64)
    start = _mixed(np.array([(seed + purpose * _GOLDEN) % KEYS], np.uint64))
    return _mixed(_mixed(words[:, 0] ^ start) + words[:, 1])


def _mixed(words: Keys) -> Keys:
    """A bijection of 64-bit words. Takes arrays, not scalars: it relies on wrapping round."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def ids_of(column: pa.Array) -> Ids:
    """A column of 16 bytes a row as an array. No copy."""
    if not len(column):
        return np.zeros(0, "V16")
    return np.frombuffer(column.buffers()[1], "V16", len(column), 16 * column.offset)


def id_column(ids: Ids) -> pa.Array:
    """An array of ids as a column of 16 bytes a row."""
    return pa.Array.from_buffers(pa.binary(16), len(ids), [None, pa.py_buffer(np.ascontiguousarray(ids).tobytes())])
