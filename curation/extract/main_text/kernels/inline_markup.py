"""A block's text as Markdown: emphasis, links and code marked, the rest escaped.

Emphasis is marked where its delimiters are sure to be read as such ("left-flanking", "right-flanking" runs, CommonMark 0.31,
section 6.2), and never within emphasis.
"""

from __future__ import annotations

import numpy as np

from curation.extract.main_text.kernels import addresses
from curation.extract.main_text.kernels import page as p
from curation.extract.main_text.kernels import tags as t
from curation.extract.main_text.kernels.assembling import trimmed_end
from curation.extract.main_text.kernels.characters import BLANK, CLASS, DIGIT
from curation.extract.main_text.kernels.code_spans import gap_at, holds_definition, put_inline_code
from curation.extract.main_text.kernels.escaping import (
    BACKSLASH,
    END_BRACKET,
    END_PAREN,
    IS_MARK,
    IS_SPECIAL,
    OPEN_BRACKET,
    OPEN_PAREN,
    STAR,
    begins_block,
    is_ascii_word,
    is_blank,
    is_markup,
    is_wide_blank,
    number_end,
)
from curation.extract.main_text.kernels.writing import (
    AFTER_MARK,
    AT_START,
    BLOCK_START,
    BLOCK_STOP,
    DEPTH,
    ELEMENT,
    EMPHASIS_END,
    FIRST,
    FOLLOWING,
    GAP,
    HEADING,
    LAST,
    LINK_END,
    LINKS,
    MARK_ENDS,
    MARK_KINDS,
    MARKS_OPEN,
    ON_FIRST_LINE,
    PARAGRAPH,
    PLACE,
    WAITING,
    Writing,
    put,
    put_line_end,
    put_prefix,
    put_times,
)
from curation.text.kernels.compiling import Bytes, kernel

INLINE_CODE, STRONG, EMPHASIS, LINK = 1, 2, 3, 4
_INLINE = np.zeros(t.TAGS, np.uint8)
for _names, _kind in (("code tt kbd samp", INLINE_CODE), ("b strong", STRONG), ("i em", EMPHASIS), ("a", LINK)):
    _INLINE[[t.NUMBER[name] for name in _names.split()]] = _kind
_IN_LINK = t.FLAG["a"]


@kernel
def inner_range(w: Writing, node: int, start: int, stop: int) -> tuple[int, int]:
    """The part of a block that an element has, without blanks at its ends."""
    first: int = max(start, np.int64(w.nodes[node, p.TEXT_FROM]))
    last: int = min(stop, np.int64(w.nodes[node, p.TEXT_TO]))
    while first < last and is_blank(w.text[first]):
        first += 1
    while first < last and is_blank(w.text[last - 1]):
        last -= 1
    return first, last


@kernel
def can_be_marked(text: Bytes, first: int, last: int, start: int, stop: int, has_inner: bool) -> bool:
    """Whether `*` around a range is sure to be read as emphasis."""
    if is_wide_blank(text, first, stop) or is_wide_blank(text, last - 3, stop):
        return False
    before = text[first - 1] if first > start else BLANK
    behind = text[last] if last < stop else BLANK
    opens = is_blank(before) or IS_MARK[before] == 1 or (is_ascii_word(text[first]) and not has_inner)
    closes = is_blank(behind) or IS_MARK[behind] == 1 or (is_ascii_word(text[last - 1]) and not has_inner)
    return opens and closes


@kernel
def open_inline(w: Writing, block: int, links: bool) -> int:
    """Collects into `chain` the inline elements that a block begins in, innermost first; gives how many."""
    nodes, count = w.nodes, 0
    node = w.blocks[block, p.INNER_NODE]
    while node > 0 and nodes[node, p.IS_BLOCK] == 0:
        if _INLINE[nodes[node, p.TAG]] > 0:
            w.chain[count] = node
            count += 1
        node = nodes[node, p.PARENT]
    if links and node > 0 and nodes[node, p.INHERITED] & _IN_LINK:
        while node > 0 and nodes[node, p.TAG] != t.A:
            node = nodes[node, p.PARENT]
        if node > 0:
            w.chain[count] = node
            count += 1
    return count


@kernel
def close_marks(w: Writing, place: int) -> bool:
    """Closes what ends at a place; gives whether something did."""
    state = w.state
    closed = False
    while state[MARKS_OPEN] > 0 and state[MARK_ENDS + state[MARKS_OPEN] - 1] <= place:
        state[MARKS_OPEN] -= 1
        kind = state[MARK_KINDS + state[MARKS_OPEN]]
        if kind == STRONG or kind == EMPHASIS:
            put_times(w, STAR, 2 if kind == STRONG else 1)
        else:
            put(w, END_BRACKET)
            put(w, OPEN_PAREN)
            addresses.put_address(w, kind - LINK)
            put(w, END_PAREN)
        closed = True
    return closed


@kernel
def open_mark(w: Writing, kind: int, end: int, what: int) -> None:
    """Opens emphasis or a link that ends at a place of the text."""
    state = w.state
    state[MARK_ENDS + state[MARKS_OPEN]] = end
    state[MARK_KINDS + state[MARKS_OPEN]] = kind + what
    state[MARKS_OPEN] += 1
    if kind == LINK:
        put(w, OPEN_BRACKET)
    else:
        put_times(w, STAR, 2 if kind == STRONG else 1)


@kernel
def find_element(w: Writing) -> None:
    """Finds the next inline element that has text in the block."""
    nodes, state = w.nodes, w.state
    start, stop = state[BLOCK_START], state[BLOCK_STOP]
    while True:
        if state[WAITING] > 0:
            state[WAITING] -= 1
            node = np.int64(w.chain[state[WAITING]])
        else:
            node = state[FOLLOWING]
            while node < len(nodes) and nodes[node, p.TEXT_FROM] < stop and _INLINE[nodes[node, p.TAG]] == 0:
                node += 1
            state[FOLLOWING] = node
            if node >= len(nodes) or nodes[node, p.TEXT_FROM] >= stop:
                state[ELEMENT], state[FIRST], state[LAST] = -1, stop, stop
                return
            state[FOLLOWING] += 1
        first, last = inner_range(w, node, start, stop)
        if first < last:
            state[ELEMENT], state[FIRST], state[LAST] = node, first, last
            return


@kernel
def begin_block(w: Writing, block: int, kind: int) -> None:
    """Sets out at the start of a block's text, before the first inline element in it."""
    state = w.state
    start = w.blocks[block, p.TEXT_START]
    state[BLOCK_START] = state[PLACE] = start
    state[BLOCK_STOP] = trimmed_end(w.text, start, w.blocks[block, p.TEXT_END])
    state[AT_START], state[ON_FIRST_LINE], state[AFTER_MARK] = kind == PARAGRAPH, 1, 0
    state[WAITING] = open_inline(w, block, state[LINKS] > 0)
    state[FOLLOWING] = w.blocks[block, p.INNER_NODE] + 1
    state[EMPHASIS_END] = state[LINK_END] = -1
    state[MARKS_OPEN] = 0
    find_element(w)


@kernel
def open_element(w: Writing, kind: int) -> None:
    """Writes what the element that begins here is to a reader: all of it if it is code, the mark of emphasis or a link."""
    text, nodes, state = w.text, w.nodes, w.state
    node, first, last = state[ELEMENT], state[FIRST], state[LAST]
    inline = np.int64(_INLINE[nodes[node, p.TAG]])
    if inline == INLINE_CODE:
        if holds_definition(text, first, last):
            return
        put_inline_code(w, first, last, kind)
        state[PLACE] = last
        close_marks(w, last)
    elif inline == LINK:
        if state[LINKS] == 0 or state[LINK_END] > first or not addresses.is_fit(w.html, nodes, node):
            return
        open_mark(w, LINK, last, node)
        state[LINK_END] = last
    else:
        follows = state[FOLLOWING]
        has_inner = state[WAITING] > 0 or (follows < len(nodes) and nodes[follows, p.TEXT_FROM] < last)
        if kind == HEADING or state[EMPHASIS_END] >= first:
            return
        if not can_be_marked(text, first, last, state[BLOCK_START], state[BLOCK_STOP], has_inner):
            return
        open_mark(w, inline, last, 0)
        state[EMPHASIS_END] = last
    state[AT_START], state[AFTER_MARK] = 0, 1


@kernel
def pass_gap(w: Writing, kind: int) -> bool:
    """Leaves out a blank that the page does not have, or breaks the line where a <br> is; gives whether it was one of them."""
    state, place = w.state, w.state[PLACE]
    if not gap_at(w, place):
        return False
    blanks = w.gaps[state[GAP], p.BLANKS]
    state[GAP] += 1
    is_break = blanks == p.BREAK and kind == PARAGRAPH
    if w.text[place] != BLANK or not (blanks == 0 or is_break):
        return False
    if is_break:
        put_times(w, BLANK, 2)
        put_line_end(w)
        put_prefix(w, state[DEPTH], False)
        state[AT_START], state[ON_FIRST_LINE] = 1, 0
    return True


@kernel
def escape(w: Writing, kind: int) -> None:
    """Writes a backslash if the next byte would be read as markup. An item's number it passes up to the mark behind it."""
    text, state = w.text, w.state
    place, start, stop = state[PLACE], state[BLOCK_START], state[BLOCK_STOP]
    byte = text[place]
    mark_end = state[MARK_ENDS + state[MARKS_OPEN] - 1] if state[MARKS_OPEN] > 0 else -1  # of the innermost
    at_mark = state[AT_START] > 0
    if at_mark:
        state[AT_START] = 0
        end = number_end(text, place, stop) if CLASS[byte] == DIGIT else -1
        if end >= 0 and state[FIRST] > end and (mark_end < 0 or mark_end > end):
            for at in range(place, end):
                put(w, text[at])
            state[PLACE] = end
            put(w, BACKSLASH)
            return
        if begins_block(text, place, stop, state[ON_FIRST_LINE] > 0):
            put(w, BACKSLASH)
            return
    if IS_SPECIAL[byte] == 1:
        begins = state[FIRST] == place + 1
        if not at_mark:
            at_mark = state[AFTER_MARK] > 0 or mark_end == place + 1 or begins or gap_at(w, place + 1)
        at_link = state[LINKS] > 0 and state[ELEMENT] >= 0 and begins
        if is_markup(text, place, start, stop, kind, state[LINK_END] > place, at_mark, at_link):
            put(w, BACKSLASH)


@kernel
def put_block(w: Writing, block: int, kind: int) -> None:
    """Writes the text of a block that is no code."""
    state = w.state
    begin_block(w, block, kind)
    while state[PLACE] < state[BLOCK_STOP]:
        while state[ELEMENT] >= 0 and state[FIRST] <= state[PLACE]:
            if state[FIRST] == state[PLACE]:
                open_element(w, kind)
            find_element(w)
        if state[PLACE] == state[BLOCK_STOP]:
            break
        if not pass_gap(w, kind):
            escape(w, kind)
            byte = w.text[state[PLACE]]
            put(w, BLANK if is_blank(byte) else byte)
        state[PLACE] += 1
        state[AFTER_MARK] = close_marks(w, state[PLACE])
