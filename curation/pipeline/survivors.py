"""What the first pass let through, read back for the second: survivors in order, which of them are duplicates, and how similar."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors import storage
from curation.dedup.keys import SIGNATURE, TEXT_HASH
from curation.run.documents import DOC_ID, TEXT
from curation.run.folder import RunFolder

BATCH_ROWS = 256
BATCH_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Match:
    """Why a survivor is a duplicate: the document kept for it, whether the texts are equal, the estimated Jaccard."""

    kept: bytes
    exact: bool
    similarity: float


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
    """The duplicates among a split's survivors, by ordinal.

    Compares each with the document kept for it by their signatures; reads one split's signatures at a time.
    """
    uri = run.uri(run.duplicates(unit))
    if not storage.exists(uri):
        return {}
    listed = pq.read_table(uri)
    ordinals, kept_ordinals = listed["ordinal"].to_numpy(), listed["kept_ordinal"].to_numpy()
    kept_units = np.array(listed["kept_unit"].to_pylist())
    own = pq.read_table(run.uri(run.signatures(unit)))
    matches: dict[int, Match] = {}
    for kept_unit in np.unique(kept_units):
        here = kept_units == kept_unit
        theirs = own if kept_unit == unit else pq.read_table(run.uri(run.signatures(str(kept_unit))))
        mine = own.take(ordinals[here]).to_pylist()
        kept = theirs.take(kept_ordinals[here]).to_pylist()
        for ordinal, a, b in zip(ordinals[here].tolist(), mine, kept, strict=True):
            exact = a[TEXT_HASH] == b[TEXT_HASH]
            matches[ordinal] = Match(b[DOC_ID], exact, 1.0 if exact else agreement(a[SIGNATURE], b[SIGNATURE]))
    return matches


def agreement(a: bytes | None, b: bytes | None) -> float:
    """The share of equal values of two MinHash signatures: an estimate of the Jaccard similarity of their shingles."""
    if a is None or b is None:
        return 0.0
    return float(np.mean(np.frombuffer(a, "<u8") == np.frombuffer(b, "<u8")))
