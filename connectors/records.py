"""What every reader yields: one record of an input, with either its content or the reason why it has none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

Media = Literal["html", "text", ""]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a record is no document.

    `removed`: it was read well and is not a page (a request, a redirect, an image, an empty body).
    `quarantined`: it could not be read, or not within the limits (damaged, too large, unknown encoding).
    `value` and `threshold` hold the figures behind the reason where it has any (an HTTP status, a size in bytes).
    A reason never quotes content.
    """

    fate: Literal["removed", "quarantined"]
    reason: str
    value: float | None = None
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One record of an input file, in the order of the file.

    offset    where the record starts in the file: a byte position for archives, a line number from 0 for JSONL, a row
              number for Parquet. Unique within a file, and the same on every reading.
    url       the page's address, "" where there is none
    date      capture time as the archive states it, RFC 3339, "" where there is none
    media     "html": `content` is a page's bytes, decoded from transfer and content encodings;
              "text": `content` is UTF-8 text; "": there is no content
    charset   the character set that the HTTP header names, lower case, "" where it names none
    content   the bytes, b"" for a refused record
    meta      the user's own columns as a JSON object, "" where there are none
    refusal   why this record is no document; None for one that is
    """

    offset: int
    url: str = ""
    date: str = ""
    media: Media = ""
    charset: str = ""
    content: bytes = b""
    meta: str = ""
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what a reader holds in memory for one record, in bytes after decompression."""

    record_bytes: int = 32 << 20


class Reader(Protocol):
    """Reads one file, or the records [first, stop) of it, as a stream.

    Every record is yielded, good or refused; damage never raises but ends in a record with a `quarantined` refusal
    (reading goes on behind it where the format allows). Raises `OSError` only where storage itself fails: a file that is
    not there, a right that lacks, a disk that breaks.
    """

    def __call__(self, uri: str, limits: Limits, first: int = 0, stop: int | None = None) -> Iterator[Record]: ...
