"""The document batch: the Arrow record batch that travels from step to step. Its column names are the contract.

A step is `step(batch) -> batch`: pure, Arrow in, Arrow out. It may rewrite `text`, add columns, and end a document's way
by a verdict; it never drops or reorders rows. The pass that runs the steps takes out the rows that have a verdict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import xxhash
from pydantic import ConfigDict

DOC_ID = "doc_id"  # 16 bytes, see `document_id`
ROW = "row"  # position of the record in its split, from 0
SOURCE = "source"  # name of the input that the user gave
URL = "url"
ARCHIVE = "archive"  # path of the file, relative to the source's root
OFFSET = "offset"  # where the record starts in its file
DATE = "date"  # capture time, RFC 3339
MEDIA = "media"  # "html" or "text": what `content` holds
CHARSET = "charset"  # what the HTTP header names
CONTENT = "content"  # the page's bytes; dropped once `text` is there
TEXT = "text"  # UTF-8
LANG = "lang"  # ISO 639 code
LANG_SCORE = "lang_score"  # 0 to 1
META = "meta"  # the user's own columns, a JSON object

FATE = "fate"
STEP = "step"
REASON = "reason"
VALUE = "value"
THRESHOLD = "threshold"

MEASURE = "measure:"  # prefix of columns that hold a measure's value, float64, null where it was not computed
EDIT = "edit:"  # prefix of columns that count what a step changed in the text, int64
CONTAMINATION = "contamination"  # which items of evaluation sets a step found in the text, never what they say
CONTAMINATION_FIELDS = [
    pa.field("set", pa.string(), nullable=False),
    pa.field("item", pa.string(), nullable=False),
    pa.field("ngrams", pa.uint32(), nullable=False),  # distinct ones of the item that were found
    pa.field("covered", pa.float32(), nullable=False),  # share of the item's words that stand in them
    pa.field("position", pa.uint32(), nullable=False),  # of the first, in characters of the text as the step met it
]

Fate = Literal["kept", "removed", "duplicate", "quarantined"]

RECORD_FIELDS = [
    pa.field(DOC_ID, pa.binary(16), nullable=False),
    pa.field(ROW, pa.uint32(), nullable=False),
    pa.field(SOURCE, pa.string(), nullable=False),
    pa.field(URL, pa.string(), nullable=False),
    pa.field(ARCHIVE, pa.string(), nullable=False),
    pa.field(OFFSET, pa.uint64(), nullable=False),
    pa.field(DATE, pa.string(), nullable=False),
]
READ_SCHEMA = pa.schema(
    [
        *RECORD_FIELDS,
        pa.field(MEDIA, pa.string(), nullable=False),
        pa.field(CHARSET, pa.string(), nullable=False),
        pa.field(CONTENT, pa.binary()),
        pa.field(META, pa.string(), nullable=False),
    ]
)
VERDICT_FIELDS = [
    pa.field(FATE, pa.string()),
    pa.field(STEP, pa.string()),
    pa.field(REASON, pa.string()),
    pa.field(VALUE, pa.float64()),
    pa.field(THRESHOLD, pa.float64()),
]


STRICT = ConfigDict(extra="forbid", arbitrary_types_allowed=True)  # how a step's parameters are checked


class Step(Protocol):
    """One step of a pass. `name` stands in the ledger. Models are opened at the first call, once a worker process.

    A step is written as a frozen pydantic dataclass, `@dataclass(frozen=True, kw_only=True, config=STRICT)`: its fields are
    the keys that a recipe may give it, so an unknown key or a wrong type is found before any work starts.
    """

    @property
    def name(self) -> str: ...

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch: ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """The end of a document's way: what became of it, why, and the figures that decided. Reasons never quote text."""

    fate: Fate
    reason: str
    value: float | None = None
    threshold: float | None = None


def document_id(source: str, archive: str, offset: int) -> bytes:
    """16 bytes that name a document, whatever machine or folder its archive was read from: xxh3-128 of where it stands."""
    digest: bytes = xxhash.xxh3_128_digest(f"{source}\0{archive}\0{offset}".encode())
    return digest


def document_ids(source: str, archive: str, offsets: Sequence[int]) -> pa.Array:
    """`document_id` of many records of a file."""
    place, digest = f"{source}\0{archive}\0".encode(), xxhash.xxh3_128_digest
    digests = b"".join([digest(place + b"%d" % offset) for offset in offsets])
    return pa.Array.from_buffers(pa.binary(16), len(offsets), [None, pa.py_buffer(digests)])


def texts(batch: pa.RecordBatch) -> list[str]:
    """The batch's text column as Python strings."""
    strings: list[str] = batch.column(TEXT).to_pylist()
    return strings


def with_column(batch: pa.RecordBatch, name: str, values: pa.Array) -> pa.RecordBatch:
    """The batch with the column set: replaced where it exists, appended where it does not."""
    index = batch.schema.get_field_index(name)
    if index < 0:
        return batch.append_column(name, values)
    return batch.set_column(index, name, values)


def with_columns(batch: pa.RecordBatch, columns: Mapping[str, pa.Array]) -> pa.RecordBatch:
    """The batch with several columns set: replaced where they exist, appended in order where they do not."""
    fields = {field.name: field for field in batch.schema} | {n: pa.field(n, a.type) for n, a in columns.items()}
    arrays = dict(zip(batch.schema.names, batch.columns, strict=True)) | dict(columns)
    return pa.RecordBatch.from_arrays(list(arrays.values()), schema=pa.schema(list(fields.values())))


def with_verdicts(
    batch: pa.RecordBatch,
    step: str,
    verdicts: Sequence[Verdict | None],
    measures: Mapping[str, Sequence[float | None]] | None = None,
    edits: Mapping[str, Sequence[int]] | None = None,
) -> pa.RecordBatch:
    """The batch with one verdict a row (None: the document goes on), and the measures and edits behind it."""
    assert len(verdicts) == batch.num_rows
    columns: dict[str, pa.Array]
    if not any(verdicts):
        columns = {field.name: pa.nulls(batch.num_rows, field.type) for field in VERDICT_FIELDS}
    else:
        columns = _verdict_columns(step, verdicts)
    for name, values in (measures or {}).items():
        columns[MEASURE + name] = pa.array(values, pa.float64())
    for name, counts in (edits or {}).items():
        columns[EDIT + name] = pa.array(counts, pa.int64())
    return with_columns(batch, columns)


def _verdict_columns(step: str, verdicts: Sequence[Verdict | None]) -> dict[str, pa.Array]:
    return {
        FATE: pa.array([v and v.fate for v in verdicts], pa.string()),
        STEP: pa.array([v and step for v in verdicts], pa.string()),
        REASON: pa.array([v and v.reason for v in verdicts], pa.string()),
        VALUE: pa.array([v.value if v else None for v in verdicts], pa.float64()),
        THRESHOLD: pa.array([v.threshold if v else None for v in verdicts], pa.float64()),
    }


def with_removals(
    batch: pa.RecordBatch,
    step: str,
    deciding: npt.NDArray[np.int64],
    reasons: Sequence[str],
    values: npt.NDArray[np.float64],
    thresholds: Sequence[float],
    measures: Mapping[str, npt.NDArray[np.float64]] | None = None,
    edits: Mapping[str, npt.NDArray[np.int64]] | None = None,
) -> pa.RecordBatch:
    """`with_verdicts` for a whole batch at once.

    deciding    for each row which of `reasons` (and `thresholds`) removes it, -1 if none
    values      of each row, read where it is removed
    measures    NaN is null
    """
    stays = deciding < 0
    if stays.all():
        columns: dict[str, pa.Array] = {field.name: pa.nulls(len(deciding), field.type) for field in VERDICT_FIELDS}
    else:
        which = pa.array(deciding, pa.int64(), mask=stays)
        columns = {
            FATE: pa.array(["removed"] * len(reasons), pa.string()).take(which),
            STEP: pa.array([step] * len(reasons), pa.string()).take(which),
            REASON: pa.array(reasons, pa.string()).take(which),
            VALUE: pa.array(values, pa.float64(), mask=stays),
            THRESHOLD: pa.array(thresholds, pa.float64()).take(which),
        }
    for name, numbers in (measures or {}).items():
        columns[MEASURE + name] = pa.array(numbers, pa.float64(), from_pandas=True)
    for name, counts in (edits or {}).items():
        columns[EDIT + name] = pa.array(counts, pa.int64())
    return with_columns(batch, columns)
