"""A page read as a browser would: elements, texts by section, tables by caption. Independent of the code that wrote it."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

from curation.report.page import render

VOID = {"br", "meta", "hr"}


@dataclass
class Page:
    """What stands in a page."""

    source: str
    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    sections: dict[str, str] = field(default_factory=dict)
    tables: dict[str, list[list[str]]] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    unclosed: list[str] = field(default_factory=list)

    def names(self) -> set[str]:
        return {name for name, _ in self.elements}

    def figures(self, caption: str) -> dict[str, list[str]]:
        """A table's rows below the heads, by their first cell."""
        return {row[0]: row[1:] for row in self.tables[caption][1:]}


class _Reader(HTMLParser):
    def __init__(self, page: Page) -> None:
        super().__init__(convert_charrefs=True)
        self.page = page
        self.open: list[str] = []
        self.section = ""
        self.rows: list[list[str]] = []
        self.caption = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.page.elements.append((tag, given))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "pre":
            self.page.commands.append("")
        if tag == "section":
            self.section = given["id"]
        if tag == "table":
            self.rows, self.caption = [], ""
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1] != tag:
            self.page.unclosed.append(tag)
        else:
            self.open.pop()
        if tag == "table":
            self.page.tables[self.caption] = self.rows

    def handle_data(self, data: str) -> None:
        self.page.sections[self.section] = self.page.sections.get(self.section, "") + data
        if "pre" in self.open:
            self.page.commands[-1] += data
        if "caption" in self.open:
            self.caption += data
        elif "td" in self.open or "th" in self.open:
            self.rows[-1][-1] += data


def parse(source: str) -> Page:
    page = Page(source)
    reader = _Reader(page)
    reader.feed(source)
    reader.close()
    page.unclosed += reader.open
    return page


def read_page(run: Path) -> Page:
    return parse(render(str(run)))


def number(shown: str) -> int:
    """A count as the page writes it."""
    return int(shown.replace(",", "") or 0)
