"""Main text of a page: its bytes through the kernels, and JSON-LD where those found next to nothing."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from curation.extract.main_text.calibration import calibrated
from curation.extract.main_text.kernels import page as p
from curation.extract.main_text.kernels.assembling import write_text
from curation.extract.main_text.kernels.deciding import decide
from curation.extract.main_text.kernels.features import PAGE_TYPES
from curation.extract.main_text.kernels.measuring import Measures, Model
from curation.extract.main_text.kernels.page import Page
from curation.extract.main_text.kernels.parsing import parse
from curation.extract.main_text.metadata import PageMetadata, page_metadata
from curation.extract.main_text.metadata.facts import json_scripts
from curation.extract.main_text.structured_data import structured_text
from curation.extract.main_text.workspace import MAX_BYTES, Workspace

if TYPE_CHECKING:
    from curation.extract.main_text.markdown import MarkdownWriter

FEW_WORDS = 60  # under which JSON-LD is looked at
MIN_WORDS = 20  # less is no main text


@dataclass(frozen=True)
class Output:
    """How a page's main text is given.

    format    plain text, a block a line, or Markdown
    links     whether Markdown has the addresses of links
    comments  whether readers' comments that were taken for main text are kept or dropped
    beta      what of the page's expected main words counts in the choice: below 1 it prefers precision, above it recall
              (see `choosing.choose`); None is that of the weights
    metadata  whether title, author, date and the like are wanted
    """

    format: Literal["text", "markdown"] = "text"
    links: bool = False
    comments: Literal["keep", "drop"] = "keep"
    beta: float | None = None
    metadata: bool = False


PLAIN = Output()


class MainText(NamedTuple):
    """What is found in a page.

    text         the main text, "" where there is none
    expected_f1  the word F1, 0 to 1, that was measured where the weights expected as much of the blocks that they chose (what
                 JSON-LD adds is not looked at); 0 where there are no blocks
    page         what the page says of itself, None where nobody asked
    """

    text: str
    expected_f1: float
    page: PageMetadata | None = None


class Judged(NamedTuple):
    """A page's blocks in the order of the page, for those who look at a decision.

    texts    of each block
    chances  float32: probability that it is main text
    kept     whether it is in the main text
    expected_f1, page   as in `MainText`
    """

    texts: list[str]
    chances: npt.NDArray[np.float32]
    kept: npt.NDArray[np.bool_]
    expected_f1: float = 0.0
    page: PageMetadata | None = None


class Extractor:
    """Takes pages one at a time, in UTF-8. What it knows of one it forgets before the next. Not for two threads."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._workspace = Workspace()

    def main_text(self, html: bytes) -> str:
        """The main text as plain text, a block a line, "" where there is none. Linear in the bytes, whatever they are."""
        return self.extract(html, PLAIN).text

    def extract(self, html: bytes, output: Output, url: str = "") -> MainText:
        """The main text of a page as it is wanted, and what to think of it. Of its address, if known, only metadata make use."""
        page = self._parsed(html)
        text, words, expected_f1 = "", 0, 0.0
        if page.facts[p.BLOCKS] > 0:
            measures, words, expected_f1 = self._decided(page, output)
            text = self._written(page, measures, output)
        described = self._described(page, url) if output.metadata else None
        if words < FEW_WORDS:
            more = structured_text(json_scripts(page), text, words)
            text = text + self._paragraphs(more, output) if more or words >= MIN_WORDS else ""
        self._workspace.give_back()
        return MainText(text, expected_f1, described)

    def judged(self, html: bytes, output: Output = PLAIN, url: str = "") -> Judged:
        """All blocks of a page with what was decided; JSON-LD is left out."""
        page = self._parsed(html)
        count, expected_f1 = int(page.facts[p.BLOCKS]), 0.0
        texts, chances, kept = [], np.empty(0, np.float32), np.empty(0, np.bool_)
        if count > 0:
            measures, _, expected_f1 = self._decided(page, output)
            ranges = page.blocks[:count, [p.TEXT_START, p.TEXT_END]].tolist()
            texts = [page.text[start:stop].tobytes().decode("utf-8", "replace") for start, stop in ranges]
            chances, kept = measures.final[:count].copy(), measures.keep[:count] != 0
        described = self._described(page, url) if output.metadata else None
        self._workspace.give_back()
        return Judged(texts, chances, kept, expected_f1, described)

    def _decided(self, page: Page, output: Output) -> tuple[Measures, int, float]:
        """What is kept of a page with blocks, as `measures.keep`; its words, and the F1 to be expected of the choice."""
        measures = self._measures(page)
        model = self._model if output.beta is None else self._model._replace(beta=output.beta)
        words, expected_f1 = decide(page, measures, model)
        if output.comments == "drop":
            # compiled only where it is asked for
            from curation.extract.main_text.kernels.reader_comments import leave_out_comments

            words = leave_out_comments(page, measures)
        return measures, words, calibrated(self._model.calibration, expected_f1)

    def _described(self, page: Page, url: str) -> PageMetadata:
        """What a page says of itself; its type where it has blocks, which have been decided on."""
        if page.facts[p.BLOCKS] == 0:
            return page_metadata(page, url)
        chances = self._measures(page).type_chances
        likeliest = int(np.argmax(chances))
        return page_metadata(page, url, PAGE_TYPES[likeliest], round(float(chances[likeliest]), 3))

    def _written(self, page: Page, measures: Measures, output: Output) -> str:
        """The blocks that are kept."""
        if output.format == "markdown":
            return self._markdown.write(page, measures.keep, output.links)
        blocks, gaps = page.blocks[: page.facts[p.BLOCKS]], page.gaps[: page.state[p.GAP_COUNT]]
        size = write_text(page.text, page.nodes, blocks, measures.keep, gaps, measures.output)
        return measures.output[:size].tobytes().decode("utf-8", "replace")

    @functools.cached_property
    def _markdown(self) -> MarkdownWriter:
        from curation.extract.main_text.markdown import MarkdownWriter  # compiled only where asked for

        return MarkdownWriter()

    def _paragraphs(self, lines: str, output: Output) -> str:
        """Texts that no block has, a line each, as they are wanted. Takes the place of the page that is being worked on."""
        if output.format == "text" or not lines:
            return lines
        from curation.extract.main_text.markdown import as_page

        page = self._parsed(as_page(lines.splitlines()))
        keep = np.ones(page.facts[p.BLOCKS], np.uint8)
        return "\n" + self._markdown.write(page, keep, links=False)

    def _parsed(self, html: bytes) -> Page:
        page = self._workspace.page(np.frombuffer(html, np.uint8, min(len(html), MAX_BYTES)))
        parse(page)
        return page

    def _measures(self, page: Page) -> Measures:
        nodes, blocks, text_bytes = (int(page.facts[fact]) for fact in (p.NODES, p.BLOCKS, p.TEXT_BYTES))
        return self._workspace.measures(nodes, blocks, text_bytes + int(page.state[p.GAP_BYTES]))
