"""How a page travels: the HTTP answer and the three records of its exchange."""

from __future__ import annotations

import gzip
from dataclasses import dataclass

from curation.sample import records
from curation.sample.pages import Page
from curation.sample.randomness import Draws
from curation.sample.sites import rendered, url_of

SERVERS = ("nginx", "Apache", "nginx/1.24.0", "cloudhost", "lighttpd/1.4.71")


@dataclass(frozen=True, slots=True)
class Exchange:
    """Three compressed records. The response starts `len(request)` bytes behind the start."""

    url: str
    request: bytes
    response: bytes
    metadata: bytes


def chunked(body: bytes) -> bytes:
    """The body in HTTP/1.1 chunks (RFC 9112, section 7.1)."""
    parts = [body[i : i + 4096] for i in range(0, len(body), 4096)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def exchange(seed: int, number: int, page: Page) -> Exchange:
    """The records of one page."""
    draws = Draws(seed, number, "exchange")
    date = records.crawl_date(seed, number)
    url = url_of(seed, number, page)
    http = [("Date", date), ("Server", draws.choice(SERVERS))]
    extra: list[tuple[str, str]] = []
    kind, status, reply = "response", 200, page.reply
    if page.text is not None:
        body, charset = rendered(seed, number, page, url, date)
        named = f"; charset={charset}" if charset == "utf-8" or draws.chance(0.5) else ""
        http.append(("Content-Type", f"text/html{named}"))
        if reply is not None and reply.truncated:
            body = body[: len(body) // 2]
            extra.append(("WARC-Truncated", "length"))
        else:
            way = draws.unit()
            if way < 0.03:
                http.append(("Content-Encoding", "gzip"))
                body = gzip.compress(body, 6, mtime=0)
            elif way < 0.06:
                http.append(("Transfer-Encoding", "chunked"))
                body = chunked(body)
    else:
        assert reply is not None
        body, status = reply.body, reply.status
        http += [("Content-Type", reply.media), *reply.headers]
        if reply.revisit:
            kind = "revisit"
            extra.append(("WARC-Profile", "http://netpreserve.org/warc/1.0/revisit/identical-payload-digest"))
    if ("Transfer-Encoding", "chunked") not in http:
        http.append(("Content-Length", str(len(body))))
    return Exchange(
        url,
        records.request(seed, number, url, date),
        records.response(seed, number, url, date, status, http, body, extra, kind),
        records.metadata(seed, number, url, date),
    )
