"""The blocks that were chosen, as plain text: a line each, the cells of a row in one, more where the page breaks lines."""

from __future__ import annotations

from curation.extract.main_text.kernels import page as p
from curation.extract.main_text.kernels import tags as t
from curation.extract.main_text.kernels.characters import BLANK, LINE_FEED, TAB
from curation.text.kernels.compiling import Bytes, Int32s, entry, inlined


@inlined
def trimmed_end(text: Bytes, start: int, stop: int) -> int:
    """Where a block's text ends without the line feeds that end a <pre>."""
    while stop > start and text[stop - 1] == LINE_FEED:
        stop -= 1
    return stop


@inlined
def share_row(nodes: Int32s, block: Int32s, other: Int32s) -> bool:
    """Whether the text of two blocks stands in different cells of one row, in no paragraph or list of its own there."""
    one, two = block[p.BLOCK_NODE], other[p.BLOCK_NODE]
    if one < 0 or two < 0 or one == two or nodes[one, p.PARENT] != nodes[two, p.PARENT]:
        return False
    row, tag, other_tag = nodes[one, p.PARENT], nodes[one, p.TAG], nodes[two, p.TAG]
    are_cells = (tag == t.TD or tag == t.TH) and (other_tag == t.TD or other_tag == t.TH)
    return are_cells and row >= 0 and nodes[row, p.TAG] == t.TR


@entry
def write_text(text: Bytes, nodes: Int32s, blocks: Int32s, keep: Bytes, gaps: Int32s, output: Bytes) -> int:
    """Writes the blocks that are kept, each with a line feed behind it, or a tab; gives the bytes written.

    text    uint8: of all blocks;  nodes  int32[nodes, NODE_COLUMNS];  blocks  int32[blocks, BLOCK_COLUMNS], the page's alone
    keep    uint8[blocks];  gaps  int32[gaps, GAP_COLUMNS], those of the page alone: white space in code is written as it was, a
            <br> as a line feed
    output  uint8, as long as the text, the white space of all gaps, and a line feed for each block
    """
    end = gap = 0
    last = -1
    for block in range(len(blocks)):
        if keep[block] == 0:
            continue
        start = blocks[block, p.TEXT_START]
        stop = trimmed_end(text, start, blocks[block, p.TEXT_END])
        if last >= 0 and share_row(nodes, blocks[last], blocks[block]):
            output[end - 1] = TAB
        last = block
        while gap < len(gaps) and gaps[gap, p.GAP_AT] < start:
            gap += 1
        while gap < len(gaps) and gaps[gap, p.GAP_AT] < stop:
            place = gaps[gap, p.GAP_AT]
            tabs, blanks = gaps[gap, p.TABS], gaps[gap, p.BLANKS]
            gap += 1
            if place < start or (blanks == p.BREAK and (place == start or text[place] != BLANK)):
                continue
            for at in range(start, place):
                output[end + at - start] = text[at]
            end += place - start
            start = place + 1 if text[place] == BLANK else place
            if blanks == p.BREAK:
                output[end] = LINE_FEED
                end += 1
                continue
            output[end : end + tabs] = TAB
            output[end + tabs : end + tabs + blanks] = BLANK
            end += tabs + blanks
        source, copy = text[start:stop], output[end : end + stop - start]
        for at in range(len(source)):
            copy[at] = source[at]
        end += len(source)
        output[end] = LINE_FEED
        end += 1
    return end
