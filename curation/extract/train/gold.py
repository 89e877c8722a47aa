"""Annotated pages: a folder of files with a page a line, each with its main text or with snippets of it.

The folder holds `NAME.jsonl.xz` (or .gz, or plain): one object a line with `id`, `source`, `url`, `page_type`, `html` (or
`html_b64`, base64 of bytes that are no UTF-8) and `truth`, an object with `main_content` or `with` and `without`.
"""

from __future__ import annotations

import base64
import gzip
import json
import lzma
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from connectors.errors import UserError


@dataclass(frozen=True, slots=True)
class GoldPage:
    """html       bytes as they were published
    charset    what an HTTP header would say of them, "" where that is unknown
    page_type  article, documentation, service, forum, listing, collection, product; "" where that is unknown
    main       the main text, None where only snippets are known
    wanted, unwanted   snippets that are in the main text, and that are not
    title, author, date   of the page, "" where they are unknown
    markdown   the main text as Markdown, "" where that is unknown
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
    markdown: str = ""


def gold_pages(folder: str) -> Iterator[GoldPage]:
    """All pages of a folder, in the order of its files. Raises `UserError` where there are none, or one cannot be read."""
    paths = [path for path in sorted(Path(folder).glob("*.jsonl*")) if path.is_file()]
    if not paths:
        raise UserError(f"No pages in '{folder}': name a folder with JSONL files of pages and their main text")
    for path in paths:
        with _opened(path) as lines:
            for number, line in enumerate(lines, 1):
                try:
                    page = _page(json.loads(line))
                except (ValueError, KeyError, TypeError, AttributeError) as error:
                    raise UserError(f"{path}, line {number}: not a page with its main text ({error!r})") from None
                yield page


def _opened(path: Path) -> IO[Any]:
    openers: dict[str, Callable[..., Any]] = {".xz": lzma.open, ".gz": gzip.open}
    opened: IO[Any] = openers.get(path.suffix, open)(path, "rb")
    return opened


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
        markdown=truth.get("main_content_markdown") or "",
    )
