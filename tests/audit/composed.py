"""A small archive with pages of every end, some of them with addresses and texts that mean harm to a terminal."""

from __future__ import annotations

import gzip
from pathlib import Path

PROSE = (
    "The harbour was quiet that morning and the boats lay close together by the wall. A man came down the steps with "
    "a basket of bread for the crews. He spoke to nobody, and nobody asked him where he had been all winter. "
    "Later the fog lifted. The first of the boats went out past the light before noon."
)
HOSTILE = (
    "\x1b]0;owned\x07\x1b[31m \u202eevil\u2066 \u200b \x9b2J [red]not markup[/red] [link=https://x.example]y[/link]"
)

PAGES = {
    "https://good.example/kept": f"<p>{PROSE} {PROSE[::-1]} One more sentence ends it here.</p>",
    "https://copy.example/duplicate": f"<p>{PROSE} {PROSE[::-1]} One more sentence ends it here.</p>",
    "https://short.example/removed": "<p>Too short to stay.</p>",
    "https://good.example/[red]markup[/]?q=\u202eback": f"<p>{PROSE[40:]} {HOSTILE} And this page ends like that.</p>",
}


def response(url: str, body: str, status: str = "200 OK", content_type: str = "text/html; charset=utf-8") -> bytes:
    http = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\n\r\n{body}".encode()
    return record("response", url, http)


def record(kind: str, url: str, content: bytes) -> bytes:
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:{abs(hash(url)) % 10**9}>\r\nWARC-Target-URI: {url}\r\n"
        f"WARC-Date: 2024-05-06T07:08:09Z\r\nContent-Type: application/http\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return gzip.compress(head.encode() + content + b"\r\n\r\n")


def write(path: Path) -> None:
    """One archive: the pages, a redirect, an image, a request, and a damaged end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    records = [
        response(url, f"<html><head><title>t</title></head><body><article>{body}</article></body></html>")
        for url, body in PAGES.items()
    ]
    records.append(record("request", "https://good.example/kept", b"GET / HTTP/1.1\r\n\r\n"))
    records.append(response("https://gone.example/", "", "404 Not Found"))
    records.append(response("https://image.example/a.png", "png", content_type="image/png"))
    records.append(response("https://cut.example/", "x" * 900)[:-60])
    path.write_bytes(b"".join(records))
