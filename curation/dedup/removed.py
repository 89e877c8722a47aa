"""Which documents of a home are out, and for whom: a small table that each stage writes and later ones read."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from connectors import storage
from connectors.mapped_files import open_mapped
from connectors.storage import Written
from curation.run.folder import RunFolder

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
    """Writes a small table of a home: Arrow's file format, since it lives for this stage only."""
    with storage.writing(run.uri(path), lasting=False) as partial:
        with pa.OSFile(str(partial), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table.combine_chunks())
        return {path: storage.unhashed(str(partial))}


def read_table(run: RunFolder, path: str) -> pa.Table:
    """A small table of a home."""
    with open_mapped(run.uri(path)) as file:
        return pa.ipc.open_file(file).read_all()


def places_of(table: pa.Table) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The places that a table speaks of."""
    return np.asarray(table.column(PLACE).to_numpy().astype(np.int64))
