"""Main text as Markdown: what few recipes ask for, with kernels that are compiled for those alone."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from types import ModuleType

import numpy as np
import numpy.typing as npt

from curation.extract.main_text.kernels import markdown as kernel
from curation.extract.main_text.kernels import page as p
from curation.extract.main_text.kernels import reader_comments, roles, writing
from curation.extract.main_text.kernels.page import Page
from curation.extract.main_text.workspace import KEPT_BYTES, KEPT_NODES, power_of_two


class MarkdownWriter:
    """Room to write Markdown, for a page at a time. Not for two threads."""

    def __init__(self) -> None:
        self._marks = np.empty((0, roles.MARKS), np.int32)
        self._output = np.empty(1 << 16, np.uint8)
        self._chain = np.empty(p.MAX_OPEN, np.int32)
        self._opened = np.empty((writing.MAX_DEPTH, 2), np.int32)
        self._wanted = np.empty(writing.MAX_DEPTH, np.int32)
        self._state = np.empty(writing.STATE, np.int64)

    def write(self, page: Page, keep: npt.NDArray[np.uint8], links: bool) -> str:
        """The blocks of a parsed page that are kept, as Markdown; with the addresses of links where those are wanted."""
        nodes, blocks = int(page.facts[p.NODES]), int(page.facts[p.BLOCKS])
        if len(self._marks) < nodes:
            self._marks = np.empty((power_of_two(nodes), roles.MARKS), np.int32)
        size = self._write(page, nodes, blocks, keep, links)
        if size > len(self._output):
            self._output = np.empty(power_of_two(size), np.uint8)
            self._write(page, nodes, blocks, keep, links)
        text = self._output[:size].tobytes().decode("utf-8", "replace")
        if nodes > KEPT_NODES:  # room that only a large page needs
            self._marks = np.empty((0, roles.MARKS), np.int32)
        if size > KEPT_BYTES:
            self._output = np.empty(1 << 16, np.uint8)
        return text

    def _write(self, page: Page, nodes: int, blocks: int, keep: npt.NDArray[np.uint8], links: bool) -> int:
        room = writing.Writing(
            html=page.html,
            text=page.text,
            nodes=page.nodes[:nodes],
            blocks=page.blocks[:blocks],
            gaps=page.gaps[: page.state[p.GAP_COUNT]],
            keep=keep,
            marks=self._marks[:nodes],
            chain=self._chain,
            opened=self._opened,
            wanted=self._wanted,
            state=self._state,
            output=self._output,
        )
        return kernel.write_markdown(room, links)


def as_page(texts: Sequence[str]) -> bytes:
    """Texts as a page of paragraphs, so that they become Markdown as all others do."""
    return "".join(f"<p>{escape(text, quote=False)}" for text in texts).encode("utf-8", "replace")


def modules() -> list[ModuleType]:
    """The modules whose kernels are compiled where a recipe asks for Markdown, imported."""
    return [kernel, reader_comments]
