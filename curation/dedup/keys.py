"""A document's keys, and how they travel: documents that share a key are candidates for being one.

Key 0 is the hash of the whole text (exact duplicates), key 1 … bands those of the signature's bands. A blob holds the keys
of one split for one partition: 12 bytes a key, no text.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xxhash

from connectors import storage
from curation.dedup.signature import band_keys, signatures
from curation.run.documents import DOC_ID, TEXT, with_column
from curation.text.columns import shared_batch

Numbers = np.ndarray[tuple[int], np.dtype[np.uint64]]

TEXT_HASH = "text_hash"
SIGNATURE = "signature"
PERMUTATIONS = 112
SIGNATURES = pa.schema(
    [
        pa.field(DOC_ID, pa.binary(16), nullable=False),
        pa.field(TEXT_HASH, pa.binary(16), nullable=False),
        pa.field(SIGNATURE, pa.binary(8 * PERMUTATIONS)),
    ]
)
_HEADER = struct.Struct("<QI")  # number of the split's first document, keys in the blob


@dataclass(frozen=True)
class Keys:
    """The step that adds what deduplication compares: the text's hash and, if `near`, its MinHash signature.

    The signature is null where the text is too short for one. No document ends here.
    """

    near: bool
    name: str = "keys"

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with both columns."""
        texts, rows = shared_batch(batch.column(TEXT))
        hashes = [xxhash.xxh3_128_digest(texts.buffer[texts.bounds[row] : texts.bounds[row + 1]]) for row in rows]
        batch = with_column(batch, TEXT_HASH, pa.array(hashes, pa.binary(16)))
        if not self.near:
            return with_column(batch, SIGNATURE, pa.nulls(batch.num_rows, SIGNATURES.field(SIGNATURE).type))
        values, present = signatures(texts)
        packed = pa.py_buffer(np.ascontiguousarray(values[rows], "<u8"))
        signed = pa.Array.from_buffers(SIGNATURES.field(SIGNATURE).type, len(rows), [None, packed])
        return with_column(batch, SIGNATURE, pc.if_else(pa.array(present[rows]), signed, None))


@dataclass(frozen=True)
class PackKeys:
    """The emitting half of the shuffle: a split's signature file in, a blob for each partition out.

    An item is (URI of the signature file, number of its first document); numbers count survivors over all splits.
    """

    partitions: int
    bands: int
    rows: int
    exact: bool

    def __call__(self, item: tuple[str, int]) -> Iterator[tuple[int, bytes]]:
        uri, first = item
        keys, ordinals = self._keys(uri)
        partition = keys % np.uint64(self.partitions)
        order = np.argsort(partition, kind="stable")
        cuts = np.searchsorted(partition[order], np.arange(self.partitions + 1, dtype=np.uint64))
        for number in range(self.partitions):
            chosen = order[cuts[number] : cuts[number + 1]]
            if len(chosen):
                yield number, pack(first, keys[chosen], ordinals[chosen])

    def _keys(self, uri: str) -> tuple[Numbers, np.ndarray[tuple[int], np.dtype[np.uint32]]]:
        """All keys of a split and the ordinal of the document that each belongs to."""
        keys: list[Numbers] = [np.zeros(0, np.uint64)]
        ordinals = [np.zeros(0, np.uint32)]
        start = 0
        with storage.open_input(uri) as file:
            for batch in pq.ParquetFile(file).iter_batches(columns=[TEXT_HASH, SIGNATURE]):
                here = np.arange(start, start + batch.num_rows, dtype=np.uint32)
                if self.exact:
                    hashed = b"".join(batch.column(TEXT_HASH).to_pylist())
                    keys.append(np.frombuffer(hashed, "<u8")[::2])
                    ordinals.append(here)
                signed = batch.column(SIGNATURE).to_pylist() if self.bands else []
                has = np.array([value is not None for value in signed], bool)
                if has.any():
                    values = np.frombuffer(b"".join(v for v in signed if v is not None), "<u8")
                    banded = band_keys(values.reshape(-1, PERMUTATIONS), self.bands, self.rows)
                    keys.append(banded.ravel())
                    ordinals.append(np.repeat(here[has], self.bands))
                start += batch.num_rows
        return np.concatenate(keys), np.concatenate(ordinals)


def pack(first: int, keys: Numbers, ordinals: np.ndarray[tuple[int], np.dtype[np.uint32]]) -> bytes:
    """A blob: header, keys, ordinals, little-endian."""
    return _HEADER.pack(first, len(keys)) + keys.astype("<u8").tobytes() + ordinals.astype("<u4").tobytes()


def unpack(blob: bytes) -> tuple[Numbers, Numbers]:
    """The keys and document numbers of a blob."""
    first, count = _HEADER.unpack_from(blob)
    keys = np.frombuffer(blob, "<u8", count, _HEADER.size)
    ordinals = np.frombuffer(blob, "<u4", count, _HEADER.size + 8 * count)
    return keys, ordinals.astype(np.uint64) + np.uint64(first)


def star_edges(_partition: int, blobs: Sequence[bytes]) -> bytes:
    """The reducing half: an edge from each document to the smallest number that it shares a key with.

    Gives pairs (smaller, larger) as little-endian u64, sorted, each once. Linear in the keys but for the sort.
    """
    parts = [unpack(blob) for blob in blobs]
    keys = np.concatenate([keys for keys, _ in parts])
    numbers = np.concatenate([numbers for _, numbers in parts])
    order = np.lexsort((numbers, keys))
    keys, numbers = keys[order], numbers[order]
    begins = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    smallest = np.repeat(numbers[begins], np.diff(np.append(begins, len(keys))))
    joined = smallest != numbers
    edges = np.stack([smallest[joined], numbers[joined]], axis=1)
    return np.unique(edges, axis=0).astype("<u8").tobytes()
