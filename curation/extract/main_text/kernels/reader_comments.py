"""What readers wrote below a page, left out where that is asked for."""

from __future__ import annotations

import numpy as np

from curation.extract.main_text.kernels import features as f
from curation.extract.main_text.kernels import measuring as m
from curation.extract.main_text.kernels import page as p
from curation.extract.main_text.kernels.measuring import Measures
from curation.extract.main_text.kernels.page import Page
from curation.extract.main_text.kernels.tags import H1
from curation.text.kernels.compiling import entry, inlined

FORUM = f.PAGE_TYPES.index("forum")


@inlined
def has_title(page: Page, first, stop):  # type: ignore[no-untyped-def]
    """Whether a range of blocks has a heading of level 1."""
    for block in range(first, stop):
        if page.nodes[page.blocks[block, p.BLOCK_NODE], p.TAG] == H1:
            return True
    return False


@entry
def leave_out_comments(page: Page, measures: Measures) -> int:
    """Unmarks the blocks of elements that say they hold comments; gives the words of those that stay.

    A page that is most likely a forum keeps them: they are what it is for. An element with a heading of level 1 holds none of its
    own: it is the page itself, with a word in its class that says whether comments are open.
    """
    chances, keep = measures.type_chances, measures.keep
    is_forum = True
    for page_type in range(len(f.PAGE_TYPES)):
        is_forum &= chances[page_type] <= chances[FORUM]
    left_out = 0  # blocks up to which all has been looked at
    for node in range(1, page.facts[p.NODES]):
        row = page.nodes[node]
        if is_forum or row[p.COMMENTS] == 0 or row[p.BLOCKS_END] <= left_out:
            continue
        if not has_title(page, row[p.FIRST_BLOCK], row[p.BLOCKS_END]):
            for block in range(row[p.FIRST_BLOCK], row[p.BLOCKS_END]):
                keep[block] = 0
            left_out = row[p.BLOCKS_END]
    words = 0
    for block in range(page.facts[p.BLOCKS]):
        words += np.int64(measures.statistics[block, m.WORDS]) if keep[block] != 0 else 0
    return np.int64(words)
