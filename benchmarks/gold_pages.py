"""Pages with their main text, for benchmarks: a folder of JSONL files, or pages composed by the sample's grammar.

The folder holds `NAME.jsonl.xz` (or .gz, or plain): one object a line with `id`, `source`, `url`, `page_type`, `html` (or
`html_b64`, base64 of bytes that are no UTF-8) and `truth`, an object with `main_content` or `with` and `without`.
"""

from __future__ import annotations

import base64
import gzip
import json
import lzma
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from connectors.errors import UserError
from curation.sample.populations import compose
from curation.sample.records import crawl_date
from curation.sample.sites import has_comments, rendered, url_of

COMPOSED = 400


@dataclass(frozen=True, slots=True)
class GoldPage:
    """html       bytes as they were published
    charset    what an HTTP header would say of them, "" where that is unknown
    page_type  article, documentation, service, forum, listing, collection, product; "" where that is unknown
    main       the main text, None where only snippets are known
    wanted, unwanted   snippets that are in the main text, and that are not
    title, author, date   of the page, "" where they are unknown
    """

    id: str
    source: str
    url: str
    html: bytes
    charset: str
    page_type: str
    main: str | None
    wanted: tuple[str, ...]
    unwanted: tuple[str, ...]
    title: str = ""
    author: str = ""
    date: str = ""


def gold_pages(folder: str) -> Iterator[GoldPage]:
    """All pages of a folder, in the order of its files, or composed ones where none is named.

    Raises `UserError` where there are none.
    """
    if not folder:
        yield from composed_pages()
        return
    paths = [path for path in sorted(Path(folder).glob("*.jsonl*")) if path.is_file()]
    if not paths:
        raise UserError(f"No pages in '{folder}': name a folder with JSONL files of pages and their main text")
    for path in paths:
        with _opened(path) as lines:
            for line in lines:
                yield _page(json.loads(line))


def composed_pages() -> Iterator[GoldPage]:
    """Composed pages that say something, without comments of readers, which are no part of their main text."""
    for number in range(COMPOSED):
        _, page = compose(1, number)
        if page.text is None or has_comments(1, number):
            continue
        url = url_of(1, number, page)
        html, charset = rendered(1, number, page, url, crawl_date(1, number))
        yield GoldPage(str(number), "composed", url, html, charset, "article", page.text.main_text, (), ())


def _opened(path: Path) -> IO[Any]:
    if path.suffix == ".xz":
        return lzma.open(path, "rb")
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


def _page(read: dict[str, Any]) -> GoldPage:
    truth = read["truth"]
    is_utf8 = "html_b64" not in read
    html = read["html"].encode("utf-8", "surrogatepass") if is_utf8 else base64.b64decode(read["html_b64"])
    return GoldPage(
        id=read["id"],
        source=read["source"],
        url=read["url"] or "",
        html=html,
        charset="utf-8" if is_utf8 else "",  # the first two sources re-encoded their pages, whatever those still say
        page_type=read["page_type"] or "",
        main=truth.get("main_content"),
        wanted=tuple(truth.get("with") or ()),
        unwanted=tuple(truth.get("without") or ()),
        title=truth.get("title") or "",
        author="; ".join(author) if isinstance(author := truth.get("author") or "", list) else author,
        date=truth.get("publish_date") or truth.get("date") or "",
    )
