"""From a parsed page to the blocks of its main text: both stages of trees, the page's type, the choice of blocks."""

from __future__ import annotations

import numpy as np

from curation.extract.main_text.kernels import choosing, context, repeats, rows, trees
from curation.extract.main_text.kernels import features as f
from curation.extract.main_text.kernels import page as p
from curation.extract.main_text.kernels.arithmetic import logistic
from curation.extract.main_text.kernels.measuring import Measures, Model
from curation.extract.main_text.kernels.page import Page
from curation.text.kernels.compiling import entry, inlined


@inlined
def first_stage(page: Page, measures: Measures, model: Model) -> None:
    """Probabilities from what stands in the page, into `first`."""
    count, scores = page.facts[p.BLOCKS], measures.scores
    for block in range(count):
        measures.chosen[block] = block
    trees.add_trees(
        measures.rows,
        measures.chosen,
        count,
        f.FIRST_STAGE,
        model.first,
        measures.tile,
        scores,
    )
    for block in range(count):
        measures.first[block] = logistic(scores[block])


@inlined
def second_stage(page: Page, measures: Measures, model: Model) -> None:
    """Probabilities from those of the first stage too, into `final`. Blocks that were all but out keep what they had."""
    count, chosen, scores = page.facts[p.BLOCKS], measures.chosen, measures.scores
    asked = 0
    for block in range(count):
        measures.final[block] = measures.first[block]
        if measures.first[block] >= model.skip:
            chosen[asked] = block
            asked += 1
    for place in range(asked):
        columns = measures.rows[chosen[place], f.TYPE_CHANCES : f.FEATURES]
        for page_type in range(choosing.PAGE_TYPES):
            columns[page_type] = measures.type_chances[page_type]
    trees.add_trees(
        measures.rows,
        chosen,
        asked,
        f.FEATURES,
        model.second,
        measures.tile,
        scores,
    )
    for place in range(asked):
        measures.final[chosen[place]] = logistic(scores[place])


@entry
def decide(page: Page, measures: Measures, model: Model) -> tuple[int, float]:
    """Marks the blocks that make the main text of a page with at least one; gives their words and the F1 to be expected."""
    groups = rows.measure(page, measures)
    rows.fill_rows(page, measures, model, groups)
    first_stage(page, measures, model)
    choosing.fill_page_row(page, measures)
    trees.class_chances(measures.page_row, model.types, measures.tile, measures.type_chances)
    context.fill_context(page, measures, groups)
    second_stage(page, measures, model)
    words, expected_f1 = choosing.choose(page, measures, model.beta)
    words -= repeats.drop_repeats(page, measures)
    return np.int64(words), np.float64(expected_f1)
