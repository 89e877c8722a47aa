"""The file that the first pass writes for each split: what deduplication compares, without the text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from connectors import storage
from curation.dedup.homes import Home, Part, Places
from curation.run.documents import DOC_ID

URL_HASH = "url_hash"
TEXT_HASH = "text_hash"
POLICY = "policy_class"
KEYS = "keys"
FINER_KEYS = "finer_keys"
AGREEMENT = "agreement"
SKETCH = "sketch"
PLAIN = [DOC_ID, URL_HASH, TEXT_HASH, KEYS, FINER_KEYS, AGREEMENT, SKETCH]  # hashes: there is nothing to compress


def signature_schema(keys: int, finer_keys: int, agreement: int) -> pa.Schema:
    """The schema of a signature file whose documents have so many keys of each kind, and bytes to agree in.

    Hashes are null where there is nothing to hash; what MinHash gives is null for a text that is too short, and where
    nothing asks for it. A sketch is that of `sketches.py`, its hashes as u32; empty for a text that is too short.
    """
    return pa.schema(
        [
            pa.field(DOC_ID, pa.binary(16), nullable=False),
            pa.field(URL_HASH, pa.binary(16)),
            pa.field(TEXT_HASH, pa.binary(16)),
            pa.field(POLICY, pa.uint16(), nullable=False),
            pa.field(KEYS, pa.binary(8 * max(1, keys))),
            pa.field(FINER_KEYS, pa.binary(8 * max(1, finer_keys))),
            pa.field(AGREEMENT, pa.binary(max(1, agreement))),
            pa.field(SKETCH, pa.large_binary()),
        ]
    )


def read_column(home: Home, name: str) -> pa.Array:
    """One column of a home's signature files, as one array."""
    chunks = []
    for part in home.parts:
        with opened(part) as file:
            chunks += file.read(columns=[name], use_threads=False).column(name).chunks
    return pa.concat_arrays(chunks)


def read_rows(home: Home, columns: Sequence[str], places: Places) -> pa.Table:
    """Some documents of a home, whose places ascend. Reads only the row groups that hold them."""
    parts: list[pa.Table] = []
    for part in home.parts:
        first = part.first - home.first
        here = places[np.searchsorted(places, first) : np.searchsorted(places, first + part.documents)] - first
        if len(here) or not parts:
            with opened(part) as file:
                parts += list(row_groups(file, columns, here))
    return pa.concat_tables(parts).combine_chunks()


def row_groups(file: pq.ParquetFile, columns: Sequence[str], places: Places) -> Iterator[pa.Table]:
    """The rows of a file at some places, a row group after the other; a table without rows where there is none."""
    start = 0
    yield file.schema_arrow.empty_table().select(list(columns))
    for number in range(file.num_row_groups):
        rows = file.metadata.row_group(number).num_rows
        here = places[np.searchsorted(places, start) : np.searchsorted(places, start + rows)] - start
        if len(here):
            table = file.read_row_group(number, columns=list(columns), use_threads=False)
            yield table if len(here) == rows else table.take(pa.array(here))
        start += rows


@contextmanager
def opened(part: Part) -> Iterator[pq.ParquetFile]:
    """A part's signature file. Raises `ValueError` for one of another length."""
    with storage.open_mapped(part.signatures) as mapped:
        file = pq.ParquetFile(mapped)
        if file.metadata.num_rows != part.documents:
            raise ValueError(f"{part.signatures} has {file.metadata.num_rows} documents, not {part.documents}")
        yield file


def in_one(column: pa.ChunkedArray) -> pa.Array:
    """A column's one chunk as it is: to combine that would copy it."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def words_of(column: Any) -> npt.NDArray[np.uint64]:
    """A column of hashes as uint64[rows, words]; what a null holds is anything. No copy."""
    width = column.type.byte_width // 8
    return np.frombuffer(column.buffers()[1], np.uint64).reshape(-1, width)[column.offset :][: len(column)]


def bytes_of(column: Any) -> npt.NDArray[np.uint8]:
    """A column of bytes as uint8[rows, width]. No copy."""
    width = column.type.byte_width
    return np.frombuffer(column.buffers()[1], np.uint8).reshape(-1, width)[column.offset :][: len(column)]
