"""Which linear weights the scores of blocks are sums of."""

from __future__ import annotations

import numpy as np

from curation.extract.main_text.kernels import measuring as m
from curation.extract.main_text.kernels import page as p
from curation.extract.main_text.kernels.linear import (
    FAR_TABLE,
    HASH_BITS,
    HASH_MASK,
    HEADING_TABLE,
    NEAR_TABLE,
    TEXT_TABLE,
    tag_hash,
)
from curation.extract.main_text.kernels.measuring import Measures
from curation.extract.main_text.kernels.page import Page
from curation.text.kernels.compiling import Int32s, Int64s, entry


@entry
def places_of_blocks(page: Page, measures: Measures, places: Int32s, ends: Int64s) -> int:
    """Which weights each block's scores are sums of, for those who fit them; `measures` as `linear.score_blocks` leaves it.

    places  int32: place in a table and, times the size of a table, which: NEAR_TABLE, FAR_TABLE, TEXT_TABLE or HEADING_TABLE
    ends    int64[blocks]: where the places of a block end

    Gives how many places there are, or -1 where there is no room for them.
    """
    nodes, words, text_ends = page.nodes, measures.text_words, measures.text_ends
    count = 0
    for block in range(page.facts[p.BLOCKS]):
        container, node = page.blocks[block, p.BLOCK_NODE], page.blocks[block, p.INNER_NODE]
        level = 0
        while node > 0:
            table = (NEAR_TABLE if level <= 1 else FAR_TABLE) << HASH_BITS
            if count + nodes[node, p.WORDS_END] - nodes[node, p.FIRST_WORD] >= len(places):
                return -1
            places[count] = table | tag_hash(np.int64(nodes[node, p.TAG]))
            count += 1
            for word in range(nodes[node, p.FIRST_WORD], nodes[node, p.WORDS_END]):
                places[count] = table | (np.int64(page.words[word]) & HASH_MASK)
                count += 1
            if node == container or (level > 0 and nodes[node, p.IS_BLOCK] == 1):
                level += 1
            node = nodes[node, p.PARENT]
        for place in range(m.HEADINGS + 1):
            source = block if place == m.HEADINGS else np.int64(measures.headings[block, place])
            table = (TEXT_TABLE if place == m.HEADINGS else HEADING_TABLE) << HASH_BITS
            if source < 0:
                continue
            first = text_ends[source - 1] if source > 0 else 0
            if count + text_ends[source] - first > len(places):
                return -1
            for word in range(first, text_ends[source]):
                places[count] = table | (np.int64(words[word]) & HASH_MASK)
                count += 1
        ends[block] = count
    return count
