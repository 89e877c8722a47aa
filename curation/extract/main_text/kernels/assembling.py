"""The blocks that were chosen, as plain text."""

from __future__ import annotations

from curation.extract.main_text.kernels import page as p
from curation.extract.main_text.kernels.characters import BLANK, LINE_FEED, TAB
from curation.text.kernels.compiling import Bytes, Int32s, entry, inlined


@inlined
def trimmed_end(text: Bytes, start: int, stop: int) -> int:
    """Where a block's text ends without the line feeds that end a <pre>."""
    while stop > start and text[stop - 1] == LINE_FEED:
        stop -= 1
    return stop


@entry
def write_text(text: Bytes, blocks: Int32s, keep: Bytes, gaps: Int32s, output: Bytes) -> int:
    """Writes the blocks that are kept, each with a line feed behind it; gives the bytes written.

    text    uint8: of all blocks;  blocks  int32[blocks, BLOCK_COLUMNS], those of the page alone
    keep    uint8[blocks];  gaps  int32[gaps, GAP_COLUMNS], those of the page alone: white space in code is written as it was
    output  uint8, as long as the text, the white space of all gaps, and a line feed for each block
    """
    end = gap = 0
    for block in range(len(blocks)):
        if keep[block] == 0:
            continue
        start = blocks[block, p.TEXT_START]
        stop = trimmed_end(text, start, blocks[block, p.TEXT_END])
        while gap < len(gaps) and gaps[gap, p.GAP_AT] < start:
            gap += 1
        while gap < len(gaps) and gaps[gap, p.GAP_AT] < stop:
            place = gaps[gap, p.GAP_AT]
            tabs, blanks = gaps[gap, p.TABS], gaps[gap, p.BLANKS]
            gap += 1
            if blanks == p.BREAK or place < start:
                continue
            for at in range(start, place):
                output[end + at - start] = text[at]
            end += place - start
            start = place + 1 if text[place] == BLANK else place
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
