"""Parquet files of a run whose bytes do not depend on how their rows arrived."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors import storage
from connectors.storage import Written
from curation.run.documents import DOC_ID, OFFSET, URL

ROWS = 8192  # of a row group, at most
BYTES = 32 << 20  # of a row group's strings; a row that passes it ends the group, so a group holds one row more at most
PLAIN = (DOC_ID,)  # hashes: no time is lost on compressing them
DISTINCT = (
    DOC_ID,
    URL,
    OFFSET,
)  # hardly a value comes twice: a dictionary would hold them all, and their numbers beside them


class ParquetOutput:
    """A Parquet file of the run, written as a stream and moved into place whole.

    Use as a context manager; `written` holds size and hash afterwards. Rows are regrouped by count and bytes alone, so the
    same rows give the same file whatever batches they came in. Holds one row group in memory. `plain` columns hold hashes, as
    `PLAIN` ones do.
    """

    most_rows = ROWS  # of a group

    def __init__(self, uri: str, schema: pa.Schema, plain: Sequence[str] = ()) -> None:
        self.uri, self.schema, self.plain = uri, schema, plain
        self.rows = 0
        self.written: Written | None = None
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = self._waiting_bytes = 0

    def __enter__(self) -> ParquetOutput:
        self._writing = storage.writing(self.uri)
        self._path: Path = self._writing.__enter__()
        self._writer = self._open(self._path)
        return self

    def _open(self, path: Path) -> Any:
        """What writes a table as one group of rows, until it is closed."""
        plain = {*self.plain, *PLAIN}
        compression = {name: "none" if name in plain else "zstd" for name in self.schema.names}
        dictionaries = [name for name in self.schema.names if name not in plain.union(DISTINCT)]
        return pq.ParquetWriter(path, self.schema, compression=compression, use_dictionary=dictionaries)

    def write(self, batch: pa.RecordBatch) -> None:
        """Appends a batch in the file's schema."""
        self.rows += batch.num_rows
        ends = np.cumsum(_string_bytes(batch))
        start = 0
        while start < batch.num_rows:
            before = int(ends[start - 1]) if start else 0
            by_bytes = int(np.searchsorted(ends, before + BYTES - self._waiting_bytes)) + 1
            stop = min(batch.num_rows, by_bytes, start + self.most_rows - self._waiting_rows)
            self._waiting.append(batch.slice(start, stop - start))
            self._waiting_rows += stop - start
            self._waiting_bytes += int(ends[stop - 1]) - before
            if self._waiting_rows >= self.most_rows or self._waiting_bytes >= BYTES:
                self._write_group()
            start = stop

    def _write_group(self) -> None:
        if self._waiting:
            self._writer.write_table(self._group())
        self._waiting, self._waiting_rows, self._waiting_bytes = [], 0, 0

    def _group(self) -> pa.Table:
        """The rows that wait, in one chunk."""
        return pa.Table.from_batches(self._waiting, self.schema).combine_chunks()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._write_group()
            self._writer.close()
            if kind is None:
                self.written = storage.digest(str(self._path))
        except BaseException:
            self._writing.__exit__(*sys.exc_info())  # what could not be written whole is not moved into place
            raise
        self._writing.__exit__(kind, error, trace)


def _string_bytes(batch: pa.RecordBatch) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Bytes of each row's strings and binaries."""
    total = np.zeros(batch.num_rows, np.int64)
    for column in batch.columns:
        if pa.types.is_string(column.type) or pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
            total += pc.fill_null(pc.binary_length(column), 0).to_numpy(zero_copy_only=False)
    return total
