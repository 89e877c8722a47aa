"""Text corpora as Parquet: one document a row, column `text` required, read a batch of a row group at a time.

`url` and `timestamp` (or `date`) go to the record's fields, every other column to its `meta`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.fields import text_record
from connectors.record_columns import AreUtf8, RecordColumns, columns_of
from connectors.records import Limits, Record, Refusal
from connectors.storage import open_input
from connectors.text_columns import are_utf8_to_arrow, text_columns, values_of

SUFFIXES = (".parquet", ".parq", ".pq")
MAGIC = (b"PAR1",)

BATCH_ROWS = 1024  # decoded at a time, at most,
BATCH_BYTES = 8 << 20  # and about so many bytes, or one row


def count(uri: str) -> int | None:
    """The number of rows, from the footer alone; None where the file is damaged."""
    with open_input(uri) as file:
        parquet = _parquet(file)
        return None if parquet is None else parquet.metadata.num_rows


def read(uri: str, limits: Limits, first: int = 0, stop: int | None = None) -> Iterator[Record]:
    """The rows [first, stop) of a Parquet file; row groups outside of the range are not read.

    A row group that cannot be decoded ends in one `broken_archive` at its first row that is lost, with the number of
    rows lost as value, and reading goes on with the next group. See `connectors.records.Reader`.
    Raises also the `OSError` of the storage itself, so that a failing disk is not taken for a damaged file.
    """
    for row, found in _batches(uri, first, stop):
        if isinstance(found, Refusal):
            yield Record(row, refusal=found)
        else:
            yield from _records(found, row, limits)


def read_columns(
    uri: str, limits: Limits, first: int = 0, stop: int | None = None, are_utf8: AreUtf8 = are_utf8_to_arrow
) -> Iterator[RecordColumns]:
    """What `read` reads, as Arrow columns. See `connectors.record_columns.ColumnReader`."""
    for row, found in _batches(uri, first, stop):
        if isinstance(found, Refusal):
            yield columns_of([Record(row, refusal=found)])
        else:
            yield text_columns(found, row, limits, partial(_records, limits=limits), are_utf8)


def _batches(uri: str, first: int, stop: int | None) -> Iterator[tuple[int, pa.RecordBatch | Refusal]]:
    """Batches of the rows [first, stop) with the row of each, and, in place of rows that are lost, why."""
    with open_input(uri) as file:
        parquet = _parquet(file)
        if parquet is None:
            if first == 0 and stop != 0:
                yield 0, Refusal("quarantined", "empty_file" if file.seek(0, 2) == 0 else "broken_archive")
            return
        end = parquet.metadata.num_rows if stop is None else stop
        start = 0
        for group in range(parquet.num_row_groups):
            rows = max(0, parquet.metadata.row_group(group).num_rows)
            if start < end and start + rows > first:
                yield from _group(parquet, group, start, rows, first, end)
            start += rows


def _parquet(file: BinaryIO) -> Any:
    try:
        return pq.ParquetFile(file)
    except (pa.ArrowException, OSError, ValueError) as error:
        if getattr(error, "errno", None) is not None:
            raise
        return None


def _group(
    parquet: Any, group: int, start: int, rows: int, first: int, end: int
) -> Iterator[tuple[int, pa.RecordBatch | Refusal]]:
    """The rows [first, end) of a row group that begins at row `start` of the file and has `rows` rows by the footer."""
    row, behind = start, start + rows
    average = max(1, parquet.metadata.row_group(group).total_byte_size) / max(1, rows)
    rows_at_once = max(1, min(BATCH_ROWS, int(BATCH_BYTES / average)))
    try:
        for batch in parquet.iter_batches(batch_size=rows_at_once, row_groups=[group], use_threads=False):
            low, high = max(first - row, 0), min(min(end, behind) - row, batch.num_rows)
            if low < high:
                yield row + low, _decoded(batch.slice(low, high - low))
            row += batch.num_rows
            if row >= min(end, behind):
                return
    except (pa.ArrowException, OSError, ValueError) as error:
        if getattr(error, "errno", None) is not None:
            raise
    if first <= row < end:
        yield row, Refusal("quarantined", "broken_archive", behind - row)


def _decoded(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with plain columns in place of those with a dictionary. Raises where that is damaged."""
    columns = [
        column.dictionary_decode() if pa.types.is_dictionary(column.type) else column for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _records(batch: pa.RecordBatch, row: int, limits: Limits) -> Iterator[Record]:
    index = batch.schema.get_field_index("text")
    texts = [None] * batch.num_rows if index < 0 else _bytes(batch.column(index))
    columns = batch if index < 0 else batch.remove_column(index)
    for number, text in enumerate(texts):
        try:
            rest = {
                name: values_of(column.slice(number, 1))[0]
                for name, column in zip(columns.schema.names, columns.columns, strict=True)
            }
        except (ValueError, pa.ArrowException):  # a UnicodeError is a ValueError
            yield Record(row + number, refusal=Refusal("quarantined", "bad_utf8"))
            continue
        yield text_record(
            row + number, text, {name: value for name, value in rest.items() if value is not None}, limits
        )


def _bytes(column: pa.Array) -> list[bytes | None]:
    """The texts as bytes, not yet held to be UTF-8; None where there is no text."""
    try:
        texts: list[bytes | None] = column.cast(pa.large_binary()).to_pylist()
    except pa.ArrowException:
        return [None] * len(column)
    return texts
