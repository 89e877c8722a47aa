"""Markdown of whole pages, and Markdown read back by markdown-it, for tests."""

from __future__ import annotations

import numpy as np
from markdown_it import MarkdownIt

from curation.extract.main_text.extractor import PLAIN, Extractor
from curation.extract.main_text.kernels.page import BLOCKS
from curation.extract.main_text.markdown import MarkdownWriter

PARSER = MarkdownIt("commonmark", {"maxNesting": 200}).enable(["table", "strikethrough"])


def whole_page(extractor: Extractor, html: str | bytes, links: bool = False) -> tuple[str, str]:
    """All blocks of a page, as plain text and as Markdown."""
    page = extractor._parsed(html.encode() if isinstance(html, str) else html)
    measures = extractor._measures(page)
    measures.keep[: page.facts[BLOCKS]] = 1
    plain = extractor._written(page, measures, PLAIN)
    return plain, MarkdownWriter().write(page, np.ones(page.facts[BLOCKS], np.uint8), links)


def read_back(markdown: str) -> str:
    """The text that a reader of Markdown sees; what is read as HTML, an image or struck out is marked, for we write none."""
    parts: list[str] = []
    for token in PARSER.parse(markdown):
        if token.type in ("fence", "code_block", "html_block"):
            parts += ["" if token.type == "fence" else f"[{token.type}]", token.content, "\n"]
        for part in token.children or []:
            if part.type in ("text", "code_inline"):
                parts.append(part.content)
            elif part.type in ("html_inline", "image", "s_open"):
                parts.append(f"[{part.type}]")
            elif part.type in ("softbreak", "hardbreak"):
                parts.append("\n")
        parts.append("\n")
    return "".join(parts)


def without_space(text: str) -> str:
    """A text without white space; NUL as CommonMark reads it."""
    return "".join(text.replace("\0", "\ufffd").split())
