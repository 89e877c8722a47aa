"""What the elements of a page are to Markdown: quotes, items, headings, code, and tables that hold data.

A table is one of data if it has two rows and two columns, most rows have two cells, and its cells are short and hold neither
headings nor code nor tables; others are for layout, and their text is text. An item that holds a heading is a card, no item.
"""

from __future__ import annotations

import numpy as np

from curation.extract.main_text.kernels import page as p
from curation.extract.main_text.kernels import tags as t
from curation.text.kernels.compiling import Bytes, Int32s, inlined, kernel

NONE, QUOTE, ITEM, TERM, DESCRIPTION, HEADING, CODE, TABLE, CELL = range(9)
ROLE = np.zeros(t.TAGS, np.uint8)  # of each tag
for _names, _role in (
    ("blockquote", QUOTE),
    ("li", ITEM),
    ("dt", TERM),
    ("dd", DESCRIPTION),
    ("h1 h2 h3 h4 h5 h6", HEADING),
    ("pre", CODE),
    ("table", TABLE),
    ("td th", CELL),
):
    ROLE[[t.NUMBER[name] for name in _names.split()]] = _role

# Columns of marks, of a node each
(
    AROUND,  # nearest node with a role, itself included, -1 for none
    NUMBER,  # items: place in the list, from 1; cells: in the row, from 0; descriptions: the node of their term
    COUNT,  # of parents: how many items or cells there were, or the last term
    IS_PLAIN,  # items that are cards, tables for layout
    COLUMNS,  # tables; of cells the bytes of their text
    ROWS,
    FULL_ROWS,  # with two cells at least
    LAST_ROW,  # the row, and the cell, of the block before
    LAST_CELL,
    ROW_CELLS,
) = range(10)
MARKS = 10
CELL_BYTES = COLUMNS

MAX_CELL, MAX_COLUMNS = 500, 40  # bytes of a cell and columns of a table of data
MAX_HEADING = 4  # blocks of a heading; one that has more was never closed


@inlined
def next_around(nodes: Int32s, marks: Int32s, node: int) -> int:
    """The next node with a role around one that has one, -1 for none."""
    parent = nodes[node, p.PARENT]
    return np.int64(marks[parent, AROUND]) if parent >= 0 else -1


@inlined
def is_heading(nodes: Int32s, node: int) -> bool:
    """Whether a node with a role is a heading as people mean it."""
    size = nodes[node, p.BLOCKS_END] - nodes[node, p.FIRST_BLOCK]
    return ROLE[nodes[node, p.TAG]] == HEADING and size <= MAX_HEADING


@inlined
def is_data(marks: Int32s, table: int) -> bool:
    """Whether a table becomes one in Markdown."""
    row = marks[table]
    return row[IS_PLAIN] == 0 and row[ROWS] > 1 and 2 * row[FULL_ROWS] >= row[ROWS] and 2 <= row[COLUMNS] <= MAX_COLUMNS


@kernel
def number_nodes(nodes: Int32s, marks: Int32s) -> None:
    """Numbers items and cells, finds each description's term, and what is around each node."""
    marks[:, :] = 0
    for node in range(len(nodes)):
        parent = nodes[node, p.PARENT]
        role = ROLE[nodes[node, p.TAG]]
        if role != NONE:
            marks[node, AROUND] = node
        else:
            marks[node, AROUND] = marks[parent, AROUND] if parent >= 0 else -1
        if parent < 0:
            continue
        if role == ITEM:
            marks[parent, COUNT] += 1
            marks[node, NUMBER] = marks[parent, COUNT]
        elif role == CELL:
            marks[node, NUMBER] = marks[parent, COUNT]
            marks[parent, COUNT] += 1
        elif role == TERM:
            marks[parent, COUNT] = node
        elif role == DESCRIPTION:
            term = marks[parent, COUNT]
            marks[node, NUMBER] = term if nodes[term, p.TAG] == t.DT else node


@inlined
def note_cell(nodes: Int32s, marks: Int32s, table: int, cell: int, size: int) -> None:
    """Notes a block of a table: its cell, -1 for a caption or what has gone astray, and the bytes of its text."""
    if cell < 0:
        if marks[table, ROWS] > 0:
            marks[table, IS_PLAIN] = 1
        return
    row = marks[table]
    if row[LAST_CELL] != cell:
        if row[LAST_ROW] != nodes[cell, p.PARENT]:
            row[LAST_ROW] = nodes[cell, p.PARENT]
            row[ROWS] += 1
            row[ROW_CELLS] = 0
        row[LAST_CELL] = cell
        row[ROW_CELLS] += 1
        row[FULL_ROWS] += row[ROW_CELLS] == 2
        row[COLUMNS] = max(row[COLUMNS], marks[cell, NUMBER] + 1)
    marks[cell, CELL_BYTES] += size
    if marks[cell, CELL_BYTES] > MAX_CELL:
        row[IS_PLAIN] = 1


@kernel
def find_roles(nodes: Int32s, blocks: Int32s, keep: Bytes, marks: Int32s) -> None:
    """Fills in the marks of a page's nodes, by the blocks that are kept."""
    number_nodes(nodes, marks)
    for block in range(len(blocks)):
        if keep[block] == 0:
            continue
        node = np.int64(marks[blocks[block, p.BLOCK_NODE], AROUND])
        size = blocks[block, p.TEXT_END] - blocks[block, p.TEXT_START]
        has_heading, has_code = node >= 0 and is_heading(nodes, node), False
        cell = table = -1
        while node >= 0:
            role = ROLE[nodes[node, p.TAG]]
            if role == CODE:
                has_code = True
            elif role == ITEM or role == TERM or role == DESCRIPTION:
                if has_heading:
                    marks[node, IS_PLAIN] = 1
            elif role == CELL:
                if cell < 0 and table < 0:
                    cell = node
            elif role == TABLE:
                if table >= 0 or has_heading or has_code:
                    marks[node, IS_PLAIN] = 1
                if table < 0:
                    table = node
                    note_cell(nodes, marks, table, cell, size)
            node = next_around(nodes, marks, node)
