"""Numbers of the whole page, the same in each of its rows: sizes, shares, what it says it is, and its best container."""

from __future__ import annotations

import numpy as np

from curation.extract.main_text.kernels import measuring as m
from curation.extract.main_text.kernels import page as p
from curation.extract.main_text.kernels import tags
from curation.extract.main_text.kernels.arithmetic import binary_logarithm
from curation.extract.main_text.kernels.characters import CLASS, DIGIT, SLASH
from curation.extract.main_text.kernels.features import PAGE_NUMBERS
from curation.extract.main_text.kernels.measuring import Measures
from curation.extract.main_text.kernels.page import Page
from curation.extract.main_text.kernels.structure import heading_level
from curation.text.kernels.compiling import inlined, kernel

READABLE_WORDS, READABLE_LINKS = 10, 0.4  # of a block that counts towards its containers
PARENT_SHARE, GRANDPARENT_SHARE = 0.6, 0.3  # of its words that the second and third container get
LONG_WORDS, MANY_TWINS, MOST_H1 = 25, 4, 5
JSON_TYPES = 12  # of the types, bits that have a number
F = np.float32
_BOILERPLATE = np.int64(sum(tags.FLAG[name] for name in "nav footer aside cookie dialog".split()))
_MAIN, _ARTICLE, _COMMENT, _NOSCRIPT = (np.int64(tags.FLAG[name]) for name in "main article comment noscript".split())
_CODE = np.int64(tags.FLAG["code"] | tags.FLAG["pre"])


@inlined
def logarithm(value):  # type: ignore[no-untyped-def]
    """Of one more, to base 2."""
    return binary_logarithm(F(1) + F(value))


@inlined
def sum_blocks(page: Page, measures: Measures) -> None:
    """Fills in `sums` for the first stage."""
    sums = measures.sums
    sums[0, :] = 0.0
    for block in range(page.facts[p.BLOCKS]):
        row, before, after = measures.statistics[block], sums[block], sums[block + 1]
        words = row[m.WORDS]
        after[m.SUM_WORDS] = before[m.SUM_WORDS] + words
        after[m.SUM_LINKED] = before[m.SUM_LINKED] + words * row[m.LINK_SHARE]
        after[m.SUM_SENTENCES] = before[m.SUM_SENTENCES] + row[m.SENTENCES]
        after[m.SUM_LINEAR] = before[m.SUM_LINEAR] + measures.linear[block, m.ALL] * (words + 1.0)
        after[m.SUM_WEIGHT] = before[m.SUM_WEIGHT] + (words + 1.0)


@kernel
def best_container(page: Page, measures: Measures) -> int:
    """The node with most readable words right below it, as Readability has it (a share goes to its parent and grandparent)."""
    nodes, scores = page.nodes, measures.node_scores
    scores[: page.facts[p.NODES]] = 0.0
    for block in range(page.facts[p.BLOCKS]):
        row, node = measures.statistics[block], page.blocks[block, p.BLOCK_NODE]
        words, links = row[m.WORDS], row[m.LINK_SHARE]
        if words < READABLE_WORDS or links >= READABLE_LINKS or nodes[node, p.INHERITED] & _BOILERPLATE != 0:
            continue
        value = words * (1.0 - links)
        container = nodes[node, p.BLOCK_PARENT]
        if container >= 0:
            scores[container] += value
            container = nodes[container, p.BLOCK_PARENT]
            if container >= 0:
                scores[container] += PARENT_SHARE * value
                container = nodes[container, p.BLOCK_PARENT]
                if container >= 0:
                    scores[container] += GRANDPARENT_SHARE * value
    best = 0
    for node in range(page.facts[p.NODES]):
        if scores[node] > scores[best]:
            best = node
    return best


@inlined
def count_by_kind(page: Page, measures: Measures, all_words: float) -> None:
    """The page numbers that are counts or shares over blocks."""
    nodes, numbers, count = page.nodes, measures.page_numbers, page.facts[p.BLOCKS]
    in_paragraphs, in_main, in_noscript, in_code, in_comments = 0.0, 0, 0, 0, 0
    headings = first_level = priced = items = cells = long = repeated = 0
    for block in range(count):
        node = page.blocks[block, p.BLOCK_NODE]
        tag = nodes[node, p.TAG]
        flags = nodes[page.blocks[block, p.INNER_NODE], p.INHERITED]
        words = measures.statistics[block, m.WORDS]
        whole_words = np.int64(words)
        in_paragraphs += words if tag == tags.P else 0.0
        level = heading_level(page, block)
        headings += level > 0
        first_level += level == 1
        priced += measures.statistics[block, m.CURRENCY] > 0
        items += tag == tags.LI
        cells += tag == tags.TD
        in_main += whole_words if flags & _MAIN else 0
        in_noscript += whole_words if flags & _NOSCRIPT else 0
        in_code += whole_words if flags & _CODE else 0
        in_comments += whole_words if flags & _COMMENT else 0
        long += words >= LONG_WORDS
        repeated += measures.twins[node] >= MANY_TWINS
    numbers[3] = in_paragraphs / all_words
    numbers[4] = logarithm(headings)
    numbers[7] = min(first_level, MOST_H1)
    numbers[8] = in_main / all_words
    numbers[10] = priced / max(count, 1)
    numbers[13] = items / max(count, 1)
    numbers[14] = in_noscript / all_words
    numbers[15] = logarithm(long)
    numbers[16] = repeated / max(count, 1)
    numbers[18] = in_comments / all_words
    numbers[24] = in_code / all_words
    numbers[25] = cells / max(count, 1)


@inlined
def count_articles(page: Page) -> int:
    """Article elements that are in no other."""
    nodes, count = page.nodes, 0
    for node in range(page.facts[p.NODES]):
        if nodes[node, p.INHERITED] & _ARTICLE:
            parent = nodes[node, p.PARENT]
            count += parent < 0 or nodes[parent, p.INHERITED] & _ARTICLE == 0
    return count


@kernel
def fill_page_numbers(page: Page, measures: Measures, best: int) -> None:
    """All page numbers; `best` is the best container."""
    facts, numbers, sums, count = page.facts, measures.page_numbers, measures.sums, page.facts[p.BLOCKS]
    all_words = max(sums[count, m.SUM_WORDS], 1.0)
    numbers[:PAGE_NUMBERS] = 0
    count_by_kind(page, measures, all_words)
    numbers[0] = logarithm(count)
    numbers[1] = logarithm(all_words)
    numbers[2] = sums[count, m.SUM_LINKED] / all_words
    numbers[5] = logarithm(facts[p.ALL_IMAGES])
    numbers[6] = logarithm(facts[p.ALL_INPUTS])
    numbers[9] = logarithm(count_articles(page))
    numbers[11] = sums[count, m.SUM_LINEAR] / sums[count, m.SUM_WEIGHT]
    numbers[12] = sums[count, m.SUM_SENTENCES] / all_words
    first, last = page.nodes[best, p.FIRST_BLOCK], page.nodes[best, p.BLOCKS_END]
    numbers[17] = (sums[last, m.SUM_WORDS] - sums[first, m.SUM_WORDS]) / all_words
    numbers[19] = logarithm(facts[p.SCRIPTS])
    segments = digits = 0
    for at in range(facts[p.CANONICAL_START], facts[p.CANONICAL_END]):
        segments += page.html[at] == SLASH and at + 1 < facts[p.CANONICAL_END]
        digits += CLASS[page.html[at]] == DIGIT
    numbers[20], numbers[21] = segments, digits
    for bit in range(JSON_TYPES):
        if facts[p.TYPE_BITS] & (1 << bit):
            numbers[26 + bit] = 1
            numbers[22] += 1
    numbers[23] = all_words / max(count, 1)
    numbers[38] = 1 if facts[p.TYPE_BITS] & (1 << p.OPEN_GRAPH) else 0
    numbers[39] = 1 if facts[p.TYPE_BITS] & (1 << (p.OPEN_GRAPH + 1)) else 0
