"""Single rows of a large Parquet file: its footer is read, and of the rest only the row groups that can hold them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from connectors.errors import UserError
from connectors.mapped_files import open_mapped

Numbers = npt.NDArray[np.int64]

_BYTES_AT_ONCE = 1 << 20  # decoded of a row group, until the row that was asked for is there


class SingleRows:
    """A Parquet file, open for questions about single rows. A row's number is its ordinal in the file.

    Each question costs the row groups that it names, whatever the size of the file. Raises `FileNotFoundError` where there
    is no file, and `UserError` where it cannot be read as Parquet.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri
        content = open_mapped(uri)
        with self._undamaged():
            self._file = pq.ParquetFile(content)
        footer = self._file.metadata
        self.names: list[str] = self._file.schema_arrow.names
        counts = [footer.row_group(group).num_rows for group in range(footer.num_row_groups)]
        self._ends = np.cumsum(counts, dtype=np.int64)
        self.rows = int(footer.num_rows)
        self._bounds = cache(self._read_bounds)

    def at(self, numbers: npt.ArrayLike, columns: Sequence[str]) -> pa.Table:
        """The rows with these numbers, in the order asked for. Raises IndexError for a number that is none."""
        asked = np.asarray(numbers, np.int64)
        if asked.size and not (asked.min() >= 0 and asked.max() < self.rows):
            raise IndexError(f"row {asked.min()} or {asked.max()} of {self.rows}")
        wanted, back = np.unique(asked, return_inverse=True)
        groups = self._groups_of(wanted)
        with self._undamaged():
            parts = [part for group, first in groups for part in self._read(group, first, wanted, columns)]
        table = pa.concat_tables(parts) if parts else self._empty(columns)
        return table if np.array_equal(wanted, asked) else table.take(pa.array(back))

    def among(self, column: str, values: npt.ArrayLike, columns: Sequence[str]) -> tuple[Numbers, pa.Table]:
        """All rows whose integer `column` is one of the values, and their numbers, in the file's order.

        Only row groups whose statistics admit one of the values are read.
        """
        wanted = np.unique(np.asarray(values, np.int64))
        found, parts = [np.zeros(0, np.int64)], list[pa.Table]()
        for group in range(len(self._ends)):
            low, high = self._bounds(group, column)
            if np.searchsorted(wanted, low) < np.searchsorted(wanted, high, side="right"):
                read = self._whole(group, dict.fromkeys([column, *columns]))
                inside = np.flatnonzero(np.isin(integers(read[column]), wanted))
                found.append(inside + self._start(group))
                parts.append(read.select(list(columns)).take(pa.array(inside)))
        return np.concatenate(found), pa.concat_tables(parts) if parts else self._empty(columns)

    def not_after(self, column: str, values: npt.ArrayLike) -> Numbers:
        """For each value the number of the last row whose `column`, which ascends through the file, is not above it.

        The row groups are found by bisection in their statistics. Raises IndexError for a value below the first row's.
        """
        asked = np.asarray(values, np.int64)
        found = np.empty_like(asked)
        groups = np.array([self._group_not_after(column, value) for value in asked.tolist()], np.int64)
        for group in np.unique(groups).tolist():
            here = groups == group
            read = integers(self._whole(group, [column])[column])
            found[here] = self._start(group) + np.searchsorted(read, asked[here], side="right") - 1
        return found

    def _group_not_after(self, column: str, value: int) -> int:
        group = bisect_right(range(len(self._ends)), value, key=lambda each: self._bounds(each, column)[0]) - 1
        if group < 0:
            raise IndexError(f"{value} lies before the first row")
        return group

    def _read_bounds(self, group: int, column: str) -> tuple[int, int]:
        """The least and the greatest value of a column in a row group; all there is where the file does not say."""
        statistics = self._file.metadata.row_group(group).column(self.names.index(column)).statistics
        if statistics is None or not statistics.has_min_max:
            return -(1 << 63), (1 << 63) - 1
        return int(statistics.min), int(statistics.max)

    def _start(self, group: int) -> int:
        return int(self._ends[group - 1]) if group else 0

    def _groups_of(self, wanted: Numbers) -> Iterator[tuple[int, int]]:
        """The row groups that hold rows with these ascending numbers, and the first row of each."""
        for group in np.unique(np.searchsorted(self._ends, wanted, side="right")).tolist():
            yield group, self._start(group)

    def _read(self, group: int, first: int, wanted: Numbers, columns: Sequence[str]) -> Iterator[pa.Table]:
        """The wanted rows of a row group. Nothing behind the last of them is decoded."""
        inside = wanted[(wanted >= first) & (wanted < self._ends[group])] - first
        start, rows = 0, max(1, _BYTES_AT_ONCE // self._row_bytes(group, columns))
        for batch in self._file.iter_batches(rows, row_groups=[group], columns=list(columns), use_threads=False):
            here = inside[(inside >= start) & (inside < start + batch.num_rows)]
            if here.size:
                yield pa.Table.from_batches([batch]).select(list(columns)).take(pa.array(here - start))
            start += batch.num_rows
            if start > inside[-1]:
                return

    def _whole(self, group: int, columns: Iterable[str]) -> pa.Table:
        with self._undamaged():
            return self._file.read_row_group(group, columns=list(columns), use_threads=False)

    @contextmanager
    def _undamaged(self) -> Iterator[None]:
        try:
            yield
        except (pa.ArrowException, OSError):
            raise UserError(f"{self.uri} is damaged: `corpusmill verify` tells of all that is") from None

    def _row_bytes(self, group: int, columns: Sequence[str]) -> int:
        """About what a row takes, decoded."""
        footer = self._file.metadata.row_group(group)
        sizes = [footer.column(self.names.index(name)).total_uncompressed_size for name in columns]
        return max(1, int(sum(sizes)) // max(1, int(footer.num_rows)))

    def _empty(self, columns: Sequence[str]) -> pa.Table:
        schema: Any = self._file.schema_arrow
        return pa.schema([schema.field(name) for name in columns]).empty_table()


def integers(column: pa.ChunkedArray) -> Numbers:
    """A column of integers without nulls, as an array."""
    return np.asarray(column.to_numpy(), np.int64)
