"""From a column of strings to a batch of texts, shared by successive steps over the same documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from curation.text.batch import TextBatch
from curation.text.kernels.compiling import Bytes, Int64s
from curation.text.kernels.matching import match_rows
from curation.text.kernels.vocabulary import PADDING

ENOUGH = 0.5  # of an earlier batch's texts must be left for it to be used again: its facts are computed for all of them


def text_batch(column: Any) -> TextBatch:
    """The batch of an Arrow column of strings. Raises `ValueError` for invalid UTF-8 or nulls."""
    column.validate(full=True)  # the kernels rely on valid UTF-8
    content, bounds = _bytes_of(column)
    start, stop = int(bounds[0]), int(bounds[-1])
    if len(content) < stop + PADDING:
        padded = np.zeros(stop - start + PADDING, np.uint8)
        padded[: stop - start] = content[start:stop]
        return TextBatch(padded, bounds - start)
    return TextBatch(content[start:], bounds - start)


def batch_of(strings: Sequence[str]) -> TextBatch:
    """The batch of some strings; a lone surrogate becomes a question mark."""
    parts = [string.encode("utf-8", "replace") for string in strings]
    bounds = np.zeros(len(parts) + 1, np.int64)
    np.cumsum([len(part) for part in parts], out=bounds[1:])
    return TextBatch(np.frombuffer(b"".join(parts) + bytes(PADDING), np.uint8), bounds)


_last: list[tuple[Any, TextBatch]] = []  # a column and its batch; the column keeps its buffers from being used anew


def shared_batch(column: Any) -> tuple[TextBatch, Int64s]:
    """A batch that has the column's texts, and which of its rows they are.

    It is the last batch, with all that was found out about it, if the column is a good part of that, in the same order.
    """
    for known, last in _last:
        if _is_same(column, known):
            return last, np.arange(len(last))
    content, bounds = _bytes_of(column)
    for _, last in _last:
        rows = np.empty(len(bounds) - 1, np.int64)
        enough = len(rows) >= ENOUGH * len(last)
        if enough and match_rows(last.buffer, last.bounds, content, bounds, rows):
            return last, rows
    _last[:] = [(column, text_batch(column))]
    return _last[0][1], np.arange(len(bounds) - 1)


def _is_same(column: Any, known: Any) -> bool:
    """Whether two columns are the same bytes in memory, so that none need be compared."""
    if isinstance(column, pa.ChunkedArray) or isinstance(known, pa.ChunkedArray):
        return False
    if column.type != known.type or len(column) != len(known) or column.offset != known.offset:
        return False
    addresses = ([buffer and buffer.address for buffer in each.buffers()] for each in (column, known))
    return next(addresses) == next(addresses)


def _bytes_of(column: Any) -> tuple[Bytes, Int64s]:
    """The buffer that holds the column's bytes, and where in it each text begins. No copy."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if not len(column):
        return np.frombuffer(b"", np.uint8), np.zeros(1, np.int64)
    if column.null_count:
        raise ValueError("a text is null")
    width = np.int64 if pa.types.is_large_string(column.type) else np.int32
    _, offsets, data = column.buffers()
    bounds = np.frombuffer(offsets, width)[column.offset : column.offset + len(column) + 1].astype(np.int64)
    return np.frombuffer(data if data is not None else b"", np.uint8), bounds
