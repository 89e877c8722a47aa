"""Columns about what a block stands in: its ancestors, the record it is part of, and the page's best container."""

from __future__ import annotations

from curation.extract.main_text.kernels import features as f
from curation.extract.main_text.kernels import measuring as m
from curation.extract.main_text.kernels import page as p
from curation.extract.main_text.kernels.measuring import Measures
from curation.extract.main_text.kernels.page import Page
from curation.text.kernels.compiling import inlined, kernel

RECORD_TWINS = 3  # an element with so many like it is one record of a list
RECORD_LEVELS = 10  # how far up records are looked for
BEST_LEVELS = 20  # how far up from the best container a common one is looked for


@inlined
def fill_ancestors(page: Page, measures: Measures, block, row):  # type: ignore[no-untyped-def]
    """Words, shares and twins of the block's node and of four wider ones; where there is none, those of the last one."""
    nodes, sums = page.nodes, measures.sums
    all_words = max(sums[page.facts[p.BLOCKS], m.SUM_WORDS], 1.0)
    node = page.blocks[block, p.BLOCK_NODE]
    for level in range(f.ANCESTORS):
        at = f.ANCESTRY + level * f.ANCESTOR_COLUMNS
        if node >= 0:
            first = nodes[node, p.FIRST_BLOCK]
            last = max(nodes[node, p.BLOCKS_END], first + 1)
            words = sums[last, m.SUM_WORDS] - sums[first, m.SUM_WORDS]
            row[at] = words
            row[at + 1] = (sums[last, m.SUM_LINKED] - sums[first, m.SUM_LINKED]) / max(words, 1.0)
            row[at + 2] = last - first
            row[at + 3] = (sums[last, m.SUM_SENTENCES] - sums[first, m.SUM_SENTENCES]) / max(words, 1.0)
            row[at + 4] = words / all_words
            weight = sums[last, m.SUM_WEIGHT] - sums[first, m.SUM_WEIGHT]
            row[at + 5] = (sums[last, m.SUM_LINEAR] - sums[first, m.SUM_LINEAR]) / max(weight, 1.0)
            row[at + 6] = measures.twins[node]
            node = measures.wider[node]
        else:
            for column in range(6):
                row[at + column] = row[at + column - f.ANCESTOR_COLUMNS]
            row[at + 6] = 0


@kernel
def record_from(page: Page, measures: Measures, node: int) -> tuple[int, int]:
    """The nearest node from one up that is one of several twins, or -1; and how many levels up it is."""
    level = 0
    while node > 0 and measures.twins[node] < RECORD_TWINS and level < RECORD_LEVELS:
        node = page.nodes[node, p.BLOCK_PARENT]
        level += 1
    if node > 0 and measures.twins[node] >= RECORD_TWINS:
        return node, level
    return -1, level


@inlined
def fill_record(page: Page, measures: Measures, block, row):  # type: ignore[no-untyped-def]
    """Size and links of the block's record, and the share of the page that its list is; -1 where there is none."""
    nodes, sums, record = page.nodes, measures.sums, row[f.RECORD : f.GROUP]
    node, level = record_from(page, measures, page.blocks[block, p.BLOCK_NODE])
    record[:] = -1
    if node > 0:
        first = nodes[node, p.FIRST_BLOCK]
        last = max(nodes[node, p.BLOCKS_END], first + 1)
        words = sums[last, m.SUM_WORDS] - sums[first, m.SUM_WORDS]
        record[0], record[1] = level, measures.twins[node]
        record[2], record[3] = words, last - first
        record[4] = (sums[last, m.SUM_LINKED] - sums[first, m.SUM_LINKED]) / max(words, 1.0)
        parent = nodes[node, p.PARENT]
        first, last = nodes[parent, p.FIRST_BLOCK], nodes[parent, p.BLOCKS_END]
        all_words = max(sums[page.facts[p.BLOCKS], m.SUM_WORDS], 1.0)
        record[5] = (sums[last, m.SUM_WORDS] - sums[first, m.SUM_WORDS]) / all_words


@inlined
def is_inside(page: Page, node, block):  # type: ignore[no-untyped-def]
    return page.nodes[node, p.FIRST_BLOCK] <= block < page.nodes[node, p.BLOCKS_END]


@inlined
def fill_best(page: Page, measures: Measures, block, row, best):  # type: ignore[no-untyped-def]
    """Whether the block is in the best container, or how far it is from it, up the tree and in blocks."""
    nodes, columns = page.nodes, row[f.BEST : f.PAGE]
    wider = max(measures.wider[best], 0)
    columns[0] = 1 if is_inside(page, best, block) else 0
    columns[1] = 1 if is_inside(page, wider, block) else 0
    node, levels = best, 0
    while node >= 0 and not is_inside(page, node, block) and levels < BEST_LEVELS:
        node = measures.wider[node]
        levels += 1
    columns[2] = levels
    columns[3] = measures.page_numbers[17]
    columns[4] = max(nodes[best, p.FIRST_BLOCK] - block, 0)
    columns[5] = max(block - nodes[best, p.BLOCKS_END] + 1, 0)
