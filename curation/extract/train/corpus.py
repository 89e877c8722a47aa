"""All annotated pages, cut into blocks by the engine's own kernels, and what each block is fitted to."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from curation.extract import charset
from curation.extract.main_text.calibration import UNCHANGED
from curation.extract.main_text.kernels import features, trees
from curation.extract.main_text.kernels import page as p
from curation.extract.main_text.kernels.deciding import decide
from curation.extract.main_text.kernels.measuring import Measures, Model
from curation.extract.main_text.kernels.page import Page
from curation.extract.main_text.kernels.parsing import parse
from curation.extract.main_text.workspace import MAX_BYTES, Workspace
from curation.extract.train.domains import fold_of
from curation.extract.train.gold import GoldPage
from curation.extract.train.kernels.places import places_of_blocks
from curation.extract.train.labels import block_labels
from curation.extract.train.linear_weights import TABLE, Examples

FEW = 30  # words that a page counts as more than it has, so that tiny pages do not weigh most
GOLD_POWER, PAGE_POWER = (
    0.25,
    0.75,
)  # a block counts its words, divided by the page's main words and all its words, to these
MOST_WEIGHT = 60.0

Numbers = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Corpus:
    """pages    with their bytes in UTF-8
    folds    int64[pages]
    types    int64[pages]: place in `features.PAGE_TYPES`; pages without a type count as articles
    bounds   int64[pages + 1]: the blocks of page i are bounds[i] to bounds[i + 1]
    sizes    int32[blocks]: words
    labels   float32[blocks]: share that is main text
    weights  float64[blocks]: what a block counts in fitting, 1 in the mean
    linear   what the linear weights are fitted to
    """

    pages: Sequence[GoldPage]
    folds: Numbers
    types: Numbers
    bounds: Numbers
    sizes: npt.NDArray[np.int32]
    labels: npt.NDArray[np.float32]
    weights: Values
    linear: Examples

    @functools.cached_property
    def block_folds(self) -> Numbers:
        """int64[blocks]: the fold of each block's page."""
        return np.repeat(self.folds, np.diff(self.bounds))

    def blocks_of(self, page: int) -> slice:
        """The range of a page's blocks."""
        return slice(int(self.bounds[page]), int(self.bounds[page + 1]))


class Decided(NamedTuple):
    """A page, and all that was measured of it."""

    page: Page
    measures: Measures


class Reader:
    """Pages through the engine's kernels, one at a time, under whatever model is at hand."""

    def __init__(self) -> None:
        self._workspace = Workspace()

    def decided(self, html: bytes, model: Model) -> Decided | None:
        """What becomes of a page, valid until the next one is read; None where it has no block."""
        page = self._workspace.page(np.frombuffer(html, np.uint8, min(len(html), MAX_BYTES)))
        parse(page)
        nodes, blocks, text_bytes = (int(page.facts[fact]) for fact in (p.NODES, p.BLOCKS, p.TEXT_BYTES))
        if not blocks:
            return None
        measures = self._workspace.measures(nodes, blocks, text_bytes)
        decide(page, measures, model)
        return Decided(page, measures)


def read_corpus(pages: Iterable[GoldPage]) -> Corpus:
    """Reads and labels the pages that have a main text; pages with snippets only are left out."""
    reader, empty = Reader(), empty_model()
    kept: list[GoldPage] = []
    labels, sizes, places, ends = [], [], [], []
    for page in pages:
        if page.main is None:
            continue
        page = replace(page, html=charset.to_utf8(page.html, page.charset) or b"", charset="utf-8")
        kept.append(page)
        found = reader.decided(page.html, empty)
        texts = _texts(found.page) if found else []
        page_labels, page_sizes = block_labels(texts, page.main or "")
        page_places, page_ends = (
            _places(found.page, found.measures) if found else (np.empty(0, np.int32), np.empty(0, np.int64))
        )
        labels.append(page_labels)
        sizes.append(page_sizes)
        places.append(page_places)
        ends.append(page_ends)
    counts = [len(page_sizes) for page_sizes in sizes]
    starts = np.cumsum([0, *map(len, places)])
    return Corpus(
        pages=kept,
        folds=np.array([fold_of(page.url or page.id) for page in kept], np.int64),
        types=np.array([_type_of(page) for page in kept], np.int64),
        bounds=np.cumsum([0, *counts]),
        sizes=np.concatenate([np.zeros(0, np.int32), *sizes]),
        labels=np.concatenate([np.zeros(0, np.float32), *labels]),
        weights=_weights(labels, sizes),
        linear=Examples(
            places=np.concatenate([np.zeros(0, np.int32), *places]),
            ends=np.concatenate(
                [np.zeros(0, np.int64), *(own + start for own, start in zip(ends, starts, strict=False))]
            ),
        ),
    )


def empty_model() -> Model:
    """Weights that say nothing: what is measured under them is what needs none."""
    nothing = trees.pack(
        np.zeros(0, np.int16),
        np.zeros(0, np.int32),
        np.zeros(0, np.float32),
        np.zeros(0, np.float32),
        np.zeros(0, np.int32),
        np.zeros(0, np.int32),
    )
    table = np.zeros(TABLE, np.int8)
    return Model(
        elements=np.zeros((TABLE, 2), np.int8),
        texts=table,
        headings=table,
        scales=np.zeros(4, np.float32),
        bias=0.0,
        first=nothing,
        second=nothing,
        types=nothing,
        beta=1.0,
        skip=0.0,
        calibration=UNCHANGED,
    )


def _texts(page: Page) -> list[str]:
    ranges = page.blocks[: page.facts[p.BLOCKS], [p.TEXT_START, p.TEXT_END]].tolist()
    return [page.text[start:stop].tobytes().decode("utf-8", "replace") for start, stop in ranges]


def _places(page: Page, measures: Measures) -> tuple[npt.NDArray[np.int32], Numbers]:
    """What each block's linear scores are sums of (see `kernels.places`)."""
    room, ends = 1 << 16, np.zeros(int(page.facts[p.BLOCKS]), np.int64)
    while True:
        places = np.empty(room, np.int32)
        count = places_of_blocks(page, measures, places, ends)
        if count >= 0:
            return places[:count].copy(), ends
        room *= 4


def _type_of(page: GoldPage) -> int:
    return features.PAGE_TYPES.index(page.page_type) if page.page_type in features.PAGE_TYPES else 0


def _weights(labels: Sequence[npt.NDArray[np.float32]], sizes: Sequence[npt.NDArray[np.int32]]) -> Values:
    """A block counts its words, and all blocks of a page together much the same as those of another."""
    weights = [np.zeros(0)]
    for page_labels, page_sizes in zip(labels, sizes, strict=True):
        main, total = float((page_labels * page_sizes).sum()), float(page_sizes.sum())
        weights.append((page_sizes + 1.0) / ((main + FEW) ** GOLD_POWER * (total + FEW) ** PAGE_POWER))
    joined = np.concatenate(weights)
    joined = np.minimum(joined / joined.mean(), MOST_WEIGHT) if len(joined) else joined
    return joined / joined.mean() if len(joined) else joined
