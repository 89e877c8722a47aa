"""Arrow files of a run whose bytes do not depend on how their rows arrived: for what later stages map and look into."""

from __future__ import annotations

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
