"""Where Markdown is written: the arrays, what is under way, and the marks before each line."""

from __future__ import annotations

from typing import NamedTuple

from curation.extract.main_text.kernels.characters import BLANK, GREATER, LINE_FEED
from curation.text.kernels.compiling import Bytes, Int32s, Int64s, kernel

PARAGRAPH, HEADING, CODE, TABLE = 1, 2, 3, 4  # kinds of what is written
MAX_DEPTH = 8  # quotes and items in each other; what is deeper is text of the eighth
MAX_MARKS = 4  # links and emphasis in each other

# Places of the state
(
    END,  # bytes written, or that there would be if there were room
    GAP,  # the next gap
    LINKS,  # whether links have their addresses
    DEPTH,  # quotes and items that are open
    KIND,  # of what is under way, 0 for nothing, and its node: of a heading, code, a table
    NODE,
    FENCE,  # backticks of the code under way
    ROW,  # node of the row under way, and of the cell
    CELL,
    COLUMN,
    IS_HEAD,  # whether the row is the table's first
    WANTED_DEPTH,  # of the next block, whose quotes and items are in `wanted`
    BLOCK_START,  # of text that is no code: its range,
    BLOCK_STOP,
    PLACE,  # … the next byte to be written,
    AT_START,  # … whether that stands at the start of a line, of the paragraph's first,
    ON_FIRST_LINE,
    AFTER_MARK,  # … or behind a mark of ours
    WAITING,  # elements in `chain` that the block begins in and that were not looked at yet; then this node follows
    FOLLOWING,
    ELEMENT,  # the next inline element with text, and its range; -1 for none, which begins where the block stops
    FIRST,
    LAST,
    EMPHASIS_END,  # of the last emphasis and link that were opened
    LINK_END,
    MARKS_OPEN,
) = range(26)
MARK_ENDS = 26  # places of text at which the open marks end, and what they are
MARK_KINDS = MARK_ENDS + MAX_MARKS
STATE = MARK_KINDS + MAX_MARKS


class Writing(NamedTuple):
    """A parsed page, the choice of its blocks, and the room to write.

    html, text, gaps   as in `Page`;  nodes, blocks, gaps of the page alone
    keep     uint8[blocks]
    marks    int32[nodes, roles.MARKS]
    chain    int32[page.MAX_OPEN]: scratch
    opened   int32[MAX_DEPTH, 2]: nodes of the quotes and items that are open, and how wide their marks are, 0 for a quote
    wanted   int32[MAX_DEPTH]: those of the next block
    state    int64[STATE]
    output   uint8: what does not fit is counted and not written
    """

    html: Bytes
    text: Bytes
    nodes: Int32s
    blocks: Int32s
    gaps: Int32s
    keep: Bytes
    marks: Int32s
    chain: Int32s
    opened: Int32s
    wanted: Int32s
    state: Int64s
    output: Bytes


@kernel
def put(w: Writing, byte: int) -> None:
    end = w.state[END]
    if end < len(w.output):
        w.output[end] = byte
    w.state[END] = end + 1


@kernel
def put_times(w: Writing, byte: int, times: int) -> None:
    for _ in range(times):
        put(w, byte)


@kernel
def put_line_end(w: Writing) -> None:
    put(w, LINE_FEED)


@kernel
def put_prefix(w: Writing, depth: int, is_empty: bool) -> None:
    """Writes what stands before a line in so many quotes and items; before an empty line, no blanks at its end."""
    last = depth
    if is_empty:
        while last > 0 and w.opened[last - 1, 1] > 0:
            last -= 1
    for level in range(last):
        width = w.opened[level, 1]
        if width == 0:
            put(w, GREATER)
            put_times(w, BLANK, not is_empty or level + 1 < last)
        else:
            put_times(w, BLANK, width)
