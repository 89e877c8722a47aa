"""Sketches: enough of a text's shingles to tell how similar two texts are, in at most 4 kB each.

A sketch is the smallest SKETCH of the distinct 32-bit hashes of a text's shingles. Shingles are what `shingles.py` gives, and a
hash the high half of theirs. Two texts whose shingles all fit have their true Jaccard similarity, but for one pair of shingles
in four thousand million that share a hash; two longer ones an estimate with a standard error of at most 0.016.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.dedup.kernels import read_only
from curation.dedup.kernels.sketches import DIGITS, compare_pairs, sketch_documents
from curation.text.batch import Shingles
from curation.text.kernels.compiling import Int64s

SKETCH = 1024

Hashes = npt.NDArray[np.uint32]


class Sketches(NamedTuple):
    """Of document d: values[offsets[d]:offsets[d + 1]], ascending, each once."""

    values: Hashes
    offsets: Int64s


def sketches(shingles: Shingles, size: int = SKETCH) -> Sketches:
    """The sketches of documents, by their shingles. Memory: eight bytes for each shingle of the largest document."""
    counts = np.diff(shingles.offsets)
    scratch = np.empty((2, int(counts.max(initial=0))), np.uint32)
    values = np.empty(int(np.minimum(counts, size).sum()), np.uint32)
    bounds = np.zeros(len(counts) + 1, np.int64)
    digits = np.zeros(DIGITS, np.int64)
    sketch_documents(shingles.hashes, shingles.offsets, size, scratch, digits, values, bounds)
    return Sketches(values[: bounds[-1]].copy(), bounds)


def as_binary(found: Sketches) -> pa.Array:
    """Sketches as an Arrow column of binaries. No copy."""
    offsets = pa.py_buffer(np.ascontiguousarray(found.offsets * 4))
    values = pa.py_buffer(np.ascontiguousarray(found.values))
    return pa.Array.from_buffers(pa.large_binary(), len(found.offsets) - 1, [None, offsets, values])


def sketch_jaccard(a: Hashes, b: Hashes, size: int = SKETCH) -> float:
    """The Jaccard similarity of the texts of two sketches, 0 to 1; 0 if both are empty.

    Exact if both have fewer than `size` hashes; else the share of common ones among the `size` smallest of both. Source:
    Bar-Yossef et al. 2002, Counting distinct elements in a data stream; Beyer et al. 2007, 5.
    """
    both = Sketches(np.concatenate([a, b]).astype(np.uint32), np.array([0, len(a), len(a) + len(b)]))
    return float(sketch_jaccards(both, np.array([0]), np.array([1]), size)[0])


def sketch_jaccards(
    sketches: Sketches, first: Int64s, second: Int64s, size: int = SKETCH, theirs: Sketches | None = None
) -> npt.NDArray[np.float64]:
    """`sketch_jaccard` of many pairs at once: of documents first[i] and second[i], that one of `theirs` where it is given."""
    theirs = sketches if theirs is None else theirs
    for places, given in ((first, sketches), (second, theirs)):
        if len(places) and places.max() >= len(given.offsets) - 1:
            raise IndexError("a pair has a document without a sketch")
    similarities = np.zeros(len(first))
    ours, others = (read_only(np.ascontiguousarray(each.values, np.uint32)) for each in (sketches, theirs))
    # compiled for writable arrays alone
    bounds, their_bounds, first, second = (
        np.require(each, np.int64, ["C", "W"]) for each in (sketches.offsets, theirs.offsets, first, second)
    )
    compare_pairs(ours, bounds, others, their_bounds, first, second, size, similarities)
    return similarities
