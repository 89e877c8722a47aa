"""Megatron's shard of tokens: `PREFIX.bin` holds the tokens end to end, `PREFIX.idx` says where each document is.

The .idx file, little-endian, without padding (megatron-core 0.16.1, datasets/indexed_dataset.py):

    offset      bytes
    0           9       b"MMIDIDX\\0\\0"
    9           8       u64 version, 1
    17          1       u8 code of the tokens' type
    18          8       u64 S, number of sequences
    26          8       u64 D, number of documents + 1
    34          4 S     i32 tokens of each sequence
    34 +  4 S   8 S     i64 byte in .bin where each sequence starts
    34 + 12 S   8 D     i64 first sequence of each document, then S

A document is one sequence here, its end-of-document token included. Shards of other writers may hold several sequences
a document; the reader takes them too. Types that are no integers (float32, float64) are refused.
"""

from __future__ import annotations

import struct
from array import array
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
import numpy.typing as npt

from connectors.errors import UserError

MAGIC = b"MMIDIDX\x00\x00"
VERSION = 1
HEADER = struct.Struct("<9sQBQQ")  # magic, version, type code, sequences, documents + 1
TYPE_CODES = {"uint8": 1, "int8": 2, "int16": 3, "int32": 4, "int64": 5, "uint16": 8}
TYPES = {code: np.dtype(name).newbyteorder("<") for name, code in TYPE_CODES.items()}

Integers = npt.NDArray[np.integer[Any]]


def optimal_dtype(vocabulary_size: int) -> np.dtype[Any]:
    """The type of a vocabulary's tokens: two bytes below 65,500 tokens, else four, signed.

    Source: `DType.optimal_dtype` of megatron-core 0.16.1.
    """
    return np.dtype("<u2" if vocabulary_size < 65_500 else "<i4")


class ShardWriter:
    """Writes a shard as its documents come. In memory stay the lengths alone, 4 bytes a document.

    Bytes equal those of `IndexedDatasetBuilder` of megatron-core 0.16.1 with one `add_document` a document. The caller
    names both files, so that it may write under temporary names and move them into place. Without `finish` there is no
    .idx file.

        with ShardWriter(bin_path, idx_path, optimal_dtype(tokenizer.vocabulary_size)) as shard:
            shard.add_documents(tokens, lengths)
            shard.finish()
    """

    def __init__(self, bin_path: str | Path, idx_path: str | Path, dtype: npt.DTypeLike) -> None:
        self.dtype = np.dtype(dtype).newbyteorder("<")
        if self.dtype.name not in TYPE_CODES:
            raise ValueError(f"tokens can't be of type {self.dtype.name}: one of {', '.join(TYPE_CODES)}")
        self.tokens = 0  # written so far
        self._idx_path = Path(idx_path)
        self._lengths = array("i")
        self._bin: BinaryIO = open(bin_path, "wb")  # noqa: SIM115 - closed by `finish` or on leaving the context

    @property
    def documents(self) -> int:
        """Number of documents written so far."""
        return len(self._lengths)

    def add_documents(self, tokens: Integers, lengths: Integers) -> None:
        """Append documents: their tokens end to end, and how many tokens each has (0 is allowed).

        Raises ValueError, and writes nothing, when the lengths do not add up or a token does not fit the shard's type.
        """
        tokens, lengths = np.asarray(tokens), np.asarray(lengths)
        if lengths.sum(dtype=np.int64) != len(tokens) or (len(lengths) and lengths.min() < 0):
            raise ValueError(f"lengths add up to {lengths.sum()}, there are {len(tokens)} tokens")
        if len(lengths) and lengths.max() > np.iinfo(np.int32).max:
            raise ValueError(f"a document of {lengths.max()} tokens is longer than the format allows (2^31 - 1)")
        limits = np.iinfo(self.dtype)
        if len(tokens) and not (limits.min <= tokens.min() and tokens.max() <= limits.max):
            raise ValueError(f"tokens from {tokens.min()} to {tokens.max()} do not fit {self.dtype.name}")
        self._bin.write(np.ascontiguousarray(tokens, dtype=self.dtype).data)
        self._lengths.frombytes(lengths.astype(np.intc).tobytes())
        self.tokens += len(tokens)

    def finish(self) -> None:
        """Close the .bin file and write the .idx file."""
        self._bin.close()
        lengths = np.frombuffer(self._lengths, dtype=np.intc) if self._lengths else np.zeros(0, np.intc)
        write_index(self._idx_path, lengths, self.dtype)

    def close(self) -> None:
        """Close the .bin file; harmless after `finish`."""
        self._bin.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def write_index(path: str | Path, lengths: Integers, dtype: np.dtype[Any]) -> None:
    """Write the .idx file of documents whose tokens, of this type, lie end to end in a .bin file."""
    count = len(lengths)
    ends = np.cumsum(lengths, dtype="<i8")
    ends *= dtype.itemsize
    with open(path, "wb") as idx:
        idx.write(HEADER.pack(MAGIC, VERSION, TYPE_CODES[dtype.name], count, count + 1))
        idx.write(np.ascontiguousarray(lengths, dtype="<i4").data)
        if count:
            idx.write(b"\0" * 8)
            idx.write(ends[:-1].data)
        idx.write(np.arange(count + 1, dtype="<i8").data)


class ShardReader:
    """A shard as memory-mapped arrays. Opening it reads the header and a few entries, whatever the shard's size.

    `len(reader)` is the number of documents, `reader.tokens` the number of tokens, `reader.dtype` their type.
    Raises UserError when a file is missing, no shard, or of another size than its header says.
    """

    def __init__(self, prefix: str | Path) -> None:
        self.bin_path, self.idx_path = Path(f"{prefix}.bin"), Path(f"{prefix}.idx")
        for path in (self.bin_path, self.idx_path):
            if not path.is_file():
                raise UserError(f"There is no file '{path}': a shard is a .bin and a .idx file of one name.")
        index_bytes, token_bytes = self.idx_path.stat().st_size, self.bin_path.stat().st_size
        self.dtype, sequences, entries = self._header(index_bytes)
        index = np.memmap(self.idx_path, dtype=np.uint8, mode="r")
        self._sequence_lengths: Integers = np.frombuffer(index, "<i4", sequences, HEADER.size)
        self._sequence_starts: Integers = np.frombuffer(index, "<i8", sequences, HEADER.size + 4 * sequences)
        self._first_sequence: Integers = np.frombuffer(index, "<i8", entries, HEADER.size + 12 * sequences)
        promised = 0
        if sequences:
            promised = int(self._sequence_starts[-1]) + int(self._sequence_lengths[-1]) * self.dtype.itemsize
        if promised != token_bytes:
            raise UserError(
                f"'{self.bin_path}' has {token_bytes} bytes, its index says {promised}: the shard is cut short, or the "
                "two files are not of one shard. Write it again."
            )
        if self._first_sequence[0] != 0 or self._first_sequence[-1] != sequences:
            raise UserError(f"'{self.idx_path}' is damaged: its documents do not cover its {sequences} sequences.")
        self.tokens = token_bytes // self.dtype.itemsize
        self._tokens: Integers = (
            np.memmap(self.bin_path, dtype=self.dtype, mode="r") if token_bytes else np.zeros(0, self.dtype)
        )

    def _header(self, size: int) -> tuple[np.dtype[Any], int, int]:
        """Token type, sequences, and entries of the document index, all checked against the file's size in bytes."""
        with open(self.idx_path, "rb") as file:
            head = file.read(HEADER.size)
        if len(head) < HEADER.size or not head.startswith(MAGIC):
            raise UserError(f"'{self.idx_path}' is no index of a shard: it does not begin with Megatron's header.")
        _, version, code, sequences, entries = HEADER.unpack(head)
        if version != VERSION:
            raise UserError(f"'{self.idx_path}' has version {version} of the index format; {VERSION} is known.")
        if code not in TYPES:
            raise UserError(f"'{self.idx_path}' names token type {code}; known: {sorted(TYPES)}.")
        expected = HEADER.size + 12 * sequences + 8 * entries
        multimodal = expected + sequences  # Megatron adds a byte a sequence for its modes
        if entries < 1 or size not in (expected, multimodal):
            raise UserError(
                f"'{self.idx_path}' has {size} bytes, but {sequences} sequences and {entries - 1} documents make "
                f"{expected}: the file is cut short or damaged. Write the shard again."
            )
        return TYPES[code], sequences, entries

    def __len__(self) -> int:
        return len(self._first_sequence) - 1

    def _starts(self, documents: slice) -> npt.NDArray[np.int64]:
        """First token of each of these entries of the document index; the last entry of all is the end of the shard."""
        sequences = self._first_sequence[documents]
        starts = np.full(len(sequences), self.tokens, dtype=np.int64)
        inside = sequences < len(self._sequence_starts)
        starts[inside] = self._sequence_starts[sequences[inside]] // self.dtype.itemsize
        return starts

    @property
    def starts(self) -> npt.NDArray[np.int64]:
        """Position of each document's first token in the shard."""
        return self._starts(slice(0, len(self)))

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Number of tokens of each document."""
        return np.diff(self._starts(slice(None)))

    def document(self, index: int) -> Integers:
        """Tokens of one document, a read-only view of the file. Raises IndexError outside 0 … documents - 1."""
        if not 0 <= index < len(self):
            raise IndexError(f"document {index} of a shard of {len(self)}")
        first, stop = self._starts(slice(index, index + 2))
        return self._tokens[first:stop]

    def range(self, first: int, stop: int) -> Integers:
        """Tokens first … stop - 1 of the shard, a read-only view. Raises IndexError where they are not all there."""
        if not 0 <= first <= stop <= self.tokens:
            raise IndexError(f"tokens {first} to {stop} of a shard of {self.tokens}")
        return self._tokens[first:stop]

    def check(self) -> None:
        """Read the whole index and raise UserError unless sequences follow each other without gap or overlap."""
        ends = np.cumsum(self._sequence_lengths, dtype=np.int64) * self.dtype.itemsize
        starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]])[: len(ends)]
        if np.any(self._sequence_lengths < 0) or not np.array_equal(self._sequence_starts, starts):
            raise UserError(f"'{self.idx_path}' is damaged: sequences do not lie end to end. Write the shard again.")
        if np.any(np.diff(self._first_sequence) < 0):
            raise UserError(f"'{self.idx_path}' is damaged: documents are out of order. Write the shard again.")
