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
    DEPTH,
    GAP,
    HEADING,
    LINKS,
    MARK_ENDS,
    MARK_KINDS,
    MARKS_OPEN,
    PARAGRAPH,
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
def put_block(w: Writing, block: int, kind: int) -> None:
    """Writes the text of a block that is no code."""
    text, nodes, state, gaps = w.text, w.nodes, w.state, w.gaps
    links = state[LINKS] > 0
    start = np.int64(w.blocks[block, p.TEXT_START])
    stop = np.int64(trimmed_end(text, start, w.blocks[block, p.TEXT_END]))
    waiting = open_inline(w, block, links)
    following = np.int64(w.blocks[block, p.INNER_NODE]) + 1
    at_start, is_first = kind == PARAGRAPH, True
    emphasis_end = link_end = -1
    node, first, last = -1, stop, stop
    asked = True  # whether the next element is to be looked for
    place = start
    state[MARKS_OPEN] = 0
    after_mark = False
    while place < stop:
        while asked or (node >= 0 and first <= place):
            if not asked:  # an element that begins here
                inline = np.int64(_INLINE[nodes[node, p.TAG]])
                if first < place:
                    pass
                elif inline == INLINE_CODE:
                    if holds_definition(text, first, last):
                        asked = True
                        continue
                    put_inline_code(w, first, last, kind)
                    place = last
                    at_start, after_mark = False, True
                    close_marks(w, place)
                elif inline == LINK:
                    if links and link_end <= place and addresses.is_fit(w.html, nodes, node):
                        open_mark(w, LINK, last, node)
                        link_end, at_start, after_mark = last, False, True
                elif kind != HEADING and emphasis_end < place:
                    has_inner = waiting > 0 or following < len(nodes) and nodes[following, p.TEXT_FROM] < last
                    if can_be_marked(text, first, last, start, stop, has_inner):
                        open_mark(w, inline, last, 0)
                        emphasis_end, at_start, after_mark = last, False, True
            asked = False
            if waiting > 0:
                waiting -= 1
                node = np.int64(w.chain[waiting])
            else:
                while (
                    following < len(nodes)
                    and nodes[following, p.TEXT_FROM] < stop
                    and _INLINE[nodes[following, p.TAG]] == 0
                ):
                    following += 1
                if following >= len(nodes) or nodes[following, p.TEXT_FROM] >= stop:
                    node, first = -1, stop
                    break
                node = following
                following += 1
            first, last = inner_range(w, node, start, stop)
            if first >= last:
                first, asked = place, True
                continue
        if place >= stop:
            break
        if gap_at(w, place):
            blanks = gaps[state[GAP], p.BLANKS]
            state[GAP] += 1
            if text[place] == BLANK and blanks == 0:
                place += 1
                after_mark = close_marks(w, place)
                continue
            if text[place] == BLANK and blanks == p.BREAK and kind == PARAGRAPH:
                put_times(w, BLANK, 2)
                put_line_end(w)
                put_prefix(w, state[DEPTH], False)
                at_start, is_first = True, False
                place += 1
                after_mark = close_marks(w, place)
                continue
        byte = text[place]
        if at_start:
            end = number_end(text, place, stop) if CLASS[byte] == DIGIT else -1
            if end >= 0 and first > end and (state[MARKS_OPEN] == 0 or state[MARK_ENDS + state[MARKS_OPEN] - 1] > end):
                while place < end:
                    put(w, text[place])
                    place += 1
                put(w, BACKSLASH)
                byte = text[place]
            elif begins_block(text, place, stop, is_first):
                put(w, BACKSLASH)
            elif IS_SPECIAL[byte] == 1:
                at_link = links and node >= 0 and first == place + 1
                if is_markup(text, place, start, stop, kind, link_end > place, True, at_link):
                    put(w, BACKSLASH)
            at_start = False
        elif IS_SPECIAL[byte] == 1:
            is_last = state[MARKS_OPEN] > 0 and state[MARK_ENDS + state[MARKS_OPEN] - 1] == place + 1
            at_mark = after_mark or is_last or first == place + 1 or gap_at(w, place + 1)
            at_link = links and node >= 0 and first == place + 1
            if is_markup(text, place, start, stop, kind, link_end > place, at_mark, at_link):
                put(w, BACKSLASH)
        put(w, BLANK if is_blank(byte) else byte)
        place += 1
        after_mark = close_marks(w, place)
