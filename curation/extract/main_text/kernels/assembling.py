"""The blocks that were chosen, as plain text."""

from __future__ import annotations

from curation.extract.main_text.kernels import page as p
from curation.extract.main_text.kernels.characters import LINE_FEED
from curation.text.kernels.compiling import Bytes, Int32s, entry


@entry
def write_text(text: Bytes, blocks: Int32s, keep: Bytes, output: Bytes) -> int:
    """Writes the blocks that are kept, each with a line feed behind it; gives the bytes written.

    text    uint8: of all blocks;  blocks  int32[blocks, BLOCK_COLUMNS], those of the page alone
    keep    uint8[blocks];  output  uint8, as long as the text and a line feed for each block
    """
    end = 0
    for block in range(len(blocks)):
        if keep[block] == 0:
            continue
        start = blocks[block, p.TEXT_START]
        size = blocks[block, p.TEXT_END] - start
        source, copy = text[start : start + size], output[end : end + size]
        for place in range(size):
            copy[place] = source[place]
        end += size
        output[end] = LINE_FEED
        end += 1
    return end
