"""Arrow files of a run whose bytes do not depend on how their rows arrived: for what later stages map and look into."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from curation.run.parquet_output import ROWS, ParquetOutput


class ArrowOutput(ParquetOutput):
    """A file in Arrow's format, uncompressed, written as a `ParquetOutput` is: a record batch a group of rows.

    Groups are larger: who maps a file pays for each of them, whatever it looks at.
    """

    most_rows = 4 * ROWS

    def _open(self, path: Path) -> Any:
        return pa.ipc.new_file(str(path), self.schema)

    def _group(self) -> pa.Table:
        """As it is however the rows came: copied, so that buffers end with them, and no bitmap where no row is null."""
        columns = [exact(column.chunks) for column in pa.Table.from_batches(self._waiting, self.schema).columns]
        return pa.Table.from_arrays(columns, schema=self.schema)


def exact(chunks: Sequence[pa.Array]) -> pa.Array:
    """Chunks as one array in buffers of its own."""
    column = pa.concat_arrays([chunks[0].slice(0, 0), *chunks])
    if column.null_count:
        return column
    return pa.Array.from_buffers(column.type, len(column), [None, *column.buffers()[1:]], 0, column.offset)
