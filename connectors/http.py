"""HTTP messages as archives hold them: headers, chunked bodies, content encodings, read as leniently as browsers do.

Pure functions over bytes. They raise `HttpError` and nothing else, and never make more output than they are told to.
Sources: RFC 9110 and RFC 9112; where servers stray from them, the Fetch and MIME Sniffing standards (whatwg.org), and
what warcio 1.8.1 accepts.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

import pyarrow as pa

HEADER_BYTES = 256 << 10  # a longer header block is refused, as in Chromium
MEMBERS = 64  # more gzip members in one body are refused
CODINGS = 4  # more layers of content encoding than this are refused
WINDOW = 64 << 10  # bytes decoded at a time where the decoder takes no bound itself

_STATUS = re.compile(rb"\s*(?:HTTP|ICY|h2|h3)[^\s]*[ \t]+(\d{1,3})(?!\d)", re.IGNORECASE)
_HEADERS_END = re.compile(rb"\r?\n\r?\n")
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\n]*)?\r?\n")
_CHARSET = re.compile(r"charset\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s;,\"']+))", re.IGNORECASE)
_HTML_START = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*+(?><!--.{0,4096}?-->\s*+|<\?xml.{0,512}?\?>\s*+)*+"
    rb"<(?:!doctype\s+html|html|head|body|title|script|style|iframe|table|div|font|meta|h1|br|p|a|b)[\s>/]",
    re.IGNORECASE | re.DOTALL,
)
# Registered content encodings that we do not decode. What is not registered at all ("utf-8", "none") browsers ignore.
_UNDECODABLE = frozenset({"compress", "x-compress", "dcb", "dcz", "aes128gcm", "exi", "pack200-gzip", "bzip2", "xz"})


class HttpError(ValueError):
    """A message that cannot be read. `reason` is a word for the ledger, `size` the bytes at which it was too large."""

    def __init__(self, reason: str, size: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.size = size


@dataclass(frozen=True, slots=True)
class Response:
    """A parsed response: the status, the header fields in order with lower-case names, and where the body starts."""

    status: int
    fields: tuple[tuple[str, str], ...]
    body_start: int

    def get(self, name: str) -> str:
        """All values of a field, joined by commas as RFC 9110 section 5.3 has it; "" where it is absent."""
        return ", ".join(value for field, value in self.fields if field == name)

    def last(self, name: str) -> str:
        """The last value of a field that is not empty, as browsers take it for `Content-Type`; "" without one."""
        return next((value for field, value in reversed(self.fields) if field == name and value), "")


def parse_response(message: bytes) -> Response:
    """The status line and header fields of an HTTP response.

    A message without an empty line is all header; lines end with LF or CRLF; a line without a colon is passed over; a
    line that starts with a blank goes on with the line before. Raises `HttpError` "bad_http".
    """
    status = _STATUS.match(message, 0, 256)
    if status is None:
        raise HttpError("bad_http")
    end = _HEADERS_END.search(message, 0, HEADER_BYTES)
    if end is None and len(message) >= HEADER_BYTES:
        raise HttpError("bad_http")
    head = message[status.end() : end.start() if end else len(message)]
    return Response(int(status[1]), parse_fields(head.partition(b"\n")[2]), end.end() if end else len(message))


def parse_fields(lines: bytes) -> tuple[tuple[str, str], ...]:
    """Header fields as (lower-case name, value) in order; any bytes are accepted and read as Latin-1."""
    fields: list[tuple[str, list[str]]] = []
    for line in lines.decode("latin-1").split("\n"):
        if line[:1] in (" ", "\t") and fields:
            fields[-1][1].append(line)
            continue
        name, colon, value = line.partition(":")
        if colon:
            fields.append((name.strip().lower(), [value]))
    return tuple((name, " ".join(filter(None, map(str.strip, values)))) for name, values in fields)


def media_type(content_type: str) -> str:
    """`text/html` out of `Text/HTML; charset=utf-8`."""
    return content_type.partition(";")[0].partition(",")[0].strip().lower()


def charset(content_type: str) -> str:
    """The character set that a `Content-Type` names, lower case, as it stands there; "" where it names none."""
    match = _CHARSET.search(content_type)
    named = next((group for group in match.groups() if group), "") if match else ""
    return named.strip().lower()[:64]


def looks_like_html(body: bytes) -> bool:
    """Whether a body without a content type starts as HTML does (MIME Sniffing standard, section 7.1)."""
    return _HTML_START.match(body, 0, 16384) is not None


def dechunk(body: bytes) -> bytes:
    """A body without its chunked transfer coding (RFC 9112 section 7.1). The output is never longer than the input.

    A body that does not start with a chunk size is taken as it is: many archives keep the header and store the plain
    body. A missing last chunk is accepted. Raises `HttpError` "bad_chunking" where a later size is malformed or data is
    missing.
    """
    data = bytearray()
    position = 0
    while position < len(body):
        size_line = _CHUNK_SIZE.match(body, position, position + 4096)
        if size_line is None:
            if position == 0:
                return body
            raise HttpError("bad_chunking")
        size, start = int(size_line[1], 16), size_line.end()
        if size == 0:
            break
        if start + size > len(body):
            raise HttpError("bad_chunking")
        data += body[start : start + size]
        position = start + size
        if body.startswith(b"\r\n", position):
            position += 2
        elif body.startswith(b"\n", position):
            position += 1
    return bytes(data)


def decode_content(body: bytes, content_encoding: str, limit: int) -> bytes:
    """A body without its content encodings, the last applied first (RFC 9110 section 8.4).

    limit   the most bytes that any layer may come to

    Encodings that no standard knows are ignored, as browsers do. A body that is said to be encoded but fails to decode
    and starts as a page does is taken as it is: archives often store the decoded body under the header as sent.
    Raises `HttpError` "bad_content_encoding", or "record_too_large" with the size at which decoding was stopped.
    """
    codings = [coding for coding in (word.strip().lower() for word in content_encoding.split(",")) if coding]
    if len(codings) > CODINGS:
        raise HttpError("bad_content_encoding")
    for coding in reversed(codings):
        if coding in _UNDECODABLE:
            raise HttpError("bad_content_encoding")
        if not body:
            break
        try:
            body = _decode(body, coding, limit)
        except (zlib.error, OSError, EOFError, ValueError) as error:
            if isinstance(error, HttpError):
                raise
            if looks_like_html(body):
                return body
            raise HttpError("bad_content_encoding") from None
    return body


def _decode(body: bytes, coding: str, limit: int) -> bytes:
    if coding in ("gzip", "x-gzip"):
        return _inflate(body, 31, limit)
    if coding == "deflate":
        try:
            return _inflate(body, 15, limit)
        except zlib.error:
            return _inflate(body, -15, limit)  # without the zlib wrapper, as some servers send it
    if coding == "br":
        return _read_compressed(body, "brotli", limit)
    if coding == "zstd":
        return _read_compressed(body, "zstd", limit)
    return body


def _inflate(body: bytes, window_bits: int, limit: int) -> bytes:
    """One or more zlib streams end to end; what follows them is ignored."""
    parts: list[bytes] = []
    size = 0
    for _ in range(MEMBERS):
        decoder = zlib.decompressobj(window_bits)
        parts.append(decoder.decompress(body, limit + 1 - size))
        size += len(parts[-1])
        if size > limit:
            raise HttpError("record_too_large", size)
        if not decoder.eof:
            raise EOFError
        body = decoder.unused_data
        if window_bits != 31 or not body.startswith(b"\x1f\x8b\x08"):
            return b"".join(parts)
    raise EOFError


def _read_compressed(body: bytes, codec: str, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    with pa.CompressedInputStream(pa.BufferReader(body), codec) as stream:
        while part := stream.read(WINDOW):
            parts.append(part)
            size += len(part)
            if size > limit:
                raise HttpError("record_too_large", size)
    return b"".join(parts)
