"""Which documents of a home are out, and for whom: a small table that each stage writes and later ones read."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from connectors import storage
from connectors.storage import Written
from curation.run.folder import RunFolder
from curation.run.parquet_output import ParquetOutput

PLACE = "place"  # in the home
NEARER = "nearer"  # number of the document that it is out for
SIMILARITY = "similarity"
REMOVED = pa.schema(
    [
        pa.field(PLACE, pa.uint32(), nullable=False),
        pa.field(NEARER, pa.uint64(), nullable=False),
        pa.field(SIMILARITY, pa.float32()),
    ]
)


def write_table(run: RunFolder, path: str, table: pa.Table) -> dict[str, Written]:
    """Writes a small table of a home."""
    with ParquetOutput(run.uri(path), table.schema) as output:
        for batch in table.to_batches():
            output.write(batch)
    assert output.written is not None
    return {path: output.written}


def read_table(run: RunFolder, path: str) -> pa.Table:
    """A small table of a home."""
    with storage.open_input(run.uri(path)) as file:
        return pq.read_table(file, use_threads=False)


def places_of(table: pa.Table) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The places that a table speaks of."""
    return np.asarray(table.column(PLACE).to_numpy().astype(np.int64))
