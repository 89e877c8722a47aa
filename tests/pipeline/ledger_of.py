"""A run's ledger read by plain pyarrow, independently of the code under test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Fates = dict[bytes, dict[str, Any]]


def table(run: Path, part: str) -> pa.Table:
    """All rows of a part of the ledger."""
    return pa.concat_tables([pq.read_table(path) for path in sorted((run / "ledger" / part).rglob("*.parquet"))])


def fates(run: Path) -> Fates:
    """The fate of each document; fails where one has two."""
    rows = [row for part in ("refine", "finish") for row in table(run, part).to_pylist()]
    by_id = {row["doc_id"]: row for row in rows}
    assert len(by_id) == len(rows)
    return by_id


def urls(run: Path) -> dict[bytes, str]:
    """The URL of each document."""
    records = table(run, "records")
    return dict(zip(records["doc_id"].to_pylist(), records["url"].to_pylist(), strict=True))


def verdicts(run: Path) -> dict[bytes, tuple[str, str, str]]:
    """Fate, step and reason of each document."""
    return {doc_id: (row["fate"], row["step"], row["reason"]) for doc_id, row in fates(run).items()}
