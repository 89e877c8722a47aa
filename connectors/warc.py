"""WARC and WET archives, read with FastWARC: plain, gzip, zstd (with or without a dictionary) and lz4.

Every record of the archive is yielded: pages with their decoded bytes, everything else with the reason why it is none.
Damage ends in a record of its own: `truncated_archive` at the file's end, `broken_archive` where reading failed. Behind
a broken place reading goes on at the next gzip member that starts a WARC record; in the other forms it ends there.

Offsets are FastWARC's stream positions: where the record's gzip member or frame starts, or the record itself in a plain
file. FastWARC cannot place a second record in one member (it names the member that follows), so an offset that does not
exceed the one before becomes the one before plus one: offsets always rise, and are the same on every reading.
Damage in the middle stands at the offset of the last record plus one, a truncated end at the length of the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from fastwarc.warc import ArchiveIterator, HeaderMap

from connectors import gzip_members, http
from connectors.fields import fit_date, fit_url
from connectors.records import Limits, Media, Record, Refusal
from connectors.storage import open_input

SUFFIXES = (
    ".warc",
    ".warc.gz",
    ".warc.zst",
    ".warc.lz4",
    ".wet",
    ".wet.gz",
    ".wet.zst",
    ".wat",
    ".wat.gz",
    ".arc",
    ".arc.gz",
)
MAGIC = (b"WARC/",)

HTML_TYPES = ("text/html", "application/xhtml+xml")
_CUT_FRAME = ("incomplete frame", "failed to fill whole buffer")  # what FastWARC says of zstd and of lz4
_ROBOTS = re.compile(r"[a-z]+://[^/?#]*/robots\.txt(?:[?#]|$)", re.IGNORECASE)
_LENGTH = re.compile(r"\d{1,18}", re.ASCII)


def read(uri: str, limits: Limits, first: int = 0, stop: int | None = None) -> Iterator[Record]:
    """The records [first, stop) of a WARC or WET file; see `connectors.records.Reader`.

    Raises also the `OSError` of the storage itself, so that a failing disk is not taken for a damaged archive.
    """
    for block in islice(_blocks(uri, limits), first, stop):
        yield _record(block, limits)


@dataclass(slots=True)
class _Block:
    """A record as it stands in the archive, or, without headers, a place at which the archive is damaged."""

    offset: int
    headers: HeaderMap | None = None
    length: int = 0
    content: bytes = b""
    damage: Refusal | None = None

    def header(self, name: bytes) -> str:
        value = self.headers.get_bytes(name) if self.headers is not None else None
        return value.decode("utf-8", "replace").strip() if value else ""


# The archive: its records, and where it is damaged.


def _blocks(uri: str, limits: Limits) -> Iterator[_Block]:
    """Every record of the archive and a block for each damaged place, their offsets rising."""
    with open_input(uri) as file, open_input(uri) as probe:
        gzipped = probe.read(3) == gzip_members.MAGIC
        size = probe.seek(0, 2)
        last = -1
        start: int | None = 0
        while start is not None:
            reading = _Reading(start)
            for block in reading.blocks(file, limits):
                last = block.offset = max(last + 1, block.offset)
                yield block
            resume = reading.resume(probe) if gzipped and reading.failed else None
            cut = resume is None and (reading.short or (gzipped and reading.is_cut(probe, size)))
            reason = _damage(size, reading, resume, cut)
            if reason:
                last = max(last + 1, size if cut else 0)
                yield _Block(last, damage=Refusal("quarantined", reason))
            start = resume


def _damage(size: int, reading: _Reading, resume: int | None, cut: bool) -> str:
    """What was wrong with the archive where a reading ended; "" if nothing was, or if it has been said already."""
    if size == 0:
        return "empty_file"
    if cut:
        return "truncated_archive"
    if not reading.records and reading.start == 0 and resume is None:
        return "not_a_warc"
    # A reading that was resumed and found nothing is still in the damage that the reading before it has told of.
    return "broken_archive" if reading.failed and (reading.records or reading.start == 0) else ""


class _Reading:
    """One run of FastWARC from a position to the end of the file or its first error, and what is known afterwards."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.members = [start]  # where members start, as FastWARC tells: the last two
        self.records = 0
        self.failed = False
        self.short = False  # the last record, or frame, holds less than it should: only the end of the file does that

    def blocks(self, file: BinaryIO, limits: Limits) -> Iterator[_Block]:
        file.seek(self.start)
        try:
            for record in ArchiveIterator(file, parse_http=False):
                block = _Block(record.stream_pos, record.headers, record.content_length)
                if block.length > limits.record_bytes:
                    held = record.consume()
                else:
                    block.content = record.reader.read()
                    held = len(block.content)
                self.short = held < block.length
                if self.short:
                    block.damage = Refusal("quarantined", "truncated_payload", held, block.length)
                if block.offset > self.members[-1]:
                    self.members = [self.members[-1], block.offset]
                self.records += 1
                yield block
        except OSError as error:
            if error.errno is not None:
                raise
            self.failed = True
            self.short = self.short or str(error) in _CUT_FRAME

    def resume(self, probe: BinaryIO) -> int | None:
        """The next gzip member behind the one in which reading failed that starts a WARC record."""
        member = self.members[-1]
        end = gzip_members.member_end(probe, member)[0] if self.records else member
        return gzip_members.next_member(probe, max(end, member + 1), b"WARC/")

    def is_cut(self, probe: BinaryIO, size: int) -> bool:
        """Whether the file ends inside a gzip member. FastWARC may name the file's end as the start of a member."""
        return gzip_members.ends_inside_member(
            probe, max(start for start in self.members if start < size or start == 0)
        )


# The record: a page, or why not.


def _record(block: _Block, limits: Limits) -> Record:
    if block.headers is None:
        return Record(block.offset, refusal=block.damage)
    url, date = fit_url(block.header(b"WARC-Target-URI")), fit_date(block.header(b"WARC-Date"))
    try:
        media, charset, content = _content(block, url, limits)
    except _Refused as refused:
        return Record(block.offset, url, date, refusal=refused.refusal)
    return Record(block.offset, url, date, media, charset, content)


class _Refused(Exception):
    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal


def _removed(reason: str, value: float | None = None) -> _Refused:
    return _Refused(Refusal("removed", reason, value))


def _quarantined(reason: str, value: float | None = None, threshold: float | None = None) -> _Refused:
    return _Refused(Refusal("quarantined", reason, value, threshold))


def _content(block: _Block, url: str, limits: Limits) -> tuple[Media, str, bytes]:
    """What a record holds for us: media, character set, bytes. Raises `_Refused`."""
    kind = block.header(b"WARC-Type").lower()
    if kind not in ("response", "resource", "conversion"):
        raise _removed("revisit" if kind == "revisit" else "not_a_response")
    if not _LENGTH.fullmatch(block.header(b"Content-Length")):
        raise _quarantined("bad_record_length")
    if block.length > limits.record_bytes:
        raise _quarantined("record_too_large", block.length, limits.record_bytes)
    content_type = block.header(b"Content-Type")
    if kind == "response" and http.media_type(content_type) in ("", "application/http"):
        return _page_of_response(block, url, limits)
    if kind == "conversion" and http.media_type(content_type) in ("", "text/plain"):
        return _text(block)
    if _ROBOTS.match(url):
        raise _removed("robots_txt")
    return _page(block, content_type, block.content)


def _text(block: _Block) -> tuple[Media, str, bytes]:
    _refuse_unsound(block, block.content)
    try:
        block.content.decode()
    except UnicodeDecodeError:
        raise _quarantined("bad_utf8") from None
    return "text", "", block.content


def _page_of_response(block: _Block, url: str, limits: Limits) -> tuple[Media, str, bytes]:
    if not block.content:
        _refuse_unsound(block, block.content)
    try:
        response = http.parse_response(block.content)
        if 300 <= response.status < 400:
            raise _removed("redirect", response.status)
        if not 200 <= response.status < 300:
            raise _removed("error_status", response.status)
        if _ROBOTS.match(url):
            raise _removed("robots_txt")
        content_type = response.last("content-type")
        if content_type and http.media_type(content_type) not in HTML_TYPES:
            raise _removed("not_html")
        body = block.content[response.body_start :]
        _refuse_unsound(block, body)
        transfer = response.get("transfer-encoding")
        if "chunked" in transfer.lower():
            body = http.dechunk(body)
        body = http.decode_content(body, f"{response.get('content-encoding')}, {transfer}", limits.record_bytes)
    except http.HttpError as error:
        threshold = limits.record_bytes if error.size is not None else None
        raise _quarantined(error.reason, error.size, threshold) from None
    return _page(block, content_type, body)


def _page(block: _Block, content_type: str, body: bytes) -> tuple[Media, str, bytes]:
    if content_type and http.media_type(content_type) not in HTML_TYPES:
        raise _removed("not_html")
    _refuse_unsound(block, body)
    if not content_type and not http.looks_like_html(body):
        raise _removed("not_html")
    return "html", http.charset(content_type), body


def _refuse_unsound(block: _Block, body: bytes) -> None:
    """Refuses what would be a page, were it whole and not empty."""
    if block.damage is not None:
        raise _Refused(block.damage)
    if block.header(b"WARC-Truncated"):
        raise _quarantined("truncated_payload", block.length)
    if not body or body.isspace():
        raise _removed("empty_body")
