"""A split's records as document batches: bounded in documents and bytes, suspects of a worker's death alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import pyarrow as pa

from connectors.readers import reader_for
from connectors.records import Limits, Record, Refusal
from curation.pipeline.at_risk import AtRisk
from curation.redact.urls import redact_url
from curation.run.documents import READ_SCHEMA, Verdict, document_id, with_verdicts
from curation.run.split import Split

BATCH_BYTES = 16 << 20  # of page bytes; bounds a worker's memory whatever the number of documents in a batch
BATCH_DOCUMENTS = 256
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
    yield Record(offset + 1, refusal=Refusal("quarantined", KILLED.reason))


def read_batches(
    split: Split, limits: Limits, risk: AtRisk, documents: int, hide_addresses: bool
) -> Iterator[tuple[pa.RecordBatch, int]]:
    """Document batches in order, each with the offset of its last record. Notes in `risk` what is in hand."""
    batch: list[Record] = []
    held = first = 0
    risk.take(0, 0)
    for row, record in enumerate(read_records(split, limits, risk)):
        full = len(batch) >= documents or held + len(record.content) > BATCH_BYTES
        if batch and (full or risk.is_suspect(row) or risk.is_suspect(row - 1)):
            risk.take(first, row)
            yield document_batch(split, first, batch, risk.blamed, hide_addresses), batch[-1].offset
            batch, held, first = [], 0, row
            risk.take(row, row)
        batch.append(record)
        held += len(record.content)
    if batch:
        risk.take(first, first + len(batch))
        yield document_batch(split, first, batch, risk.blamed, hide_addresses), batch[-1].offset


def document_batch(
    split: Split, first: int, records: Sequence[Record], blamed: set[int], hide_addresses: bool
) -> pa.RecordBatch:
    """The document batch of some records, with the verdicts of reading; `first` is the row of the first."""
    columns = [
        [document_id(split.source, split.archive, record.offset) for record in records],
        list(range(first, first + len(records))),
        [split.source] * len(records),
        [redact_url(record.url) if hide_addresses else record.url for record in records],
        [split.archive] * len(records),
        [record.offset for record in records],
        [record.date for record in records],
        [record.media for record in records],
        [record.charset for record in records],
        [record.content for record in records],
        [record.meta for record in records],
    ]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, READ_SCHEMA, strict=True)]
    batch = pa.RecordBatch.from_arrays(arrays, schema=READ_SCHEMA)
    verdicts = [KILLED if first + i in blamed else verdict_of(record.refusal) for i, record in enumerate(records)]
    return with_verdicts(batch, "read", verdicts)


def verdict_of(refusal: Refusal | None) -> Verdict | None:
    """A reader's refusal as the verdict of step `read`."""
    if refusal is None:
        return None
    return Verdict(refusal.fate, refusal.reason, refusal.value, refusal.threshold)
