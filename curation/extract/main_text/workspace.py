"""The arrays in which a page is worked on. They are kept from page to page, and given back behind a large one.

How much a page may have is fixed, and no array's size decides a result: each is as large as the bytes could ask for, up to that.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from curation.extract.main_text.kernels import (
    choosing,
    entities,
    features,
    linear,
    measuring,
    tags,
    trees,
)
from curation.extract.main_text.kernels import page as p
from curation.extract.main_text.kernels.measuring import Measures
from curation.extract.main_text.kernels.page import Page

MAX_NODES, MAX_BLOCKS, MAX_WORDS, MAX_GAPS = 1 << 18, 1 << 16, 1 << 22, 1 << 18  # of a page; what is beyond is not read
MAX_BYTES = 1 << 28  # of a page; so that places are int32 whatever becomes of them
NODE_BYTES, BLOCK_BYTES, WORD_BYTES, GAP_BYTES = (
    3,
    4,
    2,
    3,
)  # `<a>`, `x<p>`, `a `, `a  `: the fewest bytes that make one
KEPT_BYTES, KEPT_NODES, KEPT_BLOCKS = 4 << 20, 1 << 15, 1 << 13  # room that is kept from page to page

Buffer = npt.NDArray[np.uint8]


class Workspace:
    """Rooms for pages, one at a time. Not for two threads."""

    _page: Page
    _measures: Measures

    def __init__(self) -> None:
        self._parsing_bytes = self._nodes = self._blocks = -1

    def page(self, html: Buffer) -> Page:
        """Room to parse a page; what `measures` has given stays valid."""
        size = len(html)
        if size > self._parsing_bytes:
            self._make_page(max(1 << 18, power_of_two(size)))
        page: Page = self._page._replace(html=html)
        return page

    def measures(self, nodes: int, blocks: int, text_bytes: int) -> Measures:
        """Room to judge a page that has been parsed."""
        if nodes > self._nodes or blocks > self._blocks:
            self._make_measures(max(4096, power_of_two(nodes)), max(1024, power_of_two(blocks)))
        if len(self._measures.output) < text_bytes + blocks:
            self._measures = self._measures._replace(output=np.empty(power_of_two(text_bytes + blocks), np.uint8))
        return self._measures

    def give_back(self) -> None:
        """Forgets rooms that only a large page needs."""
        if self._parsing_bytes > KEPT_BYTES:
            del self._page
            self._parsing_bytes = -1
        if self._nodes > KEPT_NODES or self._blocks > KEPT_BLOCKS:
            del self._measures
            self._nodes = self._blocks = -1

    def _make_page(self, size: int) -> None:
        nodes, blocks = min(size // NODE_BYTES + 2, MAX_NODES), min(size // BLOCK_BYTES + 2, MAX_BLOCKS)
        words = min(size // WORD_BYTES + 2 * p.NODE_WORDS, MAX_WORDS)
        gaps = min(size // GAP_BYTES + 2, MAX_GAPS)
        self._page = Page(
            html=np.empty(0, np.uint8),
            nodes=np.empty((nodes, p.NODE_COLUMNS), np.int32),
            signatures=np.empty(nodes, np.uint64),
            blocks=np.empty((blocks, p.BLOCK_COLUMNS), np.int32),
            text=np.empty(int(size * entities.GROWTH) + 64, np.uint8),
            words=np.empty(words, np.uint32),
            gaps=np.empty((gaps, p.GAP_COLUMNS), np.int32),
            facts=np.zeros(p.FACTS, np.int64),
            state=np.zeros(p.STATE, np.int64),
            stack=np.zeros(p.MAX_OPEN, np.int64),
            open_counts=np.zeros(tags.TAGS, np.int64),
        )
        self._parsing_bytes = size

    def _make_measures(self, nodes: int, blocks: int) -> None:
        slots = power_of_two(2 * (nodes + blocks) + 16)
        self._measures = Measures(
            statistics=np.empty((blocks, measuring.STATISTICS), np.float32),
            text_hashes=np.empty(blocks, np.uint64),
            text_words=np.empty(measuring.BLOCK_WORDS * blocks, np.uint32),
            text_ends=np.empty(blocks, np.int32),
            title_words=np.empty(measuring.TITLE_SLOTS, np.uint64),
            description_words=np.empty(measuring.DESCRIPTION_SLOTS, np.uint64),
            headings=np.empty((blocks, measuring.HEADINGS), np.int32),
            wider=np.empty(nodes, np.int32),
            twins=np.empty(nodes, np.int32),
            twin_slots=np.empty(nodes, np.int64),
            groups=np.empty(blocks, np.int64),
            linear=np.empty((blocks, measuring.LINEAR), np.float32),
            node_sums=np.empty((nodes, linear.NODE_SUMS), np.float32),
            node_scores=np.empty(nodes, np.float32),
            sums=np.empty((blocks + 1, measuring.SUMS), np.float64),
            group_sums=np.empty((blocks, measuring.SUMS), np.float64),
            keys=np.empty(slots, np.uint64),
            values=np.empty(slots, np.int64),
            page_numbers=np.empty(features.PAGE_NUMBERS, np.float32),
            rows=np.empty((blocks, features.FEATURES), np.float32),
            first=np.empty(blocks, np.float32),
            final=np.empty(blocks, np.float32),
            scores=np.empty(blocks + trees.GROUP, np.float32),
            chosen=np.empty(blocks, np.int32),
            tile=np.empty(trees.TILE * features.FEATURES, np.int32),
            page_row=np.empty(choosing.PAGE_ROW, np.float32),
            type_chances=np.empty(choosing.PAGE_TYPES, np.float32),
            keep=np.empty(blocks, np.uint8),
            shares=np.empty((2, choosing.STEPS), np.float64),
            output=np.empty(1 << 16, np.uint8),
        )
        self._nodes, self._blocks = nodes, blocks


def power_of_two(at_least: int) -> int:
    """The least power of two that is not below a number."""
    return 1 << max(0, at_least - 1).bit_length()
