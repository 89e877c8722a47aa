"""The stack of open elements: start tags open one, end tags and implied ends close some.

A small part of HTML's tree construction: a block-level start tag ends a paragraph, an item ends the item before it, cells and rows
end their likes, headings and links are not nested. Look-backs stop after a fixed number of elements.
"""

from __future__ import annotations

from curation.extract.main_text.kernels import page as p
from curation.extract.main_text.kernels import tags as t
from curation.extract.main_text.kernels.page import Page
from curation.text.kernels.compiling import inlined, kernel

LOOK_BACK = 64  # elements that an implied end looks up
END_LOOK_BACK = 96  # elements that an end tag looks up


@kernel
def close_from(page: Page, level: int) -> None:
    """Closes the open elements from a level of the stack on."""
    nodes, state, stack = page.nodes, page.state, page.stack
    for place in range(level, state[p.OPEN]):
        node = stack[place]
        nodes[node, p.BLOCKS_END] = state[p.BLOCK_COUNT]
        nodes[node, p.TEXT_TO] = state[p.TEXT_SIZE]
        tag = nodes[node, p.TAG]
        page.open_counts[tag] -= 1
        if tag == t.PRE:
            state[p.IN_PRE] -= 1
    state[p.OPEN] = level
    node = stack[level - 1]
    state[p.INNER_BLOCK] = node if nodes[node, p.IS_BLOCK] == 1 else nodes[node, p.BLOCK_PARENT]


@kernel
def implied_end(page: Page, tag: int) -> int:
    """The level from which on a block-level start tag closes what is open, or -1."""
    nodes, stack, top = page.nodes, page.stack, page.state[p.OPEN] - 1
    level = -1
    if page.open_counts[t.P] > 0:
        place = top
        while place > 0 and nodes[stack[place], p.IS_BLOCK] == 0 and top - place < LOOK_BACK - 1:
            place -= 1
        if nodes[stack[place], p.TAG] == t.P:
            level = place
    if tag == t.LI or tag == t.DT or tag == t.DD:
        place = _open_item(page, tag)
        level = place if place > 0 else level
    elif tag == t.TD or tag == t.TH or tag == t.TR or tag == t.TBODY or tag == t.THEAD or tag == t.TFOOT:
        place = _open_part_of_table(page, tag)
        level = place if place > 0 else level
    elif t.H1 <= tag <= t.H6 and t.H1 <= nodes[stack[top], p.TAG] <= t.H6:
        level = top
    return level


@kernel
def _open_item(page: Page, tag: int) -> int:
    """The level of the item of a list that an item ends, or -1."""
    top = page.state[p.OPEN] - 1
    place = top
    while place > 0 and top - place < LOOK_BACK - 1:
        other = page.nodes[page.stack[place], p.TAG]
        if tag == t.LI:
            if other == t.LI:
                return place
            if other == t.UL or other == t.OL or other == t.MENU:
                return -1
        else:
            if other == t.DT or other == t.DD:
                return place
            if other == t.DL:
                return -1
        place -= 1
    return -1


@kernel
def _open_part_of_table(page: Page, tag: int) -> int:
    """The level of the cell, row or group of rows that another one ends, or -1."""
    top = page.state[p.OPEN] - 1
    place, level = top, -1
    is_cell = tag == t.TD or tag == t.TH
    while place > 0 and top - place < LOOK_BACK - 1:
        other = page.nodes[page.stack[place], p.TAG]
        if other == t.TABLE:
            break
        if other == t.TD or other == t.TH:
            level = place
            if is_cell:
                break
        elif other == t.TR:
            if is_cell:
                break
            level = place
            if tag == t.TR:
                break
        elif other == t.TBODY or other == t.THEAD or other == t.TFOOT:
            if tag == t.TR:
                break
            level = place
            break
        place -= 1
    return level


@kernel
def level_to_end(page: Page, tag: int, is_block: bool) -> int:
    """The level of the element that an end tag closes, or -1 where none is in reach."""
    nodes, stack, top = page.nodes, page.stack, page.state[p.OPEN] - 1
    in_table = (
        tag == t.TD or tag == t.TH or tag == t.TR or tag == t.P or tag == t.LI or tag == t.TBODY or tag == t.THEAD
    )
    place = top
    while place > 0:
        other = nodes[stack[place], p.TAG]
        if other == tag:
            return place
        if not is_block and nodes[stack[place], p.IS_BLOCK] == 1:
            return -1
        if other == t.TABLE and in_table:
            return -1
        if tag == t.LI and (other == t.UL or other == t.OL):
            return -1
        if tag == t.P and (other == t.TD or other == t.BUTTON):
            return -1
        if top + 1 - place > END_LOOK_BACK:
            return -1
        place -= 1
    return -1


@inlined
def open_node(  # type: ignore[no-untyped-def]
    page: Page, tag, is_block, flags, signature, first_word, source, address, address_end
):
    """Puts an element on the stack; its words have been appended from `first_word` on."""
    nodes, state = page.nodes, page.state
    level, node = state[p.OPEN], state[p.NODE_COUNT]
    parent = page.stack[level - 1]
    row = nodes[node]
    row[p.PARENT] = parent
    row[p.TAG] = tag
    row[p.DEPTH] = nodes[parent, p.DEPTH] + 1
    row[p.FIRST_WORD] = first_word
    row[p.WORDS_END] = state[p.WORD_COUNT]
    row[p.FIRST_BLOCK] = state[p.BLOCK_COUNT]
    row[p.BLOCKS_END] = -1
    row[p.CHILDREN] = 0
    row[p.IS_BLOCK] = 1 if is_block else 0
    row[p.BLOCK_PARENT] = state[p.INNER_BLOCK]
    row[p.INHERITED] = flags | nodes[parent, p.INHERITED]
    row[p.NODE_SOURCE] = source
    row[p.TEXT_FROM] = state[p.TEXT_SIZE]
    row[p.TEXT_TO] = -1
    row[p.ADDRESS_START] = address
    row[p.ADDRESS_END] = address_end
    row[p.COMMENTS] = flags >> t.COMMENTS_BIT
    nodes[parent, p.CHILDREN] += 1
    page.signatures[node] = signature
    page.stack[level] = node
    page.open_counts[tag] += 1
    state[p.OPEN] = level + 1
    state[p.NODE_COUNT] = node + 1
    if tag == t.PRE:
        state[p.IN_PRE] += 1
        state[p.TABS_SEEN] = state[p.BLANKS_SEEN] = 0
    if is_block:
        state[p.INNER_BLOCK] = node
