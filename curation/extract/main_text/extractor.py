"""Main text of a page: its bytes through the kernels, and JSON-LD where those found next to nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from curation.extract.main_text.calibration import calibrated
from curation.extract.main_text.kernels import page as p
from curation.extract.main_text.kernels.assembling import write_text
from curation.extract.main_text.kernels.deciding import decide
from curation.extract.main_text.kernels.measuring import Measures, Model
from curation.extract.main_text.kernels.page import Page
from curation.extract.main_text.kernels.parsing import parse
from curation.extract.main_text.structured_data import structured_text
from curation.extract.main_text.workspace import MAX_BYTES, Workspace

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
    """

    format: Literal["text", "markdown"] = "text"
    links: bool = False
    comments: Literal["keep", "drop"] = "keep"
    beta: float | None = None


PLAIN = Output()


class MainText(NamedTuple):
    """What is found in a page.

    text         the main text, "" where there is none
    expected_f1  the word F1, 0 to 1, that was measured where the weights expected as much of the blocks that they chose (what
                 JSON-LD adds is not looked at); 0 where there are no blocks
    """

    text: str
    expected_f1: float


class Judged(NamedTuple):
    """A page's blocks in the order of the page, for those who look at a decision.

    texts    of each block
    chances  float32: probability that it is main text
    kept     whether it is in the main text
    """

    texts: list[str]
    chances: npt.NDArray[np.float32]
    kept: npt.NDArray[np.bool_]


class Extractor:
    """Takes pages one at a time, in UTF-8. What it knows of one it forgets before the next. Not for two threads."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._workspace = Workspace()

    def main_text(self, html: bytes) -> str:
        """The main text as plain text, a block a line, "" where there is none. Linear in the bytes, whatever they are."""
        return self.extract(html, PLAIN).text

    def extract(self, html: bytes, output: Output) -> MainText:
        """The main text of a page as it is wanted, and what to think of it."""
        page = self._parsed(html)
        text, words, expected_f1 = "", 0, 0.0
        count = int(page.facts[p.BLOCKS])
        if count > 0:
            measures = self._measures(page)
            words, expected_f1 = decide(page, measures, self._judging_by(output.beta))
            expected_f1 = calibrated(self._model.calibration, expected_f1)
            size = write_text(page.text, page.blocks[:count], measures.keep, measures.output)
            text = measures.output[:size].tobytes().decode("utf-8", "replace")
        if words < FEW_WORDS:
            more = structured_text(_json_scripts(page), text, words)
            text = text + more if more or words >= MIN_WORDS else ""
        self._workspace.give_back()
        return MainText(text, expected_f1)

    def judged(self, html: bytes) -> Judged:
        """All blocks of a page with what was decided; JSON-LD is left out."""
        page = self._parsed(html)
        count = int(page.facts[p.BLOCKS])
        if count == 0:
            return Judged([], np.empty(0, np.float32), np.empty(0, np.bool_))
        measures = self._measures(page)
        decide(page, measures, self._model)
        ranges = page.blocks[:count, [p.TEXT_START, p.TEXT_END]].tolist()
        texts = [page.text[start:stop].tobytes().decode("utf-8", "replace") for start, stop in ranges]
        judged = Judged(texts, measures.final[:count].copy(), measures.keep[:count] != 0)
        self._workspace.give_back()
        return judged

    def _judging_by(self, beta: float | None) -> Model:
        return self._model if beta is None else self._model._replace(beta=beta)

    def _parsed(self, html: bytes) -> Page:
        page = self._workspace.page(np.frombuffer(html, np.uint8, min(len(html), MAX_BYTES)))
        parse(page)
        return page

    def _measures(self, page: Page) -> Measures:
        nodes, blocks, text_bytes = (int(page.facts[fact]) for fact in (p.NODES, p.BLOCKS, p.TEXT_BYTES))
        return self._workspace.measures(nodes, blocks, text_bytes)


def _json_scripts(page: Page) -> list[bytes]:
    places = page.facts[p.FIRST_JSON : p.FIRST_JSON + 2 * page.facts[p.JSON_COUNT]].tolist()
    return [page.html[start:stop].tobytes() for start, stop in zip(places[::2], places[1::2], strict=True)]
