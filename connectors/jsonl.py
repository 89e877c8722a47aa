"""Text corpora as JSON lines, in the manner of C4: one object a line, `text` required, plain, gzip or zstd.

`url` and `timestamp` (or `date`) go to the record's fields, every other column to its `meta`. A blank line holds no
record. Lines are read as a stream and a longer one than the limit is never held.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import BinaryIO

import pyarrow as pa

from connectors.fields import text_record
from connectors.records import Limits, Record, Refusal
from connectors.storage import open_input

_ENDINGS = (".jsonl", ".json", ".ndjson")
SUFFIXES = tuple(ending + packing for ending in _ENDINGS for packing in ("", ".gz", ".zst"))
MAGIC = (b"{",)

BLOCK = 64 << 10  # bytes read at a time
ZSTD_BLOCK = 16 << 10  # bytes decoded at a time; what precedes a damage in the same block is lost
_GZIP = b"\x1f\x8b"
_CUT = "Truncated compressed stream"  # what Arrow says of a file that ends inside a frame
_ZSTD = b"\x28\xb5\x2f\xfd"


def read(uri: str, limits: Limits, first: int = 0, stop: int | None = None) -> Iterator[Record]:
    """The records [first, stop) of a file of JSON lines, blank lines not counted; see `connectors.records.Reader`.

    Raises also the `OSError` of the storage itself, so that a failing disk is not taken for a damaged file.
    """
    with open_input(uri) as file:
        for number, line in islice(_lines(_decoded(file), limits), first, stop):
            yield _record(number, line, limits) if isinstance(line, bytes) else Record(number, refusal=line)


def _record(number: int, line: bytes, limits: Limits) -> Record:
    try:
        columns = json.loads(line.decode(), parse_constant=lambda _: None)
    except UnicodeError:
        return Record(number, refusal=Refusal("quarantined", "bad_utf8"))
    except (ValueError, RecursionError):
        return Record(number, refusal=Refusal("quarantined", "bad_json"))
    if not isinstance(columns, dict):
        return Record(number, refusal=Refusal("quarantined", "bad_json"))
    text = columns.pop("text", None)
    return text_record(number, text if isinstance(text, str) else None, columns, limits)


def _lines(blocks: Iterable[bytes | Refusal], limits: Limits) -> Iterator[tuple[int, bytes | Refusal]]:
    """Lines that are not blank with their numbers; a refusal in place of a line that is too long, and of damage."""
    number = 0
    parts: list[bytes] = []  # of the line that has not ended yet; empty when it has become too long
    length = 0

    def line() -> bytes | Refusal:
        if length > limits.record_bytes:
            return Refusal("quarantined", "record_too_large", length, limits.record_bytes)
        return b"".join(parts).removeprefix(b"\xef\xbb\xbf" if number == 0 else b"")

    for block in blocks:
        if isinstance(block, Refusal):
            yield number, block
            return
        pieces = block.split(b"\n")
        for last, piece in enumerate(pieces, 1 - len(pieces)):
            length += len(piece)
            parts.append(piece)
            if length > limits.record_bytes:
                parts.clear()
            if last < 0:
                ended = line()
                if isinstance(ended, Refusal) or ended.strip():
                    yield number, ended
                number, length = number + 1, 0
                parts.clear()
    ended = line()
    if isinstance(ended, Refusal) or ended.strip():
        yield number, ended


def _decoded(file: BinaryIO) -> Iterator[bytes | Refusal]:
    """The file's bytes, decompressed; a refusal at the end where it is damaged."""
    magic = file.read(4)
    file.seek(0)
    if magic.startswith(_GZIP):
        return _gunzip(file)
    if magic == _ZSTD:
        return _unzstd(file)
    return iter(lambda: file.read(BLOCK), b"")


def _gunzip(file: BinaryIO) -> Iterator[bytes | Refusal]:
    """Gzip members end to end; zeros behind the last are padding."""
    decoder = zlib.decompressobj(31)
    begun = False
    while block := file.read(BLOCK):
        while block:
            if not begun and not (block := block.lstrip(b"\0")):
                break
            begun = True
            try:
                decoded = decoder.decompress(block, BLOCK)
            except zlib.error:
                yield Refusal("quarantined", "broken_archive")
                return
            if decoded:
                yield decoded
            block = decoder.unconsumed_tail
            if decoder.eof:
                block = decoder.unused_data
                decoder, begun = zlib.decompressobj(31), False
    if begun:
        yield Refusal("quarantined", "truncated_archive")


def _unzstd(file: BinaryIO) -> Iterator[bytes | Refusal]:
    try:
        with pa.CompressedInputStream(pa.PythonFile(file, "r"), "zstd") as stream:
            while block := stream.read(ZSTD_BLOCK):
                yield block
    except OSError as error:
        if error.errno is not None:
            raise
        yield Refusal("quarantined", "truncated_archive" if _CUT in str(error) else "broken_archive")
