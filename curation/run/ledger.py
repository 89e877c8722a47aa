"""The ledger: Parquet, one row for every document that entered, written by the pass in which its way ended.

    ledger/records/SPLIT    who they are: doc_id, row, source, url, archive, offset, date
    ledger/refine/SPLIT     the fate of those that ended in the refine pass
    ledger/finish/UNIT      the fate of all others: kept with shard and position, or duplicate
    ledger/measures/SPLIT   what was measured, one column a measure, null where it was not computed
    ledger/near_duplicates/UNIT    near duplicates drawn to be looked at: the true Jaccard, and how the text begins
    ledger/elsewhere/UNIT   duplicates of documents that an earlier run kept, with their URL, if the recipe has its index
    ledger/removal_rates    how much deduplication took from each source, language and domain
    ledger/edits/SPLIT      what steps changed in a text: counts by kind, never values
    ledger/edits/finish/UNIT       the same for what the finish pass cuts: repeated sentences, lines, paragraphs
    ledger/contamination/SPLIT     which items of evaluation sets stand in a document, if the recipe looks for them

The rows of `records`, `refine` and `measures` stand in the order of the split; `row` and `doc_id` join them.
A unit is a fixed group of splits of one source; those of `finish` stand in the order of its splits and of their records.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from curation.run.documents import (
    CONTAMINATION,
    CONTAMINATION_FIELDS,
    DOC_ID,
    EDIT,
    LANG,
    LANG_SCORE,
    MEASURE,
    RECORD_FIELDS,
    ROW,
    TEXT,
    VERDICT_FIELDS,
)

DUPLICATE_OF = "duplicate_of"
SIMILARITY = "similarity"
JACCARD = "jaccard"
TOKENS = "tokens"
SHARD = "shard"
POSITION = "position"

RECORDS = pa.schema(RECORD_FIELDS)
FATES = pa.schema(
    [
        pa.field(DOC_ID, pa.binary(16), nullable=False),
        pa.field(ROW, pa.uint32(), nullable=False),
        *VERDICT_FIELDS,
        pa.field(DUPLICATE_OF, pa.binary(16)),
        pa.field(SIMILARITY, pa.float32()),
        pa.field(TOKENS, pa.uint32()),
        pa.field(SHARD, pa.string()),
        pa.field(POSITION, pa.uint64()),
    ]
)
EDITS = pa.schema(
    [
        pa.field(DOC_ID, pa.binary(16), nullable=False),
        pa.field(ROW, pa.uint32(), nullable=False),
        pa.field("step", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("count", pa.int64(), nullable=False),
    ]
)


NEAR_DUPLICATES = pa.schema(
    [
        pa.field(DOC_ID, pa.binary(16), nullable=False),
        pa.field(DUPLICATE_OF, pa.binary(16), nullable=False),
        pa.field(SIMILARITY, pa.float32(), nullable=False),
        pa.field(JACCARD, pa.float32()),  # true, of the whole texts; null in runs that measured none
        pa.field(TEXT, pa.string(), nullable=False),  # the beginning, redacted
    ]
)
ELSEWHERE = pa.schema(
    [
        pa.field(DOC_ID, pa.binary(16), nullable=False),
        pa.field(DUPLICATE_OF, pa.binary(16), nullable=False),
        pa.field("address", pa.string()),  # URL of the document that is kept in an earlier run
    ]
)
REMOVAL_RATES = pa.schema(
    [
        pa.field("kind", pa.string(), nullable=False),  # source, language or domain
        pa.field("name", pa.string(), nullable=False),  # "" for documents without a language or host
        pa.field("documents", pa.int64(), nullable=False),  # that deduplication looked at
        pa.field("url", pa.int64(), nullable=False),  # removed as the same page,
        pa.field("exact", pa.int64(), nullable=False),  # as the same text,
        pa.field("minhash", pa.int64(), nullable=False),  # as similar
        pa.field("elsewhere", pa.int64(), nullable=False),  # of those removed, for a document of an earlier run
    ]
)


CONTAMINATIONS = pa.schema(
    [
        pa.field(DOC_ID, pa.binary(16), nullable=False),
        pa.field(ROW, pa.uint32(), nullable=False),
        *CONTAMINATION_FIELDS,
    ]
)


def measures_schema(names: Sequence[str]) -> pa.Schema:
    """One float column a measure, the language beside them."""
    return pa.schema(
        [
            pa.field(DOC_ID, pa.binary(16), nullable=False),
            pa.field(ROW, pa.uint32(), nullable=False),
            pa.field(LANG, pa.string()),
            pa.field(LANG_SCORE, pa.float32()),
            *[pa.field(name, pa.float64()) for name in names],
        ]
    )


def conform(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The batch with just the schema's columns, in its order; a column that it lacks is null."""
    columns = []
    for field in schema:
        index = batch.schema.get_field_index(field.name)
        columns.append(batch.column(index).cast(field.type) if index >= 0 else pa.nulls(batch.num_rows, field.type))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def measures_of(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The batch's measure columns under their plain names, in the schema's form."""
    names = [name.removeprefix(MEASURE) for name in batch.schema.names]
    return conform(batch.rename_columns(names), schema)


def edits_of(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A row for each kind of edit that a step counted in a document; `edit:c4.javascript` is step c4, kind javascript."""
    parts = []
    for name in batch.schema.names:
        if name.startswith(EDIT):
            edited = batch.filter(pc.greater(pc.fill_null(batch.column(name), 0), 0))
            step, _, kind = name.removeprefix(EDIT).partition(".")
            columns = [
                edited.column(DOC_ID),
                edited.column(ROW),
                pa.array([step] * edited.num_rows, pa.string()),
                pa.array([kind] * edited.num_rows, pa.string()),
                edited.column(name).cast(pa.int64()),
            ]
            parts.append(pa.RecordBatch.from_arrays(columns, schema=EDITS))
    merged = pa.Table.from_batches(parts, EDITS).combine_chunks().to_batches()
    return merged[0] if merged else pa.RecordBatch.from_pylist([], EDITS)


def contamination_of(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A row for each evaluation item that a step found in a document, in the order of the documents."""
    if CONTAMINATION not in batch.schema.names:
        return pa.RecordBatch.from_pylist([], CONTAMINATIONS)
    found = batch.column(CONTAMINATION)
    of_row = pc.list_parent_indices(found)
    columns = [batch.column(DOC_ID).take(of_row), batch.column(ROW).take(of_row), *pc.list_flatten(found).flatten()]
    return pa.RecordBatch.from_arrays(columns, schema=CONTAMINATIONS)
