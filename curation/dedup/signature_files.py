"""The file that the first pass writes for each split: what deduplication compares, without the text.

Arrow's file format, uncompressed: hashes do not compress, and whoever looks at a few of them maps the file. An index has
the same columns in Parquet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from connectors import storage
from connectors.mapped_files import let_go as give_back
from connectors.mapped_files import mapped
from curation.dedup.homes import Home, Places
from curation.run.documents import DOC_ID

URL_HASH = "url_hash"
TEXT_HASH = "text_hash"
POLICY = "policy_class"
KEYS = "keys"
FINER_KEYS = "finer_keys"
AGREEMENT = "agreement"
SKETCH = "sketch"
INDEX = ".parquet"  # ending of a file of an index
MOST_MAPPED = 2048  # files, by a process: some 20 kB each, and no memory for what is not being looked at
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


@dataclass(frozen=True, slots=True)
class Piece:
    """Some consecutive documents of a file: how many, what gives columns of these names, in this order, and the file if mapped."""

    documents: int
    columns: Callable[[Sequence[str]], pa.RecordBatch]
    content: pa.Buffer | None = None


def pieces(home: Home) -> list[Piece]:
    """A home's documents piece by piece, in order. Raises `ValueError` for a file of another length."""
    found: list[Piece] = []
    for part in home.parts:
        given = index_pieces if part.signatures.endswith(INDEX) else mapped_pieces
        here = list(given(part.signatures))
        documents = sum(piece.documents for piece in here)
        if documents != part.documents:
            raise ValueError(f"{part.signatures} has {documents} documents, not {part.documents}")
        found += here
    return found


def mapped_pieces(uri: str) -> tuple[Piece, ...]:
    """Of a signature file: mapped, so that only what is looked at is read, and nothing copied."""
    return _mapped(uri, storage.stamp(uri))


@lru_cache(MOST_MAPPED)
def _mapped(uri: str, _stamp: tuple[int, int, int]) -> tuple[Piece, ...]:
    """A file stays mapped from one look to the next: homes look into each other's over and over, at a few documents each time."""
    content = mapped(uri)
    file = pa.ipc.open_file(content)
    batches = [file.get_batch(number) for number in range(file.num_record_batches)]
    return tuple(Piece(batch.num_rows, batch.select, content) for batch in batches)


def unmap() -> None:
    """Ends what this process has mapped, so that files that are removed leave the disk. A worker's ends with the worker."""
    _mapped.cache_clear()


def let_go(home: Home) -> None:
    """Gives back the memory of a home's files that were looked at. Whoever looks does so at the end."""
    for content in {id(piece.content): piece.content for piece in pieces(home) if piece.content}.values():
        give_back(content)


def index_pieces(uri: str) -> Iterator[Piece]:
    """Of a file of an index."""
    file = pq.ParquetFile(pa.BufferReader(mapped(uri)))
    for number in range(file.num_row_groups):
        yield Piece(file.metadata.row_group(number).num_rows, partial(read_row_group, file, number))


def read_row_group(file: pq.ParquetFile, number: int, names: Sequence[str]) -> pa.RecordBatch:
    """Columns of a row group."""
    table = file.read_row_group(number, columns=list(names), use_threads=False).select(list(names))
    return table.combine_chunks().to_batches()[0]


def chosen_pieces(home: Home, places: Places) -> Iterator[tuple[int, Piece, Places]]:
    """The pieces that hold some places of a home, which ascend, each with the place of its first, and where in it they are."""
    given = pieces(home)
    ends = np.cumsum([0, *(piece.documents for piece in given)])
    cuts = np.searchsorted(places, ends)
    for number in np.flatnonzero(np.diff(cuts)).tolist():
        yield int(ends[number]), given[number], places[cuts[number] : cuts[number + 1]] - ends[number]


def read_column(home: Home, name: str) -> pa.Array:
    """One column of a home's signature files, as one array."""
    column = pa.concat_arrays([piece.columns([name]).column(0) for piece in pieces(home)])
    let_go(home)
    return column


def read_rows(home: Home, schema: pa.Schema, places: Places) -> pa.RecordBatch:
    """Some documents of a home, whose places ascend: the columns of a schema. Reads only the pieces that hold them."""
    read = [piece.columns(schema.names).take(pa.array(here)) for _, piece, here in chosen_pieces(home, places)]
    columns = [
        [pa.array([], field.type), *(batch.column(place) for batch in read)] for place, field in enumerate(schema)
    ]
    let_go(home)
    return pa.RecordBatch.from_arrays([pa.concat_arrays(chunks) for chunks in columns], schema=schema)


def read_values(home: Home, name: str, places: Places) -> npt.NDArray[np.uint8]:
    """A column of fixed width at some places of a home, which ascend: uint8[places, width]."""
    found, row = np.empty((len(places), 0), np.uint8), 0
    for _, piece, here in chosen_pieces(home, places):
        given = bytes_of(piece.columns([name]).column(0))
        found = found if row else np.empty((len(places), given.shape[1]), np.uint8)
        np.take(given, here, axis=0, out=found[row : row + len(here)], mode="clip")
        row += len(here)
    let_go(home)
    return found


def read_classes(home: Home, places: Places) -> npt.NDArray[np.uint16]:
    """Policy classes at some places of a home, which ascend."""
    return read_values(home, POLICY, places).reshape(-1).view(np.uint16)


def in_one(column: pa.ChunkedArray) -> pa.Array:
    """A column's one chunk as it is: to combine that would copy it."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def binary(values: npt.NDArray[Any], kind: pa.DataType, present: pa.Array | None = None) -> pa.Array:
    """The rows of an array as a column of their bytes, null where a column of booleans says that they are not there. No copy."""
    if values.size == 0:
        return pa.nulls(len(values), kind)
    there = None if present is None else present.buffers()[1]
    return pa.Array.from_buffers(kind, len(values), [there, pa.py_buffer(np.ascontiguousarray(values))])


def words_of(column: Any) -> npt.NDArray[np.uint64]:
    """A column of hashes as uint64[rows, words]; what a null holds is anything. No copy."""
    width = column.type.byte_width // 8
    return np.frombuffer(column.buffers()[1], np.uint64).reshape(-1, width)[column.offset :][: len(column)]


def bytes_of(column: Any) -> npt.NDArray[np.uint8]:
    """A column of bytes as uint8[rows, width]. No copy."""
    width = column.type.bit_width // 8
    return np.frombuffer(column.buffers()[1], np.uint8).reshape(-1, width)[column.offset :][: len(column)]
