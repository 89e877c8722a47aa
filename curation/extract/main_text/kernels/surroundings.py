"""Columns about what stands around a block: neighbours, windows, headings before and after."""

from __future__ import annotations

from curation.extract.main_text.kernels import features as f
from curation.extract.main_text.kernels import measuring as m
from curation.extract.main_text.kernels import page as p
from curation.extract.main_text.kernels.measuring import Measures
from curation.extract.main_text.kernels.page import Page
from curation.extract.main_text.kernels.structure import heading_level
from curation.text.kernels.compiling import inlined

NARROW, WIDE = 5, 15  # blocks on either side of a window
FAR_HEADING = 99  # blocks; more are not told apart
NO_HEADING = 100


@inlined
def fill_next_headings(page: Page, measures: Measures) -> None:
    """How many blocks on the next heading stands."""
    count = page.facts[p.BLOCKS]
    following = count
    for block in range(count - 1, -1, -1):
        measures.rows[block, f.HEADING + 5] = min(following - block, FAR_HEADING)
        if heading_level(page, block) > 0:
            following = block


@inlined
def fill_neighbours(page: Page, measures: Measures, block, row):  # type: ignore[no-untyped-def]
    """The three blocks before and the three after: words, links, linear score, tag."""
    nodes, blocks, count = page.nodes, page.blocks, page.facts[p.BLOCKS]
    for place in range(2 * f.NEIGHBOURS):
        other = block - 1 - place if place < f.NEIGHBOURS else block + 1 + place - f.NEIGHBOURS
        at = f.NEIGHBOUR + place * 4
        if 0 <= other < count:
            row[at] = measures.statistics[other, m.WORDS]
            row[at + 1] = measures.statistics[other, m.LINK_SHARE]
            row[at + 2] = measures.linear[other, m.ALL]
            row[at + 3] = nodes[blocks[other, p.BLOCK_NODE], p.TAG]
        else:
            row[at] = -1
            row[at + 1] = -1
            row[at + 2] = 0
            row[at + 3] = -1
    parent = nodes[blocks[block, p.BLOCK_NODE], p.BLOCK_PARENT]
    row[f.SAME_PARENT] = row[f.SAME_PARENT + 1] = 0
    if block > 0 and nodes[blocks[block - 1, p.BLOCK_NODE], p.BLOCK_PARENT] == parent:
        row[f.SAME_PARENT] = 1
    if block + 1 < count and nodes[blocks[block + 1, p.BLOCK_NODE], p.BLOCK_PARENT] == parent:
        row[f.SAME_PARENT + 1] = 1


@inlined
def fill_windows(page: Page, measures: Measures, block, row):  # type: ignore[no-untyped-def]
    """Sums over the blocks on both sides, the block itself included."""
    sums, window, count = measures.sums, row[f.WINDOW : f.HEADING], page.facts[p.BLOCKS]
    first, last = max(block - NARROW, 0), min(block + NARROW + 1, count)
    words = sums[last, m.SUM_WORDS] - sums[first, m.SUM_WORDS]
    weight = sums[last, m.SUM_WEIGHT] - sums[first, m.SUM_WEIGHT]
    window[0] = words
    window[1] = (sums[last, m.SUM_LINKED] - sums[first, m.SUM_LINKED]) / max(words, 1.0)
    window[2] = (sums[last, m.SUM_LINEAR] - sums[first, m.SUM_LINEAR]) / weight
    window[3] = (sums[last, m.SUM_SENTENCES] - sums[first, m.SUM_SENTENCES]) / max(words, 1.0)
    first, last = max(block - WIDE, 0), min(block + WIDE + 1, count)
    words = sums[last, m.SUM_WORDS] - sums[first, m.SUM_WORDS]
    weight = sums[last, m.SUM_WEIGHT] - sums[first, m.SUM_WEIGHT]
    window[4] = words
    window[5] = (sums[last, m.SUM_LINKED] - sums[first, m.SUM_LINKED]) / max(words, 1.0)
    window[6] = (sums[last, m.SUM_LINEAR] - sums[first, m.SUM_LINEAR]) / weight


@inlined
def fill_heading(page: Page, measures: Measures, block, row, last_heading, first_h1):  # type: ignore[no-untyped-def]
    """The heading before: how far, how many words since, its level, links, share of the title, score. -1 where there is none.

    Gives the last heading and the first <h1> as the next block has them.
    """
    sums, heading = measures.sums, row[f.HEADING : f.COPIES]
    if last_heading >= 0:
        heading[0] = min(block - last_heading, FAR_HEADING)
        heading[1] = sums[block, m.SUM_WORDS] - sums[last_heading + 1, m.SUM_WORDS]
        heading[2] = heading_level(page, last_heading)
        heading[3] = measures.statistics[last_heading, m.LINK_SHARE]
        heading[4] = measures.statistics[last_heading, m.TITLE_COVER]
        heading[8] = measures.linear[last_heading, m.ALL]
    else:
        heading[0] = NO_HEADING
        heading[1] = sums[block, m.SUM_WORDS]
        heading[2] = 0
        heading[3] = heading[4] = -1
        heading[8] = -9
    heading[6] = sums[block, m.SUM_WORDS] - sums[first_h1, m.SUM_WORDS] if first_h1 >= 0 else -1
    heading[7] = 0
    level = heading_level(page, block)
    if level == 1 and first_h1 < 0:
        first_h1 = block
        heading[7] = 1
    if level > 0:
        last_heading = block
    return last_heading, first_h1
