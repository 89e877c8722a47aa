"""What the first pass let through, read back for the second: survivors in order, which of them are duplicates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors import storage
from curation.dedup.duplicates import DUPLICATES
from curation.run.documents import TEXT
from curation.run.folder import RunFolder

BATCH_ROWS = 256
BATCH_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Match:
    """Why a survivor is a duplicate; see `curation/dedup/duplicates.py`."""

    reason: str
    kept: bytes
    similarity: float | None
    jaccard: float | None
    elsewhere: bool
    address: str | None


def read_survivors(run: RunFolder, unit: str) -> Iterator[tuple[int, pa.RecordBatch]]:
    """A split's survivors in batches, each with the ordinal of its first document."""
    first = 0
    with storage.open_input(run.uri(run.survivors(unit))) as file:
        for rows in pq.ParquetFile(file).iter_batches(BATCH_ROWS):
            for batch in cut_by_bytes(rows):
                yield first, batch
                first += batch.num_rows


def cut_by_bytes(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """A batch in pieces of `BATCH_BYTES` of text at most, or one document."""
    ends = np.cumsum(pc.binary_length(batch.column(TEXT)).to_numpy())
    start = 0
    while start < batch.num_rows:
        before = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + BATCH_BYTES, side="right")))
        yield batch.slice(start, stop - start)
        start = stop


def read_matches(run: RunFolder, unit: str) -> dict[int, Match]:
    """The duplicates among a split's survivors, by ordinal."""
    uri = run.uri(run.duplicates(unit))
    if not storage.exists(uri):
        return {}
    columns = pq.read_table(uri).select(DUPLICATES.names).to_pydict()
    rows = zip(*columns.values(), strict=True)
    return {ordinal: Match(*row) for ordinal, *row in rows}
