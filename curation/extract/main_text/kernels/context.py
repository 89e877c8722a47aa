"""Columns of the second stage: how the first stage judged the blocks around, above, below and alike."""

from __future__ import annotations

import numpy as np

from curation.extract.main_text.kernels import ancestry
from curation.extract.main_text.kernels import features as f
from curation.extract.main_text.kernels import measuring as m
from curation.extract.main_text.kernels import page as p
from curation.extract.main_text.kernels.characters import U
from curation.extract.main_text.kernels.measuring import Measures
from curation.extract.main_text.kernels.page import Page
from curation.extract.main_text.kernels.structure import clear_table, heading_level, slot_of
from curation.text.kernels.compiling import inlined, kernel

F = np.float32
_IN_USE = U(1)
LIKELY, UNLIKELY = 0.6, 0.2  # probabilities
EVEN = np.float32(0.5)
PART_SHARE = 0.7  # of what is likely main text, by weight, that the node has whose children are the page's parts
SUBSTANTIAL = 8  # words of a block that the ends of the main part are seen by
NO_GAP = 99
ABOVE = f.CONTEXT + 10  # q_a0
REST = ABOVE + f.ANCESTORS  # q_grp
NEXT_HEADING, COPY_MOST = REST + 15, REST + 16

# Columns of `sums` and `group_sums` here: probability times weight, weight of blocks that are likelier in than out, and weight,
# which is words and one. Words and linked words of the first stage stay before them in `sums`.
MAIN, LIKELIER, WEIGHT = 2, 3, 4


@inlined
def sum_chances(page: Page, measures: Measures, groups: int) -> None:
    """Prefix sums and sums over groups of probabilities, in place of those of the first stage."""
    sums, group_sums = measures.sums, measures.group_sums
    sums[0, MAIN:] = 0.0
    group_sums[:groups, MAIN:] = 0.0
    for block in range(page.facts[p.BLOCKS]):
        weight = measures.statistics[block, m.WORDS] + 1.0
        main = measures.first[block] * weight
        likelier = weight if measures.first[block] > EVEN else 0.0
        sums[block + 1, MAIN] = sums[block, MAIN] + main
        sums[block + 1, LIKELIER] = sums[block, LIKELIER] + likelier
        sums[block + 1, WEIGHT] = sums[block, WEIGHT] + weight
        group = group_sums[measures.groups[block]]
        group[MAIN] += main
        group[LIKELIER] += likelier
        group[WEIGHT] += weight


@inlined
def mean_chance(sums, first, last):  # type: ignore[no-untyped-def]
    """The mean probability of the blocks first..last, by weight."""
    return (sums[last, MAIN] - sums[first, MAIN]) / max(sums[last, WEIGHT] - sums[first, WEIGHT], 1.0)


@inlined
def fill_next_headings(page: Page, measures: Measures) -> None:
    """The probability of the next heading, and (as a note for `fill_section`) where it stands."""
    count = page.facts[p.BLOCKS]
    following, chance = count, F(-1)
    for block in range(count - 1, -1, -1):
        measures.chosen[block] = following
        measures.rows[block, NEXT_HEADING] = chance
        if heading_level(page, block) > 0:
            following, chance = block, measures.first[block]


@kernel
def fill_copies(page: Page, measures: Measures) -> None:
    """The greatest probability among the blocks of the same text before, and among those after; -1 where there is none."""
    keys, values, first, count = measures.keys, measures.values, measures.first, page.facts[p.BLOCKS]
    for direction in range(2):
        mask = clear_table(keys, count)
        for place in range(count):
            block = place if direction == 0 else count - 1 - place
            key = measures.text_hashes[block] | _IN_USE
            slot = slot_of(keys, mask, key)
            if keys[slot] == 0:
                keys[slot] = key
                values[slot] = block
                measures.rows[block, COPY_MOST + direction] = -1
            else:
                measures.rows[block, COPY_MOST + direction] = first[values[slot]]
                if first[block] > first[values[slot]]:
                    values[slot] = block


@inlined
def fill_near(page: Page, measures: Measures, block, row):  # type: ignore[no-untyped-def]
    """The block's own probability, those of three neighbours on either side, and means over windows without the block itself."""
    first, sums, count = measures.first, measures.sums, page.facts[p.BLOCKS]
    row[f.CONTEXT] = first[block]
    for place in range(f.NEIGHBOURS):
        before, after = block - 1 - place, block + 1 + place
        row[f.CONTEXT + 1 + place] = first[before] if before >= 0 else F(-1)
        row[f.CONTEXT + 4 + place] = first[after] if after < count else F(-1)
    own_weight = measures.statistics[block, m.WORDS] + 1.0
    own = first[block] * own_weight
    for place in range(3):
        reach = 3 if place == 0 else (8 if place == 1 else 20)
        start, stop = max(block - reach, 0), min(block + reach + 1, count)
        weight = sums[stop, WEIGHT] - sums[start, WEIGHT] - own_weight
        row[f.CONTEXT + 7 + place] = (sums[stop, MAIN] - sums[start, MAIN] - own) / max(weight, 1.0)


@inlined
def fill_above(page: Page, measures: Measures, block, row):  # type: ignore[no-untyped-def]
    """Means over the block's ancestors, its group, and the list that its record is in."""
    nodes, sums = page.nodes, measures.sums
    node = page.blocks[block, p.BLOCK_NODE]
    for level in range(f.ANCESTORS):
        if node >= 0:
            start = nodes[node, p.FIRST_BLOCK]
            row[ABOVE + level] = mean_chance(sums, start, max(nodes[node, p.BLOCKS_END], start + 1))
            node = measures.wider[node]
        else:
            row[ABOVE + level] = row[ABOVE + level - 1]
    group = measures.group_sums[measures.groups[block]]
    row[REST] = group[MAIN] / group[WEIGHT]
    record, _ = ancestry.record_from(page, measures, page.blocks[block, p.BLOCK_NODE])
    row[REST + 12] = -1
    if record > 0:
        parent = nodes[record, p.PARENT]
        row[REST + 12] = mean_chance(sums, nodes[parent, p.FIRST_BLOCK], nodes[parent, p.BLOCKS_END])


@inlined
def share(sums, column, first, last, count):  # type: ignore[no-untyped-def]
    """What the blocks first..last have of all there is in a column."""
    return (sums[last, column] - sums[first, column]) / max(sums[count, column], 1e-6)


@inlined
def link_share(sums, first, last):  # type: ignore[no-untyped-def]
    """The share of linked words in the blocks first..last."""
    return (sums[last, m.SUM_LINKED] - sums[first, m.SUM_LINKED]) / max(
        sums[last, m.SUM_WORDS] - sums[first, m.SUM_WORDS], 1.0
    )


@inlined
def likely_share(sums, first, last):  # type: ignore[no-untyped-def]
    """The share of the blocks first..last, by weight, that is likelier in than out."""
    return (sums[last, LIKELIER] - sums[first, LIKELIER]) / max(sums[last, WEIGHT] - sums[first, WEIGHT], 1.0)


@inlined
def fill_group(measures: Measures, block, row, count):  # type: ignore[no-untyped-def]
    """How much of the block's group is likely, and what share of the page it is."""
    group, total = measures.group_sums[measures.groups[block]], measures.sums[count]
    columns = row[f.GROUP_CHANCES : f.RECORD_CHANCES]
    columns[0] = group[LIKELIER] / group[WEIGHT]
    columns[1] = group[MAIN] / max(total[MAIN], 1e-6)
    columns[2] = group[WEIGHT] / total[WEIGHT]


@inlined
def fill_records(page: Page, measures: Measures, block, row, count):  # type: ignore[no-untyped-def]
    """The block's record and the list that this is in, then the record that the list is in and its list; -1 where there is none."""
    nodes, sums = page.nodes, measures.sums
    row[f.RECORD_CHANCES : f.SECTION_CHANCES] = -1
    node = page.blocks[block, p.BLOCK_NODE]
    for level in range(2):
        record, _ = ancestry.record_from(page, measures, node)
        if record > 0:
            node = nodes[record, p.PARENT]
            first = nodes[record, p.FIRST_BLOCK]
            last = max(nodes[record, p.BLOCKS_END], first + 1)
            columns = row[f.RECORD_CHANCES + level * f.RECORD_COLUMNS :]
            columns[0] = measures.twins[record]
            columns[1] = mean_chance(sums, first, last)
            columns[2] = likely_share(sums, first, last)
            first = nodes[node, p.FIRST_BLOCK]
            last = max(nodes[node, p.BLOCKS_END], first + 1)
            columns[3] = mean_chance(sums, first, last)
            columns[4] = share(sums, MAIN, first, last, count)
            columns[5] = share(sums, WEIGHT, first, last, count)
            columns[6] = link_share(sums, first, last)


@inlined
def find_section_ends(page: Page, ends, following):  # type: ignore[no-untyped-def]
    """For each heading the next one of its level or a higher one. ends: int64[blocks]; following: int64[8], scratch."""
    count = page.facts[p.BLOCKS]
    following[:] = count
    for block in range(count - 1, -1, -1):
        level = heading_level(page, block)
        if level > 0:
            ends[block] = following[level]
            following[level:] = block


@inlined
def fill_chapter(measures: Measures, block, row, ends, count):  # type: ignore[no-untyped-def]
    """The section of the highest heading above the block: how likely, what share of the page; -1 where there is none."""
    sums, heading = measures.sums, -1
    for place in range(m.HEADINGS):
        if measures.headings[block, place] >= 0:
            heading = measures.headings[block, place]
    columns = row[f.SECTION_CHANCES : f.PART_CHANCES]
    columns[:] = -1
    if heading >= 0:
        last = ends[heading]
        columns[0] = mean_chance(sums, heading, last)
        columns[1] = share(sums, MAIN, heading, last, count)
        columns[2] = share(sums, WEIGHT, heading, last, count)
        columns[3] = measures.first[heading]


@inlined
def fill_parts(page: Page, measures: Measures) -> None:
    """The page's parts are the children of the narrowest node with most of what is likely; -1 for blocks in none of them."""
    nodes, sums, count = page.nodes, measures.sums, page.facts[p.BLOCKS]
    narrowest = 0
    for node in range(1, page.facts[p.NODES]):
        if (
            nodes[node, p.PARENT] == narrowest
            and share(sums, MAIN, nodes[node, p.FIRST_BLOCK], nodes[node, p.BLOCKS_END], count) >= PART_SHARE
        ):
            narrowest = node
    for block in range(count):
        measures.rows[block, f.PART_CHANCES : f.TYPE_CHANCES] = -1
    start, end = nodes[narrowest, p.FIRST_BLOCK], nodes[narrowest, p.BLOCKS_END]
    for node in range(narrowest + 1, page.facts[p.NODES]):
        if nodes[node, p.PARENT] != narrowest:
            continue
        first, last = nodes[node, p.FIRST_BLOCK], nodes[node, p.BLOCKS_END]
        for block in range(first, last):
            columns = measures.rows[block, f.PART_CHANCES : f.TYPE_CHANCES]
            columns[0] = mean_chance(sums, first, last)
            columns[1] = likely_share(sums, first, last)
            columns[2] = share(sums, MAIN, first, last, count)
            columns[3] = share(sums, WEIGHT, first, last, count)
            columns[4] = link_share(sums, first, last)
            columns[5] = (first - start) / max(end - start, 1)


@inlined
def fill_section(measures: Measures, block, row, heading):  # type: ignore[no-untyped-def]
    """The section from the heading before to the next one, and that heading's probability."""
    row[REST + 1] = mean_chance(measures.sums, max(heading, 0), measures.chosen[block])
    row[REST + 2] = measures.first[heading] if heading >= 0 else F(-1)


@inlined
def fill_page(measures: Measures, block, row, count):  # type: ignore[no-untyped-def]
    """Means over the page, over what is before and what is after, and where the block stands in what is likely main text."""
    sums = measures.sums
    total, main = max(sums[count, WEIGHT], 1.0), sums[count, MAIN]
    row[REST + 3] = main / total
    row[REST + 4] = main
    row[REST + 5] = sums[block, MAIN] / max(sums[block, WEIGHT], 1.0)
    row[REST + 6] = (main - sums[block + 1, MAIN]) / max(total - sums[block + 1, WEIGHT], 1.0)
    row[REST + 7] = sums[block, MAIN] / max(main, 1e-6)


@kernel
def fill_context(page: Page, measures: Measures, groups: int) -> None:
    """Fills in the columns of the second stage, from the probabilities in `first`."""
    count, first, statistics, sums = page.facts[p.BLOCKS], measures.first, measures.statistics, measures.sums
    sum_chances(page, measures, groups)
    fill_next_headings(page, measures)
    fill_copies(page, measures)
    fill_parts(page, measures)
    ends = measures.values  # the table of copies is of no more use
    find_section_ends(page, ends, page.stack[:8])
    begin = end = -1
    most, unlikely = F(0), 0.0
    for block in range(count):
        if statistics[block, m.WORDS] >= SUBSTANTIAL:
            most = max(most, first[block])
            if first[block] > LIKELY:
                begin = block if begin < 0 else begin
                end = block
        if first[block] < UNLIKELY:
            unlikely += statistics[block, m.WORDS] + 1.0
    total = max(sums[count, WEIGHT], 1.0)
    heading, gap = -1, NO_GAP
    for block in range(count):
        row = measures.rows[block]
        if heading_level(page, block) > 0:
            heading = block
        fill_near(page, measures, block, row)
        fill_above(page, measures, block, row)
        fill_section(measures, block, row, heading)
        fill_page(measures, block, row, count)
        fill_group(measures, block, row, count)
        fill_records(page, measures, block, row, count)
        fill_chapter(measures, block, row, ends, count)
        row[REST + 8] = block - begin if begin >= 0 else 0
        row[REST + 9] = end - block if begin >= 0 else 0
        row[REST + 10] = gap
        gap = 0 if first[block] > LIKELY and statistics[block, m.WORDS] >= SUBSTANTIAL else gap + 1
        row[REST + 11] = sums[count, MAIN] / max(sums[count, WEIGHT] - unlikely, 1.0)
        row[REST + 13] = most
        row[REST + 14] = unlikely / total
