"""How blocks lie in the page's tree: headings above them, wider containers, twins among siblings, groups of equal paths."""

from __future__ import annotations

import numpy as np

from curation.extract.main_text.kernels import measuring as m
from curation.extract.main_text.kernels import page as p
from curation.extract.main_text.kernels.characters import U, mixed
from curation.extract.main_text.kernels.measuring import Measures
from curation.extract.main_text.kernels.page import Page
from curation.extract.main_text.kernels.tags import H1, H6
from curation.text.kernels.compiling import Int64s, UInt64s, inlined, kernel

_IN_USE = U(1)  # set in every key of a hash table, whose free slots are zero


@inlined
def heading_level(page: Page, block: int) -> int:
    """1 to 6 for a block that is a heading, else 0."""
    tag = page.nodes[page.blocks[block, p.BLOCK_NODE], p.TAG]
    return np.int64(tag - H1 + 1) if H1 <= tag <= H6 else 0


@kernel
def clear_table(keys: UInt64s, entries: int) -> int:
    """Empties as much of a table as `entries` keys need; gives the mask of its slots."""
    slots = 64
    while slots < 2 * entries + 16 and slots < keys.shape[0]:
        slots *= 2
    keys[:slots] = 0
    return slots - 1


@inlined
def slot_of(keys: UInt64s, mask: int, key: np.uint64) -> int:
    """The slot of a key, or the free one where it belongs."""
    slot = np.int64(key >> U(20)) & mask
    while keys[slot] != 0 and keys[slot] != key:
        slot = (slot + 1) & mask
    return slot


@inlined
def find_headings(page: Page, measures: Measures, levels: Int64s) -> None:
    """The nearest headings of level 2 to 6 above each block, those of a higher level first ended. levels: int64[8], scratch."""
    levels[:] = -1
    for block in range(page.facts[p.BLOCKS]):
        own = heading_level(page, block)
        if own > 0:
            levels[own:] = -1
        count = 0
        measures.headings[block, :] = -1
        for level in range(6, 1, -1):
            if levels[level] >= 0 and count < m.HEADINGS:
                measures.headings[block, count] = levels[level]
                count += 1
        if own > 0:
            levels[own] = block


@inlined
def find_wider(page: Page, measures: Measures) -> None:
    """For each node the nearest block-level one around it that has blocks of its own; parents come before children."""
    nodes, wider = page.nodes, measures.wider
    for node in range(page.facts[p.NODES]):
        around = nodes[node, p.BLOCK_PARENT]
        while (
            around >= 0
            and nodes[around, p.FIRST_BLOCK] == nodes[node, p.FIRST_BLOCK]
            and nodes[around, p.BLOCKS_END] <= nodes[node, p.BLOCKS_END]
        ):
            around = wider[around]
        wider[node] = around


@kernel
def count_twins(page: Page, measures: Measures) -> None:
    """How many children of the same parent have a block-level node's signature; 1 for nodes that are inline or empty."""
    nodes, keys, values = page.nodes, measures.keys, measures.values
    mask = clear_table(keys, page.facts[p.NODES] + page.facts[p.BLOCKS])
    for node in range(page.facts[p.NODES]):
        measures.twin_slots[node] = -1
        if node == 0 or nodes[node, p.IS_BLOCK] == 0 or nodes[node, p.BLOCKS_END] <= nodes[node, p.FIRST_BLOCK]:
            continue
        key = mixed(page.signatures[node] * U(31) + U(nodes[node, p.PARENT] + 1)) | _IN_USE
        slot = slot_of(keys, mask, key)
        values[slot] = values[slot] + 1 if keys[slot] == key else 1
        keys[slot] = key
        measures.twin_slots[node] = slot
    for node in range(page.facts[p.NODES]):
        slot = measures.twin_slots[node]
        measures.twins[node] = values[slot] if slot >= 0 else 1


@kernel
def group_blocks(page: Page, measures: Measures) -> int:
    """Numbers blocks by the signatures of their node, its parent and grandparent. Gives how many groups there are."""
    nodes, signatures, keys = page.nodes, page.signatures, measures.keys
    mask = clear_table(keys, page.facts[p.BLOCKS])
    count = 0
    for block in range(page.facts[p.BLOCKS]):
        node = page.blocks[block, p.BLOCK_NODE]
        key = signatures[node] * U(3) + signatures[page.blocks[block, p.INNER_NODE]]
        parent = nodes[node, p.PARENT]
        if parent >= 0:
            key = mixed(key) + signatures[parent]
            parent = nodes[parent, p.PARENT]
            if parent >= 0:
                key = mixed(key) + signatures[parent]
        key = mixed(key) | _IN_USE
        slot = slot_of(keys, mask, key)
        if keys[slot] == 0:
            keys[slot] = key
            measures.values[slot] = count
            count += 1
        measures.groups[block] = measures.values[slot]
    return count
