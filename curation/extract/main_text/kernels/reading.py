"""Text between tags into blocks: references decoded, white space squeezed, invisible characters left out."""

from __future__ import annotations

import numpy as np

from curation.extract.main_text.kernels import page as p
from curation.extract.main_text.kernels import tags
from curation.extract.main_text.kernels.characters import (
    AMPERSAND,
    BLANK,
    IS_SPACE,
    LESS,
    LINE_FEED,
    TAB,
)
from curation.extract.main_text.kernels.entities import read_reference
from curation.extract.main_text.kernels.page import Page
from curation.text.kernels.compiling import Bytes, inlined, kernel

_LINK = tags.FLAG["a"]
_UNUSUAL = np.zeros(256, np.uint8)  # bytes that are more than themselves
_UNUSUAL[list(b" \t\n\r\f&<\xc2\xe2\xef")] = 1


@inlined
def invisible(html: Bytes, at: int) -> int:
    """Bytes of the character without width that stands here: soft hyphen, zero-width space, marks of direction, byte order mark."""
    size = 0
    first = html[at]
    if first == 0xC2 and at + 1 < len(html) and html[at + 1] == 0xAD:
        size = 2
    elif first == 0xE2 and at + 2 < len(html) and html[at + 1] == 0x80:
        if html[at + 2] == 0x8B or html[at + 2] == 0x8E or html[at + 2] == 0x8F:
            size = 3
    elif first == 0xEF and at + 2 < len(html) and html[at + 1] == 0xBB and html[at + 2] == 0xBF:
        size = 3
    return size


@kernel
def begin_block(page: Page, start: int, source: int) -> None:
    """A block begins with the character at `start` of the text, which ends at `source` in the page."""
    state = page.state
    state[p.IN_BLOCK] = 1
    state[p.BLOCK_START] = start
    state[p.BLOCK_SOURCE] = source
    state[p.BLOCK_OF] = state[p.INNER_BLOCK]
    state[p.INNER_OF] = page.stack[state[p.OPEN] - 1]
    state[p.BLOCK_LINKED] = state[p.BLOCK_EMPHASISED] = state[p.BLOCK_BREAKS] = state[p.BLOCK_SEAMS] = 0


@kernel
def end_block(page: Page) -> None:
    """The block under way, if there is one, ends. Where the table of blocks is full, its text is forgotten."""
    state, count = page.state, page.state[p.BLOCK_COUNT]
    if state[p.IN_BLOCK] == 0:
        return
    state[p.IN_BLOCK] = state[p.OWES_SPACE] = 0
    if count >= page.blocks.shape[0]:
        state[p.TEXT_SIZE] = state[p.BLOCK_START]
        return
    row = page.blocks[count]
    row[p.TEXT_START] = state[p.BLOCK_START]
    row[p.TEXT_END] = state[p.TEXT_SIZE]
    row[p.BLOCK_NODE] = state[p.BLOCK_OF]
    row[p.INNER_NODE] = state[p.INNER_OF]
    row[p.LINKED] = state[p.BLOCK_LINKED]
    row[p.EMPHASISED] = state[p.BLOCK_EMPHASISED]
    row[p.IMAGES] = state[p.IMAGES_SEEN]
    row[p.INPUTS] = state[p.INPUTS_SEEN]
    row[p.BREAKS] = state[p.BLOCK_BREAKS]
    row[p.SOURCE] = state[p.BLOCK_SOURCE]
    row[p.SEAMS] = state[p.BLOCK_SEAMS]
    state[p.BLOCK_COUNT] = count + 1
    state[p.IMAGES_SEEN] = state[p.INPUTS_SEEN] = 0


@inlined
def note_gap(page: Page, place, tabs, blanks):  # type: ignore[no-untyped-def]
    """Notes white space of the page for which there is a blank, or nothing, at a place of the text."""
    state, count = page.state, page.state[p.GAP_COUNT]
    if count < page.gaps.shape[0]:
        row = page.gaps[count]
        row[p.GAP_AT] = place
        row[p.TABS] = tabs
        row[p.BLANKS] = blanks
        state[p.GAP_COUNT] = count + 1
        state[p.GAP_BYTES] += tabs + max(blanks, 0)


@kernel
def read_text(page: Page, start: int) -> int:
    """Reads text up to the next `<`, or one that begins no tag and what follows it. Gives where it ends."""
    html, text, state = page.html, page.text, page.state
    in_pre, in_block = state[p.IN_PRE] > 0, state[p.IN_BLOCK] > 0
    owes_space, end = state[p.OWES_SPACE] > 0, state[p.TEXT_SIZE]
    at, written = start, 0
    while at < len(html):
        byte = html[at]
        if byte == LESS and at > start:
            break
        if IS_SPACE[byte] == 1:
            state[p.AT_SEAM] = 0
            if in_pre:
                state[p.BLANKS_SEEN] = 0 if byte == TAB or byte == LINE_FEED else state[p.BLANKS_SEEN] + 1
                state[p.TABS_SEEN] = 0 if byte == LINE_FEED else state[p.TABS_SEEN] + (byte == TAB)
            if in_pre and byte == LINE_FEED and in_block:
                text[end] = LINE_FEED
                end += 1
                owes_space = False
            else:
                owes_space = True
            at += 1
            continue
        first = end + 1 if owes_space and in_block else end
        after = first + 1
        if _UNUSUAL[byte] == 0:
            text[first] = byte
            at += 1
        elif byte == AMPERSAND:
            following, after = read_reference(html, at, text, first)
            if following == at:
                text[first] = AMPERSAND
                following, after = at + 1, first + 1
            at = following
            if after == first:
                continue
            if after == first + 1 and text[first] == BLANK:
                owes_space = True
                state[p.BLANKS_SEEN] += 1
                state[p.AT_SEAM] = 0
                continue
        elif byte == 0xC2 and at + 1 < len(html) and html[at + 1] == 0xA0:
            owes_space = True
            state[p.BLANKS_SEEN] += 1
            state[p.AT_SEAM] = 0
            at += 2
            continue
        else:
            hidden = invisible(html, at)
            if hidden > 0:
                at += hidden
                continue
            text[first] = byte
            at += 1
        if first > end:
            text[end] = BLANK
        if in_pre:
            if state[p.TABS_SEEN] > 0 or state[p.BLANKS_SEEN] != first - end:
                note_gap(page, end, state[p.TABS_SEEN], state[p.BLANKS_SEEN])
            state[p.TABS_SEEN] = state[p.BLANKS_SEEN] = 0
        elif state[p.AT_SEAM] > 0:
            if first > end:
                note_gap(page, end, 0, 0)
            state[p.AT_SEAM] = 0
        if not in_block:
            in_block = True
            state[p.TEXT_SIZE] = first
            begin_block(page, first, at)
        owes_space = False
        written += after - first
        end = after
        while at < len(html) and _UNUSUAL[html[at]] == 0:  # most text, byte by byte
            text[end] = html[at]
            at += 1
            end += 1
            written += 1
    state[p.TEXT_SIZE] = end
    state[p.OWES_SPACE] = 1 if owes_space else 0
    if written > 0:
        state[p.BREAKS_RUN] = 0
        if page.nodes[page.stack[state[p.OPEN] - 1], p.INHERITED] & _LINK:
            state[p.BLOCK_LINKED] += written
        if page.open_counts[tags.B] + page.open_counts[tags.STRONG] > 0:
            state[p.BLOCK_EMPHASISED] += written
    if written > 0 or owes_space:
        state[p.AFTER_INLINE_END] = 0
    return at
