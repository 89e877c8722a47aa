"""WARC/1.0 records, one gzip member each, as Common Crawl writes them.

Format: ISO 28500:2009. Each page is a request, a response and a metadata record; a file starts with a warcinfo record.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import xxhash

REASONS = {
    200: "OK",
    301: "Moved Permanently",
    302: "Found",
    404: "Not Found",
    410: "Gone",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
START = datetime(2024, 1, 1, tzinfo=UTC)
LEVEL = 4  # of deflate: half the time of the usual 6 for 5 % more bytes

Headers = Iterable[tuple[str, str]]


def crawl_date(seed: int, number: int) -> str:
    """When page `number` was fetched: some seconds a page, from a day that the seed gives."""
    start = START + timedelta(days=seed % 365)
    return (start + timedelta(seconds=7 * number)).strftime("%Y-%m-%dT%H:%M:%SZ")


def record_id(*parts: int | str) -> str:
    """A UUID from what it names."""
    digits = xxhash.xxh3_128_hexdigest("\0".join(map(str, parts)))
    return f"<urn:uuid:{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-a{digits[17:20]}-{digits[20:]}>"


def sha1(data: bytes) -> str:
    """A digest as WARC headers have it."""
    return "sha1:" + base64.b32encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode()


def member(data: bytes) -> bytes:
    """One gzip member without name or time."""
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, 31)
    return compressor.compress(data) + compressor.flush()


def record(kind: str, name: str, date: str, headers: Headers, block: bytes) -> bytes:
    """One WARC record, compressed."""
    lines = [
        ("WARC-Type", kind),
        ("WARC-Date", date),
        ("WARC-Record-ID", name),
        ("Content-Length", str(len(block))),
        ("WARC-Block-Digest", sha1(block)),
        *headers,
    ]
    head = "".join(f"{key}: {value}\r\n" for key, value in lines)
    return member(f"WARC/1.0\r\n{head}\r\n".encode() + block + b"\r\n\r\n")


def warcinfo(seed: int, name: str, date: str) -> bytes:
    """The record that a file starts with."""
    block = (
        b"isPartOf: CORPUSMILL-SAMPLE\r\ndescription: composed pages, no real site\r\nformat: WARC File Format 1.0\r\n"
    )
    headers = [("Content-Type", "application/warc-fields"), ("WARC-Filename", name)]
    return record("warcinfo", record_id(seed, name, "warcinfo"), date, headers, block)


def request(seed: int, number: int, url: str, date: str) -> bytes:
    """What the crawler asked."""
    host, _, path = url.removeprefix("https://").partition("/")
    block = (
        f"GET /{path} HTTP/1.1\r\nUser-Agent: SampleBot/1.0\r\nAccept-Language: en-US,en;q=0.5\r\nHost: {host}\r\n\r\n"
    )
    headers = [
        ("Content-Type", "application/http; msgtype=request"),
        ("WARC-Target-URI", url),
        ("WARC-Concurrent-To", record_id(seed, number, "response")),
    ]
    return record("request", record_id(seed, number, "request"), date, headers, block.encode())


def response(
    seed: int,
    number: int,
    url: str,
    date: str,
    status: int,
    http: Headers,
    body: bytes,
    extra: Headers = (),
    kind: str = "response",
) -> bytes:
    """What the server answered, or with kind "revisit" that it had answered so before."""
    head = f"HTTP/1.1 {status} {REASONS[status]}\r\n" + "".join(f"{key}: {value}\r\n" for key, value in http) + "\r\n"
    block = head.encode() + body
    headers = [
        ("Content-Type", "application/http; msgtype=response"),
        ("WARC-Target-URI", url),
        ("WARC-IP-Address", "192.0.2.1"),
        ("WARC-Payload-Digest", sha1(body)),
        *extra,
    ]
    return record(kind, record_id(seed, number, "response"), date, headers, block)


def metadata(seed: int, number: int, url: str, date: str) -> bytes:
    """What the crawler noted."""
    block = f"fetchTimeMs: {40 + number * 7919 % 900}\r\n".encode()
    headers = [
        ("Content-Type", "application/warc-fields"),
        ("WARC-Target-URI", url),
        ("WARC-Concurrent-To", record_id(seed, number, "response")),
    ]
    return record("metadata", record_id(seed, number, "metadata"), date, headers, block)
