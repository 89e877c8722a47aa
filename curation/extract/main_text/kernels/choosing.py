"""Which blocks make the text: those that maximise the expected word F1, given each block's probability."""

from __future__ import annotations

import numpy as np

from curation.extract.main_text.kernels import features as f
from curation.extract.main_text.kernels import measuring as m
from curation.extract.main_text.kernels import page as p
from curation.extract.main_text.kernels.arithmetic import binary_logarithm
from curation.extract.main_text.kernels.measuring import Measures
from curation.extract.main_text.kernels.page import Page
from curation.text.kernels.compiling import kernel

STEPS = 1001  # probabilities are told apart to a thousandth
PAGE_TYPES = len(f.PAGE_TYPES)
_LIKELY_PART = np.array(
    [f.column(name) for name in "link sent rec_count f_heading currency img f_para f_item f_comment wlen".split()]
)
LIKELY_CAP = np.float32(50)  # a column counts for so much at most
PAGE_ROW = f.PAGE_NUMBERS + 2 + len(_LIKELY_PART)


@kernel
def fill_page_row(page: Page, measures: Measures) -> None:
    """The row by which the page's type is judged: page numbers, and means of columns over what is likely main text."""
    row, rows, count = measures.page_row, measures.rows, page.facts[p.BLOCKS]
    likely = row[f.PAGE_NUMBERS + 2 :]
    for column in range(f.PAGE_NUMBERS):
        row[column] = rows[0, f.PAGE + column]
    likely[:] = 0.0
    main = weight = 0.0
    for block in range(count):
        words = rows[block, f.OWN] + 1
        value = words * measures.first[block]
        weight += words
        main += value
        for place in range(len(_LIKELY_PART)):
            likely[place] += value * min(rows[block, _LIKELY_PART[place]], LIKELY_CAP)
    main = max(main, 1e-6)
    row[f.PAGE_NUMBERS] = main / weight
    row[f.PAGE_NUMBERS + 1] = binary_logarithm(1 + main)
    for place in range(len(_LIKELY_PART)):
        likely[place] /= main


@kernel
def choose(page: Page, measures: Measures, beta: float) -> tuple[int, float]:
    """Marks the blocks to keep; gives how many words they have, and the word F1 to be expected of them.

    All blocks from some probability on are kept: that for which 2 * sum(p w) / (sum(w) + beta * expected main words) is greatest,
    the sums over what is kept. A beta below 1 prefers precision. The F1 is that value at the choice with a beta of 1, whatever the
    beta, so that it is a share.
    """
    words, expected = measures.shares[0], measures.shares[1]
    count, total = page.facts[p.BLOCKS], 0.0
    measures.shares[:, :] = 0.0
    for block in range(count):
        step = STEPS - 1 - np.int64(measures.final[block] * (STEPS - 1))
        words[step] += measures.statistics[block, m.WORDS]
        expected[step] += measures.statistics[block, m.WORDS] * measures.final[block]
        total += measures.statistics[block, m.WORDS] * measures.final[block]
    best, cut, kept, right = -1.0, STEPS - 1, 0.0, 0.0
    expected_f1 = 0.0
    for step in range(STEPS):
        if words[step] > 0:
            right += expected[step]
            kept += words[step]
            value = 2 * right / (kept + beta * total + 1e-9)
            if value > best:
                best, cut = value, step
                expected_f1 = 2 * right / (kept + total + 1e-9)
    chosen_words = 0
    for block in range(count):
        is_kept = STEPS - 1 - np.int64(measures.final[block] * (STEPS - 1)) <= cut
        measures.keep[block] = is_kept
        chosen_words += np.int64(measures.statistics[block, m.WORDS]) if is_kept else 0
    return chosen_words, expected_f1
