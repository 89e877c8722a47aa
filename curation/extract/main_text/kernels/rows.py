"""Rows of the first stage: all columns of all blocks but those of `context`."""

from __future__ import annotations

from curation.extract.main_text.kernels import (
    ancestry,
    block_numbers,
    linear,
    page_numbers,
    statistics,
    structure,
    surroundings,
)
from curation.extract.main_text.kernels import features as f
from curation.extract.main_text.kernels import page as p
from curation.extract.main_text.kernels.measuring import Measures, Model
from curation.extract.main_text.kernels.page import Page
from curation.text.kernels.compiling import inlined


@inlined
def measure(page: Page, measures: Measures) -> int:
    """What needs no weights: statistics of texts, headings, twins, groups. Gives the number of groups."""
    statistics.measure_texts(page, measures)
    structure.find_headings(page, measures, page.stack[:8])  # the parser's stack is free by now
    structure.find_wider(page, measures)
    structure.count_twins(page, measures)
    return structure.group_blocks(page, measures)


@inlined
def fill_rows(page: Page, measures: Measures, model: Model, groups: int) -> None:
    """Fills in `linear`, `sums` and the first columns of `rows`."""
    linear.score_blocks(page, measures, model)
    page_numbers.sum_blocks(page, measures)
    block_numbers.sum_groups(page, measures, groups)
    best = page_numbers.best_container(page, measures)
    page_numbers.fill_page_numbers(page, measures, best)
    block_numbers.fill_copies(page, measures)
    surroundings.fill_next_headings(page, measures)
    last_heading = first_h1 = -1
    for block in range(page.facts[p.BLOCKS]):
        row = measures.rows[block]
        block_numbers.fill_own(page, measures, block, row)
        block_numbers.fill_tags(page, block, row)
        block_numbers.fill_place(page, measures, block, row)
        ancestry.fill_ancestors(page, measures, block, row)
        ancestry.fill_record(page, measures, block, row)
        block_numbers.fill_group(measures, block, row)
        surroundings.fill_neighbours(page, measures, block, row)
        surroundings.fill_windows(page, measures, block, row)
        last_heading, first_h1 = surroundings.fill_heading(page, measures, block, row, last_heading, first_h1)
        ancestry.fill_best(page, measures, block, row, best)
        for column in range(f.PAGE_NUMBERS):
            row[f.PAGE + column] = measures.page_numbers[column]
