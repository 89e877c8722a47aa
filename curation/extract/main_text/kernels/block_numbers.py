"""Columns about a block itself: its text, its tags and flags, its linear scores, its place, its group, its copies."""

from __future__ import annotations

import numpy as np

from curation.extract.main_text.kernels import features as f
from curation.extract.main_text.kernels import measuring as m
from curation.extract.main_text.kernels import page as p
from curation.extract.main_text.kernels import tags
from curation.extract.main_text.kernels.characters import U
from curation.extract.main_text.kernels.measuring import Measures
from curation.extract.main_text.kernels.page import Page
from curation.extract.main_text.kernels.structure import clear_table, heading_level, slot_of
from curation.text.kernels.compiling import inlined

F = np.float32
_IN_USE = U(1)
_FLAGS = len(tags.FLAGS)

# Columns of group_sums
(GROUP_BLOCKS, GROUP_WORDS, GROUP_LINKED, GROUP_LINEAR, GROUP_SENTENCES) = range(5)


@inlined
def sum_groups(page: Page, measures: Measures, groups: int) -> None:
    """Fills in `group_sums` for the first stage."""
    measures.group_sums[:groups, :] = 0.0
    for block in range(page.facts[p.BLOCKS]):
        sums, row = measures.group_sums[measures.groups[block]], measures.statistics[block]
        words = row[m.WORDS]
        sums[GROUP_BLOCKS] += 1
        sums[GROUP_WORDS] += words
        sums[GROUP_LINKED] += words * row[m.LINK_SHARE]
        sums[GROUP_LINEAR] += measures.linear[block, m.ALL] * (words + 1)
        sums[GROUP_SENTENCES] += row[m.SENTENCES]


@inlined
def fill_copies(page: Page, measures: Measures) -> None:
    """Blocks of equal text: how many there are, and which of them this one is."""
    keys, values, count = measures.keys, measures.values, page.facts[p.BLOCKS]
    mask = clear_table(keys, count)
    for block in range(count):
        key = measures.text_hashes[block] | _IN_USE
        slot = slot_of(keys, mask, key)
        values[slot] = values[slot] + 1 if keys[slot] == key else 1
        keys[slot] = key
        measures.rows[block, f.COPIES + 1] = values[slot]
    for block in range(count):
        slot = slot_of(keys, mask, measures.text_hashes[block] | _IN_USE)
        measures.rows[block, f.COPIES] = values[slot]


@inlined
def fill_own(page: Page, measures: Measures, block, row):  # type: ignore[no-untyped-def]
    """Counts over the block's text, most of them divided by its words or characters."""
    counts, parsed = measures.statistics[block], page.blocks[block]
    words, characters = counts[m.WORDS], max(counts[m.CHARACTERS], F(1))
    divisor = max(words, F(1))
    own = row[f.OWN : f.TAGGED]
    own[0], own[1], own[2] = words, characters, counts[m.LINK_SHARE]
    own[3] = parsed[p.EMPHASISED] / characters
    own[4] = counts[m.COMMAS] / divisor
    own[5] = counts[m.SENTENCES]
    own[6] = counts[m.DIGITS] / characters
    own[7] = counts[m.CAPITALS] / characters
    own[8] = counts[m.BEYOND_ASCII] / characters
    own[9], own[10] = counts[m.LAST], counts[m.FIRST]
    own[11] = counts[m.CAPITALISED] / divisor
    own[12], own[13] = counts[m.SYMBOLS], counts[m.CURRENCY]
    own[14] = characters / divisor
    own[15], own[16], own[17], own[18] = parsed[p.BREAKS], parsed[p.IMAGES], parsed[p.INPUTS], parsed[p.SEAMS]
    own[19] = counts[m.IN_TITLE] / divisor
    own[20] = counts[m.TITLE_COVER]
    own[21] = counts[m.IN_DESCRIPTION] / divisor


@inlined
def fill_flags(row, flags):  # type: ignore[no-untyped-def]
    """One column for each flag."""
    for flag in range(_FLAGS):
        row[f.FLAGGED + flag] = (flags >> flag) & 1


@inlined
def fill_tags(page: Page, block, row):  # type: ignore[no-untyped-def]
    """Numbers of the tags around the block, its heading level, how deep it stands, and the flags."""
    nodes = page.nodes
    node, inner = page.blocks[block, p.BLOCK_NODE], page.blocks[block, p.INNER_NODE]
    parent = nodes[node, p.BLOCK_PARENT]
    grandparent = nodes[parent, p.BLOCK_PARENT] if parent >= 0 else -1
    tagged = row[f.TAGGED : f.FLAGGED]
    tagged[0], tagged[1] = nodes[node, p.TAG], nodes[inner, p.TAG]
    tagged[2] = nodes[parent, p.TAG] if parent >= 0 else -1
    tagged[3] = nodes[grandparent, p.TAG] if grandparent >= 0 else -1
    tagged[4] = heading_level(page, block)
    tagged[5], tagged[6] = nodes[node, p.DEPTH], nodes[node, p.CHILDREN]
    tagged[7] = nodes[parent, p.CHILDREN] if parent >= 0 else 0
    fill_flags(row, nodes[inner, p.INHERITED])


@inlined
def fill_place(page: Page, measures: Measures, block, row):  # type: ignore[no-untyped-def]
    """Linear scores, and where on the page the block stands."""
    sums, count = measures.sums, page.facts[p.BLOCKS]
    all_words = max(sums[count, m.SUM_WORDS], 1.0)
    linear, place = row[f.LINEAR : f.POSITION], row[f.POSITION : f.ANCESTRY]
    for column in range(m.LINEAR):
        linear[column] = measures.linear[block, column]
    place[0] = block / count
    place[1] = sums[block, m.SUM_WORDS] / all_words
    place[2] = sums[block, m.SUM_WORDS]
    place[3] = all_words - sums[block + 1, m.SUM_WORDS]
    source = page.blocks[block, p.SOURCE]
    place[4] = source / len(page.html)
    place[5] = source - (page.blocks[block - 1, p.SOURCE] if block > 0 else 0)


@inlined
def fill_group(measures: Measures, block, row):  # type: ignore[no-untyped-def]
    """Means over the blocks of the same group."""
    sums, group = measures.group_sums[measures.groups[block]], row[f.GROUP : f.NEIGHBOUR]
    blocks, words = sums[GROUP_BLOCKS], sums[GROUP_WORDS]
    group[0] = blocks
    group[1] = words / blocks
    group[2] = sums[GROUP_LINKED] / max(words, 1.0)
    group[3] = sums[GROUP_LINEAR] / (words + blocks)
    group[4] = sums[GROUP_SENTENCES] / blocks
