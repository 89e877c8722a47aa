"""The blocks that were chosen, as Markdown: CommonMark with GitHub's tables."""

from __future__ import annotations

import numpy as np

from curation.extract.main_text.kernels import code_spans, inline_markup, roles
from curation.extract.main_text.kernels import page as p
from curation.extract.main_text.kernels import tags as t
from curation.extract.main_text.kernels.assembling import trimmed_end
from curation.extract.main_text.kernels.characters import BAR, BLANK, GREATER, HYPHEN, NUMBER_SIGN, STOP, ZERO
from curation.extract.main_text.kernels.escaping import BACKTICK
from curation.extract.main_text.kernels.writing import (
    CELL,
    CODE,
    COLUMN,
    DEPTH,
    END,
    FENCE,
    HEADING,
    IS_HEAD,
    KIND,
    LINKS,
    MAX_DEPTH,
    NODE,
    PARAGRAPH,
    ROW,
    TABLE,
    WANTED_DEPTH,
    Writing,
    put,
    put_line_end,
    put_prefix,
    put_times,
)
from curation.text.kernels.compiling import entry, kernel

MIN_FENCE = 3


@kernel
def look_around(w: Writing, block: int) -> tuple[int, int, int]:
    """What a block is in: kind, node, and in a table the cell. The quotes and items around that go to `wanted`."""
    nodes, marks = w.nodes, w.marks
    kind, node, cell, count = PARAGRAPH, -1, -1, 0
    around = np.int64(marks[w.blocks[block, p.BLOCK_NODE], roles.AROUND])
    if around >= 0 and roles.is_heading(nodes, around):
        kind, node = HEADING, around
    innermost_cell = -1
    while around >= 0:
        role = roles.ROLE[nodes[around, p.TAG]]
        if role == roles.CODE:
            kind, node, count = CODE, around, 0
        elif role == roles.CELL:
            innermost_cell = around
        elif role == roles.TABLE:
            if innermost_cell >= 0 and roles.is_data(marks, around):
                kind, node, cell, count = TABLE, around, innermost_cell, 0
            innermost_cell = -1
        elif role != roles.HEADING:
            item = np.int64(marks[around, roles.NUMBER]) if role == roles.DESCRIPTION else around
            if marks[around, roles.IS_PLAIN] == 0 and marks[item, roles.IS_PLAIN] == 0:
                w.chain[count] = item
                count += 1
        around = roles.next_around(nodes, marks, around)
    depth = min(count, MAX_DEPTH)
    for level in range(depth):
        w.wanted[level] = w.chain[count - 1 - level]
    w.state[WANTED_DEPTH] = depth
    return kind, node, cell


@kernel
def put_number(w: Writing, number: int) -> int:
    """Writes a number; gives how many digits it has."""
    digits, power = 1, 1
    while power * 10 <= number:
        power *= 10
        digits += 1
    while power > 0:
        put(w, ZERO + number // power % 10)
        power //= 10
    return digits


@kernel
def is_ordered(w: Writing, node: int) -> bool:
    """Whether an item has a number."""
    return w.nodes[w.nodes[node, p.PARENT], p.TAG] == t.OL


@kernel
def open_container(w: Writing, level: int) -> None:
    """Writes the mark of a quote or an item that begins here."""
    node = np.int64(w.wanted[level])
    width = 0
    if w.nodes[node, p.TAG] == t.BLOCKQUOTE:
        put(w, GREATER)
    elif is_ordered(w, node):
        width = put_number(w, np.int64(w.marks[node, roles.NUMBER])) + 2
        put(w, STOP)
    else:
        put(w, HYPHEN)
        width = 2
    put(w, BLANK)
    w.opened[level, 0] = node
    w.opened[level, 1] = width


@kernel
def is_tight(w: Writing, common: int) -> bool:
    """Whether the next block, in `common` of the open quotes and items, begins an item that needs no empty line before it."""
    state, nodes = w.state, w.nodes
    if common >= state[WANTED_DEPTH]:
        return False
    item = w.wanted[common]
    if nodes[item, p.TAG] == t.BLOCKQUOTE:
        return False
    if common < state[DEPTH]:
        return w.opened[common, 1] > 0 and nodes[w.opened[common, 0], p.PARENT] == nodes[item, p.PARENT]
    is_in_item = common > 0 and w.opened[common - 1, 1] > 0 and state[KIND] == PARAGRAPH
    return is_in_item and (not is_ordered(w, item) or w.marks[item, roles.NUMBER] == 1)


@kernel
def begin_line(w: Writing) -> None:
    """Begins what stands apart from what was before: line ends, marks of quotes and items."""
    state = w.state
    common, deepest = 0, min(state[DEPTH], state[WANTED_DEPTH])
    while common < deepest and w.opened[common, 0] == w.wanted[common]:
        common += 1
    if state[END] > 0:
        put_line_end(w)
        if not is_tight(w, common):
            put_prefix(w, common, True)
            put_line_end(w)
    put_prefix(w, common, False)
    for level in range(common, state[WANTED_DEPTH]):
        open_container(w, level)
    state[DEPTH] = state[WANTED_DEPTH]


@kernel
def put_new_line(w: Writing) -> None:
    """Goes on in a new line of the same quotes and items."""
    put_line_end(w)
    put_prefix(w, w.state[DEPTH], False)


@kernel
def finish_row(w: Writing) -> None:
    """Fills the row of a table up, and writes the line that is under its first one."""
    state = w.state
    columns = w.marks[state[NODE], roles.COLUMNS]
    while state[COLUMN] < columns:
        put(w, BLANK)
        put(w, BAR)
        state[COLUMN] += 1
    if state[IS_HEAD] > 0:
        put_new_line(w)
        put(w, BAR)
        for _ in range(columns):
            put(w, BLANK)
            put_times(w, HYPHEN, 3)
            put(w, BLANK)
            put(w, BAR)
        state[IS_HEAD] = 0


@kernel
def put_cell(w: Writing, block: int, cell: int) -> None:
    """Writes a block of a table, in a new cell or behind what is in its cell."""
    state = w.state
    row = w.nodes[cell, p.PARENT]
    if state[ROW] != row:
        if state[ROW] >= 0:
            finish_row(w)
            put_new_line(w)
        put(w, BAR)
        state[ROW] = row
        state[COLUMN] = 0
        state[CELL] = -1
    if state[CELL] != cell:
        while state[COLUMN] < w.marks[cell, roles.NUMBER]:
            put(w, BLANK)
            put(w, BAR)
            state[COLUMN] += 1
        state[CELL] = cell
    put(w, BLANK)
    inline_markup.put_block(w, block, TABLE)


@kernel
def finish(w: Writing) -> None:
    """Ends what is under way."""
    state = w.state
    if state[KIND] == CODE:
        put_new_line(w)
        put_times(w, BACKTICK, state[FENCE])
    elif state[KIND] == TABLE:
        finish_row(w)


@kernel
def begin_code(w: Writing, node: int) -> None:
    """Writes the fence of code, of more backticks than any run in it."""
    longest = 0
    for block in range(w.nodes[node, p.FIRST_BLOCK], w.nodes[node, p.BLOCKS_END]):
        if w.keep[block] != 0:
            start, stop = w.blocks[block, p.TEXT_START], w.blocks[block, p.TEXT_END]
            longest = max(longest, code_spans.longest_run(w.text, start, stop))
    w.state[FENCE] = max(MIN_FENCE, longest + 1)
    put_times(w, BACKTICK, w.state[FENCE])


@entry
def write_markdown(w: Writing, links: bool) -> int:
    """Writes the blocks that are kept; gives the bytes that this takes, more than `output` has where it is too small for them."""
    state = w.state
    state[:] = 0
    state[LINKS] = links
    state[NODE] = -1
    roles.find_roles(w.nodes, w.blocks, w.keep, w.marks)
    for block in range(len(w.blocks)):
        if w.keep[block] == 0:
            continue
        kind, node, cell = look_around(w, block)
        goes_on = kind == state[KIND] and node == state[NODE] and kind != PARAGRAPH
        if not goes_on:
            finish(w)
            begin_line(w)
            state[KIND], state[NODE] = kind, node
        if kind == CODE:
            if not goes_on:
                begin_code(w, node)
            put_new_line(w)
            start = w.blocks[block, p.TEXT_START]
            code_spans.put_code(w, start, trimmed_end(w.text, start, w.blocks[block, p.TEXT_END]))
        elif kind == TABLE:
            if not goes_on:
                state[ROW], state[IS_HEAD] = -1, 1
            put_cell(w, block, cell)
        else:
            if kind == HEADING and not goes_on:
                put_times(w, NUMBER_SIGN, w.nodes[node, p.TAG] - t.H1 + 1)
            if kind == HEADING:
                put(w, BLANK)
            inline_markup.put_block(w, block, kind)
    finish(w)
    if state[END] > 0:
        put_line_end(w)
    return np.int64(state[END])
