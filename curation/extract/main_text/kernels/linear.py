"""Linear scores of blocks: logistic regression over hashed words of elements, of short texts and of headings above.

Weights are tables of 65,536 bytes, addressed by the low 16 bits of a hash. One pass over the nodes keeps running sums, so that
what stands above a block costs nothing per block.
"""

from __future__ import annotations

import numpy as np

from curation.extract.main_text.kernels import measuring as m
from curation.extract.main_text.kernels import page as p
from curation.extract.main_text.kernels.measuring import Measures, Model
from curation.extract.main_text.kernels.page import Page
from curation.text.kernels.compiling import inlined, kernel

HASH_BITS = 16
HASH_MASK = (1 << HASH_BITS) - 1
F = np.float32
TABLES = 4
NEAR_TABLE, FAR_TABLE, TEXT_TABLE, HEADING_TABLE = range(TABLES)

# Columns of node_sums: own sums of both tables, own count, the last two from the page's root on, extremes above
(OWN_NEAR, OWN_FAR, OWN_COUNT, PATH_FAR, PATH_COUNT, PATH_LEAST, PATH_GREATEST) = range(7)
NODE_SUMS = 7


@inlined
def tag_hash(tag: int) -> int:
    """The place of a tag in the tables."""
    return (tag * 40503 + 977) & HASH_MASK


@inlined
def sum_nodes(page: Page, measures: Measures, model: Model) -> None:
    """Sums of weights over each node's tag and words, and down the tree."""
    nodes, words, sums = page.nodes, page.words, measures.node_sums
    near_scale, far_scale = model.scales[0], model.scales[1]
    sums[0, :] = 0
    for node in range(page.facts[p.NODES]):
        row = sums[node]
        place = tag_hash(np.int64(nodes[node, p.TAG]))
        near = model.elements[place, 0] * near_scale if node > 0 else F(0)
        far = model.elements[place, 1] * far_scale if node > 0 else F(0)
        for word in range(nodes[node, p.FIRST_WORD], nodes[node, p.WORDS_END]):
            place = np.int64(words[word]) & HASH_MASK
            near += model.elements[place, 0] * near_scale
            far += model.elements[place, 1] * far_scale
        row[OWN_NEAR], row[OWN_FAR] = near, far
        row[OWN_COUNT] = nodes[node, p.WORDS_END] - nodes[node, p.FIRST_WORD] + 1 if node > 0 else 0
        if node == 0:
            row[PATH_FAR] = far
            continue
        above = sums[nodes[node, p.PARENT]]
        row[PATH_FAR] = above[PATH_FAR] + far
        row[PATH_COUNT] = above[PATH_COUNT] + row[OWN_COUNT]
        own = far / np.sqrt(max(row[OWN_COUNT], F(1)))
        row[PATH_LEAST] = min(above[PATH_LEAST], own)
        row[PATH_GREATEST] = max(above[PATH_GREATEST], own)


@kernel
def score_blocks(page: Page, measures: Measures, model: Model) -> None:
    """Fills in `linear`."""
    sum_nodes(page, measures, model)
    nodes, sums, words, ends = page.nodes, measures.node_sums, measures.text_words, measures.text_ends
    text_scale, heading_scale = model.scales[2], model.scales[3]
    first_word = 0
    for block in range(page.facts[p.BLOCKS]):
        container = page.blocks[block, p.BLOCK_NODE]
        node = page.blocks[block, p.INNER_NODE]
        near, count, level = F(0), F(0), 0
        while node > 0 and level <= 1:
            near += sums[node, OWN_NEAR]
            count += sums[node, OWN_COUNT]
            if node == container or (level > 0 and nodes[node, p.IS_BLOCK] == 1):
                level += 1
            node = nodes[node, p.PARENT]
        near /= np.sqrt(max(count, F(1)))
        far = sums[node, PATH_FAR] / np.sqrt(max(sums[node, PATH_COUNT], F(1))) if node >= 0 else F(0)
        text = F(0)
        for word in range(first_word, ends[block]):
            text += model.texts[np.int64(words[word]) & HASH_MASK] * text_scale
        text /= np.sqrt(max(F(ends[block] - first_word), F(1)))
        first_word = ends[block]
        above, above_count = F(0), 0
        for place in range(m.HEADINGS):
            heading = measures.headings[block, place]
            if heading >= 0:
                for word in range(ends[heading - 1] if heading > 0 else 0, ends[heading]):
                    above += model.headings[np.int64(words[word]) & HASH_MASK] * heading_scale
                    above_count += 1
        heading_mean = above / np.sqrt(np.float64(max(above_count, 1)))
        row, inner = measures.linear[block], page.blocks[block, p.INNER_NODE]
        row[m.NEAR], row[m.FAR], row[m.OF_TEXT], row[m.OF_HEADINGS] = near, far, text, heading_mean
        row[m.ALL] = near + far + text + heading_mean + model.bias
        row[m.LEAST], row[m.GREATEST] = sums[inner, PATH_LEAST], sums[inner, PATH_GREATEST]
