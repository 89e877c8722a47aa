"""Main text as Markdown: how much of the gold Markdown's structure is found, beside trafilatura, page by page in one process.

    python -m benchmarks.markdown DATA        pages whose truth has `main_content_markdown` (see benchmarks.gold_pages)

Both sides are parsed by markdown-it. Counted over all pages: headings, items of lists, rows of tables and blocks of code with the
same text, white space and punctuation aside; of each the share of the gold ones that is found (recall) and of those found that is
gold (precision). Times are from bytes to Markdown, decoding included.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Annotated

import typer
from markdown_it import MarkdownIt
from markdown_it.token import Token
from rich.table import Table

from benchmarks.gold_pages import gold_pages
from connectors.errors import UserError, missing_extra
from curation.extract import charset
from jobs import command
from jobs.command import output

Extract = Callable[[bytes, str], str]
KINDS = ("headings", "lists", "tables", "code")
PARSER = MarkdownIt("commonmark").enable("table")
NOT_WORD = re.compile(r"[\W_]+")
WARM_UP = 5  # pages


def main(data: Annotated[str, typer.Argument(help="Folder of the gold pages.")]) -> None:
    """Prints a table, and the figures of `fast` in one line at the end."""
    pages = [page for page in gold_pages(data) if page.markdown]
    if not pages:
        raise UserError(f"No page in '{data}' has its main text as Markdown (truth.main_content_markdown)")
    extractors = {"fast": fast(), "trafilatura": trafilatura()}
    gold: Counter[str] = Counter()
    found = {name: Counter[str]() for name in extractors}
    right = {name: Counter[str]() for name in extractors}
    seconds = dict.fromkeys(extractors, 0.0)
    for page in pages[:WARM_UP]:
        for extract in extractors.values():
            extract(page.html, page.charset)
    for page in pages:
        wanted = structure(page.markdown)
        gold.update({kind: wanted[kind].total() for kind in KINDS})
        for name, extract in extractors.items():
            before = time.process_time()
            markdown = extract(page.html, page.charset)
            seconds[name] += time.process_time() - before
            parts = structure(markdown)
            found[name].update({kind: parts[kind].total() for kind in KINDS})
            right[name].update({kind: (parts[kind] & wanted[kind]).total() for kind in KINDS})
    drawn = Table("", *extractors, title=f"{len(pages)} pages: share found / share of it that is gold")
    for kind in KINDS:
        shares = [
            (right[name][kind] / gold[kind], right[name][kind] / max(1, found[name][kind])) for name in extractors
        ]
        drawn.add_row(f"{kind} ({gold[kind]})", *(f"{recall:.3f} / {precision:.3f}" for recall, precision in shares))
    drawn.add_row("pages a CPU second", *(f"{len(pages) / taken:.0f}" for taken in seconds.values()))
    output.print(drawn)
    shares_of_fast = " ".join(f"{kind}={right['fast'][kind] / gold[kind]:.3f}" for kind in KINDS)
    output.print(f"markdown {shares_of_fast} pages_per_s={len(pages) / seconds['fast']:.0f}", highlight=False)


def fast() -> Extract:
    """Ours, as the step calls it."""
    from curation.extract.fast_engine import main_text

    def extract(html: bytes, header: str) -> str:
        utf8 = charset.to_utf8(html, header)
        return "" if utf8 is None else main_text(utf8, format="markdown")

    return extract


def trafilatura() -> Extract:
    """trafilatura with its own way to Markdown."""
    try:
        import trafilatura as package
    except ImportError:
        raise missing_extra("trafilatura", "extract") from None

    def extract(html: bytes, _header: str) -> str:
        return package.extract(html, output_format="markdown", include_comments=False, include_tables=True) or ""

    return extract


def structure(markdown: str) -> dict[str, Counter[str]]:
    """The texts of headings, of items (without what is nested in them), of rows and of code, each kind counted."""
    counted: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    for kind, text in _parts(PARSER.parse(markdown)):
        counted[kind][NOT_WORD.sub(" ", text.lower()).strip()] += 1
    for texts in counted.values():
        del texts[""]
    return counted


def _parts(tokens: list[Token]) -> Iterator[tuple[str, str]]:
    row: list[str] = []
    item_begins = False
    for place, token in enumerate(tokens):
        if token.type == "fence":
            yield "code", token.content
        elif token.type == "list_item_open":
            item_begins = True
        elif token.type == "tr_open":
            row = []
        elif token.type == "tr_close":
            yield "tables", " ".join(row)
        elif token.type == "inline":
            text, opened = _plain(token), tokens[place - 1].type
            if opened == "heading_open":
                yield "headings", text
            elif opened in ("th_open", "td_open"):
                row.append(text)
            elif item_begins:
                yield "lists", text
            item_begins = False


def _plain(token: Token) -> str:
    parts = token.children or []
    return "".join(
        part.content if part.type in ("text", "code_inline") else " " * (part.type == "softbreak") for part in parts
    )


if __name__ == "__main__":
    command.run(main)
