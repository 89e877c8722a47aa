"""HTML around a page's text: site skins, filled with navigation, advertisements, comments and notices.

A skin is one file of `skins/`: a few lines of YAML that say how paragraphs, headings and quotations are marked up,
`---`, and the page with `{{slot}}`s. A new skin is a new file.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

SKINS = Path(__file__).parent / "skins"
SLOT = re.compile(r"\{\{(\w+)\}\}")

Kind = Literal["p", "lines", "h2", "li", "pre", "quote", "table"]


@dataclass(frozen=True, slots=True)
class Block:
    """One block of main text. "lines" is a paragraph with breaks between its lines; `text` of "li" has an item a line, of
    "table" a row a line with tabs between cells."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Skin:
    """One site's markup: `frame` alternates literal HTML and names of slots."""

    name: str
    frame: tuple[str, ...]
    marks: Mapping[str, tuple[str, str]]

    def blocks(self, blocks: list[Block]) -> str:
        """The main text as HTML."""
        return "\n".join(self.block(block) for block in blocks)

    def block(self, block: Block) -> str:
        """One block as HTML."""
        text = html.escape(block.text, quote=False)
        if block.kind == "li":
            return "<ul>\n" + "\n".join(f"<li>{item}</li>" for item in text.split("\n")) + "\n</ul>"
        if block.kind == "pre":
            return f"<pre><code>{text}</code></pre>"
        if block.kind == "table":
            rows = (f"<tr><td>{row}</td></tr>" for row in text.replace("\t", "</td><td>").split("\n"))
            return "<table>\n" + "\n".join(rows) + "\n</table>"
        before, after = self.marks["p" if block.kind == "lines" else block.kind]
        return before + text.replace("\n", "<br>\n") + after

    def page(self, slots: Mapping[str, str]) -> str:
        """The whole page; a slot that is not given stays empty."""
        return "".join([part if i % 2 == 0 else slots.get(part, "") for i, part in enumerate(self.frame)])


def read_skin(path: Path) -> Skin:
    """One file of `skins/`."""
    head, _, frame = path.read_text(encoding="utf-8").partition("\n---\n")
    marks = {kind: tuple(mark.split("{}")) for kind, mark in yaml.safe_load(head).items()}
    return Skin(path.stem, tuple(SLOT.split(frame)), marks)


@cache
def skins() -> dict[str, Skin]:
    """All skins by name."""
    return {path.stem: read_skin(path) for path in sorted(SKINS.glob("*.html"))}


def links(labels: list[str], prefix: str = "/") -> str:
    """List items with links, as menus and lists of related pages have them."""
    return "".join(
        f'<li><a href="{prefix}{i}">{html.escape(label, quote=False)}</a></li>' for i, label in enumerate(labels, 1)
    )
