"""A split's records as document batches: bounded in documents and bytes, suspects of a worker's death alone.

Formats that hold columns are read as columns, all others record by record; the same batches come of both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.readers import column_reader_for, reader_for
from connectors.record_columns import SCHEMA, ColumnReader, RecordColumns, columns_of
from connectors.records import Limits, Record, Refusal
from curation.extract.plain_text import are_utf8
from curation.pipeline.at_risk import AtRisk
from curation.redact.urls import redact_url
from curation.run.documents import READ_SCHEMA, Verdict, document_ids, with_verdicts
from curation.run.split import Split

BATCH_BYTES = 16 << 20  # of page bytes; bounds a worker's memory whatever the number of documents in a batch
BATCH_DOCUMENTS = 1024
KILLED = Verdict("quarantined", "killed_worker")


def read_records(split: Split, limits: Limits, risk: AtRisk) -> Iterator[Record]:
    """The split's records; where one kills the worker that reads it, those before it and a refusal in its place."""
    records = reader_for(split.uri)(split.uri, limits, split.first, split.stop)
    if risk.unreadable < 0:
        yield from records
        return
    offset = -1
    for record in islice(records, risk.unreadable):
        offset = record.offset
        yield record
    yield unreadable(offset + 1)


def read_columns(reader: ColumnReader, split: Split, limits: Limits, risk: AtRisk) -> Iterator[RecordColumns]:
    """`read_records` for a format that is read as columns."""
    left, offset = risk.unreadable, -1
    pieces = reader(split.uri, limits, split.first, split.stop, are_utf8)
    while left and (piece := next(pieces, None)) is not None:
        taken = piece.slice(0, min(len(piece), left)) if left > 0 else piece
        offset = taken.columns.column("offset")[-1].as_py()
        left -= len(taken) if left > 0 else 0
        yield taken
    if risk.unreadable >= 0:
        yield columns_of([unreadable(offset + 1)])


def unreadable(offset: int) -> Record:
    """What stands for a record that kills whoever reads it."""
    return Record(offset, refusal=Refusal("quarantined", KILLED.reason))


def read_batches(
    split: Split, limits: Limits, risk: AtRisk, documents: int, hide_addresses: bool
) -> Iterator[tuple[pa.RecordBatch, int]]:
    """Document batches in order, each with the offset of its last record. Notes in `risk` what is in hand."""
    reader = column_reader_for(split.uri)
    if reader is None:
        batches = by_records(read_records(split, limits, risk), risk, documents)
    else:
        batches = by_columns(read_columns(reader, split, limits, risk), risk, documents)
    for first, records in batches:
        batch = batch_of_columns(split, first, records, risk.blamed, hide_addresses)
        yield batch, records.columns.column("offset")[-1].as_py()


def by_records(records: Iterator[Record], risk: AtRisk, documents: int) -> Iterator[tuple[int, RecordColumns]]:
    """Records in groups, each with the row of its first."""
    batch: list[Record] = []
    held = first = 0
    risk.take(0, 0)
    for row, record in enumerate(records):
        full = len(batch) >= documents or held + len(record.content) > BATCH_BYTES
        if batch and (full or risk.is_suspect(row) or risk.is_suspect(row - 1)):
            risk.take(first, row)
            yield first, columns_of(batch)
            batch, held, first = [], 0, row
            risk.take(row, row)
        batch.append(record)
        held += len(record.content)
    if batch:
        risk.take(first, first + len(batch))
        yield first, columns_of(batch)


def by_columns(pieces: Iterator[RecordColumns], risk: AtRisk, documents: int) -> Iterator[tuple[int, RecordColumns]]:
    """`by_records` for records that come as columns. A group that is half full ends with the columns: they are not copied."""
    batch: list[RecordColumns] = []
    count = held = first = 0
    risk.take(0, 0)
    for piece in pieces:
        ends = np.cumsum(pc.binary_length(piece.columns.column("content")).to_numpy(), dtype=np.int64)
        start = 0
        while start < len(piece) or 2 * count >= documents:
            before, row = int(ends[start - 1]) if start else 0, first + count
            fit = min(documents - count, int(np.searchsorted(ends, before + BATCH_BYTES - held, side="right")) - start)
            if risk.suspects:
                fit = 0 if risk.is_suspect(row) or risk.is_suspect(row - 1) else min(fit, 1)
            if count and fit <= 0:
                risk.take(first, row)
                yield first, joined(batch)
                batch, count, held, first = [], 0, 0, row
                risk.take(row, row)
                continue
            stop = min(len(piece), start + max(fit, 1))
            batch.append(piece.slice(start, stop))
            count, held, start = count + stop - start, held + int(ends[stop - 1]) - before, stop
    if batch:
        risk.take(first, first + count)
        yield first, joined(batch)


def joined(pieces: Sequence[RecordColumns]) -> RecordColumns:
    """Records in pieces as one."""
    if len(pieces) == 1:
        return pieces[0]
    before = np.cumsum([0, *map(len, pieces)]).tolist()
    columns = [
        pa.concat_arrays([piece.columns.column(field.name).cast(field.type) for piece in pieces]) for field in SCHEMA
    ]
    refusals = {
        base + place: refusal
        for base, piece in zip(before, pieces, strict=False)
        for place, refusal in piece.refusals.items()
    }
    return RecordColumns(pa.RecordBatch.from_arrays(columns, schema=SCHEMA), refusals)


def document_batch(
    split: Split, first: int, records: Sequence[Record], blamed: set[int], hide_addresses: bool
) -> pa.RecordBatch:
    """`batch_of_columns` for records one by one."""
    return batch_of_columns(split, first, columns_of(records), blamed, hide_addresses)


def batch_of_columns(
    split: Split, first: int, records: RecordColumns, blamed: set[int], hide_addresses: bool
) -> pa.RecordBatch:
    """The document batch of some records, with the verdicts of reading; `first` is the row of the first."""
    rows, columns = len(records), records.columns
    offsets, urls = columns.column("offset"), columns.column("url")
    if hide_addresses:
        urls = pa.array([redact_url(url) for url in urls.to_pylist()], pa.string())
    arrays = [
        document_ids(split.source, split.archive, offsets.to_pylist()),
        pa.array(np.arange(first, first + rows, dtype=np.uint32)),
        pa.repeat(split.source, rows),
        urls,
        pa.repeat(split.archive, rows),
        offsets,
        *(columns.column(name) for name in ("date", "media", "charset")),
        with_small_offsets(columns.column("content")),
        columns.column("meta"),
    ]
    batch = pa.RecordBatch.from_arrays(arrays, schema=READ_SCHEMA)
    if not blamed and not records.refusals:
        return with_verdicts(batch, "read", [None] * rows)
    verdicts = [KILLED if first + i in blamed else verdict_of(records.refusals.get(i)) for i in range(rows)]
    return with_verdicts(batch, "read", verdicts)


def with_small_offsets(content: pa.Array) -> pa.Array:
    """Binary with offsets of 4 bytes: without a copy unless it lies behind the first 2 GiB of a buffer."""
    try:
        return content.cast(pa.binary())
    except pa.ArrowInvalid:
        return pa.array(content.to_pylist(), pa.binary())


def verdict_of(refusal: Refusal | None) -> Verdict | None:
    """A reader's refusal as the verdict of step `read`."""
    if refusal is None:
        return None
    return Verdict(refusal.fate, refusal.reason, refusal.value, refusal.threshold)
