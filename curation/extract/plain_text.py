"""Texts that are text already: which of a batch `Extract` passes through unchanged, without an object a document."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from connectors.text_columns import begin_with, bounds_and_bytes
from curation.extract.kernels import utf8

HEAD_BYTES = 64  # of a text, in which it is not blank, as a rule

Rows = npt.NDArray[np.bool_]
SIGNS: Rows = (np.arange(256) > 0x20) & (np.arange(256) < 0x7F)  # of ASCII; a text that begins with one is not blank


def pass_through(media: pa.Array, content: pa.Array, most_bytes: int) -> Rows:
    """The rows with text media of UTF-8 without NUL, not blank and not too large."""
    small = pc.less_equal(pc.binary_length(content), most_bytes)
    passing: Rows = pc.fill_null(pc.and_(pc.equal(media, "text"), small), False).to_numpy(zero_copy_only=False)
    if not passing.any():
        return passing
    passing[_rows_with_nul(content)] = False
    if not are_utf8(content):
        for row in np.flatnonzero(passing).tolist():
            passing[row] = are_utf8(content.slice(row, 1))
    doubtful = np.flatnonzero(passing & ~begin_with(content, SIGNS))
    heads = pc.binary_slice(content, 0, HEAD_BYTES).take(pa.array(doubtful)).to_pylist() if len(doubtful) else []
    for row, head in zip(doubtful.tolist(), heads, strict=True):
        passing[row] = bool(head.decode(errors="ignore").strip() or content[row].as_py().decode().strip())
    return passing


def _rows_with_nul(content: pa.Array) -> npt.NDArray[np.int64]:
    bounds, data = bounds_and_bytes(content)
    held = data[bounds[0] : bounds[-1]]
    if not held.size or held.min():
        return np.zeros(0, np.int64)
    rows: npt.NDArray[np.int64] = np.searchsorted(bounds, np.flatnonzero(held == 0) + bounds[0], side="right") - 1
    return rows


def are_utf8(content: pa.Array) -> bool:
    """Whether all binaries of a column, with small or large offsets, are UTF-8."""
    bounds, data = bounds_and_bytes(content)
    return bool(utf8.are_utf8(data, bounds.astype(np.int64)))
