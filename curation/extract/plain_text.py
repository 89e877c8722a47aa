"""Texts that are text already, a batch at a time: what `Extract` passes through unchanged, without an object a document."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.text_columns import begin_with_a_sign


def plain_texts(media: pa.Array, content: pa.Array, most_bytes: int) -> pa.Array | None:
    """The contents as text, where all are text media of UTF-8 without NUL, not blank and not too large; else None."""
    if not pc.all(pc.equal(media, "text")).as_py() or content.null_count or content.type != pa.binary():
        return None
    if pc.max(pc.binary_length(content)).as_py() > most_bytes or _has_nul(content):
        return None
    try:
        texts = content.cast(pa.string())
    except pa.ArrowInvalid:
        return None
    doubtful = np.flatnonzero(~begin_with_a_sign(content)).tolist()
    return texts if all(texts[row].as_py().strip() for row in doubtful) else None


def _has_nul(content: pa.Array) -> bool:
    _, offsets, data = content.buffers()
    bounds = np.frombuffer(offsets, np.int32)[content.offset : content.offset + len(content) + 1]
    held = np.frombuffer(data, np.uint8)[bounds[0] : bounds[-1]]
    return bool(held.size) and int(held.min()) == 0
