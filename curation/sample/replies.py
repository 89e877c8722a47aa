"""Answers that are no good page: redirects, errors, other media, and damage."""

from __future__ import annotations

import json
import struct
import zlib

from curation.sample.pages import Place, Reply


def small_page(title: str) -> bytes:
    """The page that a bare web server shows with a status."""
    head = f"<html><head><title>{title}</title></head>"
    return f"{head}\r\n<body><center><h1>{title}</h1></center><hr></body></html>\r\n".encode()


def redirect(place: Place) -> Reply:
    """301 or 302 to the address with a slash."""
    status, title = place.draws.choice(((301, "301 Moved Permanently"), (302, "302 Found")))
    location = f"https://www.moved-{place.number}.example/new/"
    return Reply(status, body=small_page(title), headers=(("Location", location),))


def not_found(place: Place) -> Reply:
    """404 or 410."""
    status, title = place.draws.choice(((404, "404 Not Found"), (404, "404 Not Found"), (410, "410 Gone")))
    return Reply(status, body=small_page(title))


def server_error(place: Place) -> Reply:
    """500 or 503."""
    status, title = place.draws.choice(((500, "500 Internal Server Error"), (503, "503 Service Unavailable")))
    return Reply(status, body=small_page(title))


def robots(place: Place) -> Reply:
    """The rules for crawlers."""
    hidden = place.draws.choice(("admin", "search", "cart", "tmp"))
    body = f"User-agent: *\nDisallow: /{hidden}/\nCrawl-delay: {place.draws.between(1, 20)}\n"
    return Reply(media="text/plain", body=body.encode(), path="/robots.txt")


def image(place: Place) -> Reply:
    """A one-pixel PNG of a drawn colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    colour = bytes(place.draws.below(256) for _ in range(3))
    body = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    body += chunk(b"IDAT", zlib.compress(b"\0" + colour)) + chunk(b"IEND", b"")
    return Reply(media="image/png", body=body, path=f"/img/{place.number}.png")


def json_data(place: Place) -> Reply:
    """An answer of an interface for programs."""
    rows = [{"id": place.draws.below(1 << 30), "score": place.draws.below(100)} for _ in range(12)]
    return Reply(media="application/json", body=json.dumps({"items": rows}).encode(), path=f"/api/v1/{place.number}")


def empty(place: Place) -> Reply:
    """200 and nothing."""
    return Reply()


def revisit(place: Place) -> Reply:
    """The page had not changed since the last crawl."""
    return Reply(revisit=True)


def truncated(place: Place) -> Reply:
    """The crawler's limit cut the payload; the page's own bytes are used."""
    return Reply(truncated=True)


def bad_encoding(place: Place) -> Reply:
    """Declared as gzip, but nothing of the kind."""
    noise = bytes(place.draws.below(256) for _ in range(place.draws.between(200, 600)))
    return Reply(body=b"\x1f\x8b\x08\x00" + noise, headers=(("Content-Encoding", "gzip"),))
