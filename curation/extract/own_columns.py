"""What a page says of itself, among the user's own columns."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from curation.run.documents import META, with_column

PAGE = "page"  # the key in `meta`


def with_page(batch: pa.RecordBatch, pages: Sequence[dict[str, Any] | None]) -> pa.RecordBatch:
    """The batch with `page` in the own columns of each row that has one; what they had stays."""
    own = batch.column(META).to_pylist() if META in batch.schema.names else [""] * batch.num_rows
    joined = [meta if not page else _joined(meta or "", page) for meta, page in zip(own, pages, strict=True)]
    return with_column(batch, META, pa.array([meta or "" for meta in joined], pa.string()))


def _joined(meta: str, page: dict[str, Any]) -> str:
    try:
        columns = json.loads(meta) if meta else {}
    except (ValueError, RecursionError):
        return meta  # is no JSON, which is not this step's to say
    if not isinstance(columns, dict) or PAGE in columns:
        return meta
    said = json.dumps({PAGE: page}, ensure_ascii=False)
    return f"{said[:-1]}, {meta.lstrip()[1:]}" if columns else said  # so that its own bytes stay what they are
