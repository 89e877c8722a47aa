"""A block's text as Markdown: characters that would be read as markup escaped; code, emphasis and links marked.

Only what CommonMark 0.31 (and GitHub's tables) would read as markup where it stands is escaped. Emphasis is marked where its
delimiters are sure to be read as such ("left-flanking", "right-flanking" runs, section 6.2), and never within emphasis.
"""

from __future__ import annotations

import numpy as np

from curation.extract.main_text.kernels import addresses
from curation.extract.main_text.kernels import page as p
from curation.extract.main_text.kernels import tags as t
from curation.extract.main_text.kernels.assembling import trimmed_end
from curation.extract.main_text.kernels.characters import (
    AMPERSAND,
    BANG,
    BAR,
    BLANK,
    CLASS,
    COLON,
    DIGIT,
    EQUALS,
    GREATER,
    HYPHEN,
    LESS,
    LINE_FEED,
    LOWER,
    NUMBER_SIGN,
    QUESTION,
    SEMICOLON,
    SLASH,
    STOP,
    TAB,
    UPPER,
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
    TABLE,
    Writing,
    put,
    put_line_end,
    put_prefix,
    put_times,
)
from curation.text.kernels.compiling import Bytes, inlined, kernel

STAR, UNDERSCORE, BACKTICK, BACKSLASH, OPEN_BRACKET, END_BRACKET, OPEN_PAREN, END_PAREN, TILDE, PLUS = b"*_`\\[]()~+"
_IS_SPECIAL = np.zeros(256, np.uint8)  # bytes that are looked at
_IS_SPECIAL[list(b"\\`*_[]!<&~|#\t\n")] = 1
_IS_MARK = np.zeros(256, np.uint8)  # ASCII punctuation
_IS_MARK[list(b"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")] = 1
MAX_REFERENCE = 34  # bytes of a character reference
MAX_NUMBER = 9  # digits of an item's number

INLINE_CODE, STRONG, EMPHASIS, LINK = 1, 2, 3, 4
_INLINE = np.zeros(t.TAGS, np.uint8)
for _names, _kind in (("code tt kbd samp", INLINE_CODE), ("b strong", STRONG), ("i em", EMPHASIS), ("a", LINK)):
    _INLINE[[t.NUMBER[name] for name in _names.split()]] = _kind
_IN_LINK = t.FLAG["a"]


@inlined
def is_blank(byte: int) -> bool:
    return byte == BLANK or byte == LINE_FEED or byte == TAB


@inlined
def is_ascii_word(byte: int) -> bool:
    """ASCII letters and digits."""
    return CLASS[byte] == LOWER or CLASS[byte] == UPPER or CLASS[byte] == DIGIT


@kernel
def is_wide_blank(text: Bytes, at: int, stop: int) -> bool:
    """Whether white space beyond ASCII stands here: U+1680, U+2000 to U+200A, U+2028, U+2029, U+202F, U+205F, U+3000."""
    if at < 0 or at + 2 >= stop:
        return False
    first, second, third = text[at], text[at + 1], text[at + 2]
    if first == 0xE2 and second == 0x80:
        return 0x80 <= third <= 0x8A or third == 0xA8 or third == 0xA9 or third == 0xAF
    if first == 0xE2 and second == 0x81:
        return third == 0x9F
    return (first == 0xE3 and second == 0x80 and third == 0x80) or (first == 0xE1 and second == 0x9A and third == 0x80)


@kernel
def is_reference(text: Bytes, at: int, stop: int) -> bool:
    """Whether the ampersand here would be read as the start of a character reference."""
    place = at + 1
    if place < stop and text[place] == NUMBER_SIGN:
        place += 1
    first = place
    while place < stop and place - at < MAX_REFERENCE and is_ascii_word(text[place]):
        place += 1
    return place > first and place < stop and text[place] == SEMICOLON


@kernel
def number_end(text: Bytes, at: int, stop: int) -> int:
    """Where the `.` or `)` of an item's number that begins here stands, or -1."""
    place = at
    while place < stop and place - at < MAX_NUMBER and CLASS[text[place]] == DIGIT:
        place += 1
    ends = place > at and place < stop and (text[place] == STOP or text[place] == END_PAREN)
    return place if ends and (place + 1 >= stop or is_blank(text[place + 1])) else -1


@kernel
def begins_block(text: Bytes, at: int, stop: int, is_first: bool) -> bool:
    """Whether the mark here, at the start of a line, would be read as the start of something else than a paragraph."""
    byte = text[at]
    following = text[at + 1] if at + 1 < stop else BLANK
    if byte == GREATER or byte == STAR:
        return True
    if byte == HYPHEN:
        return is_blank(following) or following == HYPHEN or not is_first
    if byte == PLUS:
        return is_blank(following)
    if byte == EQUALS or byte == BAR or byte == COLON:
        return not is_first
    if byte == NUMBER_SIGN:
        place = at
        while place < stop and text[place] == NUMBER_SIGN and place - at < 7:
            place += 1
        return place >= stop or is_blank(text[place])
    return False


@kernel
def is_markup(
    text: Bytes, at: int, start: int, stop: int, kind: int, in_link: bool, at_mark: bool, at_link: bool
) -> bool:
    """Whether a special byte would be read as markup here, within a line.

    at_mark   a mark of ours stands before it or behind it;  at_link  one of a link, behind it
    """
    byte = text[at]
    before = text[at - 1] if at > start else BLANK
    following = text[at + 1] if at + 1 < stop else BLANK
    stands_alone = is_blank(before) and is_blank(following) and not at_mark
    if byte == BACKTICK:
        return True
    if byte == BACKSLASH:
        return at + 1 >= stop or _IS_MARK[following] == 1 or at_mark
    if byte == STAR:
        return not stands_alone
    if byte == UNDERSCORE:
        return not stands_alone and (at_mark or not (is_ascii_word(before) and is_ascii_word(following)))
    if byte == OPEN_BRACKET:
        return in_link
    if byte == END_BRACKET:
        return in_link or following == OPEN_PAREN or following == COLON
    if byte == BANG:
        return at_link
    if byte == LESS:
        is_tag = CLASS[following] == LOWER or CLASS[following] == UPPER
        return is_tag or following == SLASH or following == BANG or following == QUESTION
    if byte == AMPERSAND:
        return is_reference(text, at, stop)
    if byte == TILDE:
        return before == TILDE or following == TILDE
    if byte == BAR:
        return kind == TABLE
    if byte == NUMBER_SIGN:
        return kind == HEADING and at + 1 == stop and not is_ascii_word(before)
    return False


@kernel
def longest_run(text: Bytes, start: int, stop: int) -> int:
    """The longest run of backticks in a range."""
    longest = run = 0
    for place in range(start, stop):
        run = run + 1 if text[place] == BACKTICK else 0
        longest = max(longest, run)
    return longest


@kernel
def holds_definition(text: Bytes, start: int, stop: int) -> bool:
    """Whether a range has `]:`, which at the start of a line would make a definition of a link, even in code."""
    for place in range(start, stop - 1):
        if text[place] == END_BRACKET:
            following = text[place + 2] if text[place + 1] == BLANK and place + 2 < stop else text[place + 1]
            if following == COLON:
                return True
    return False


@kernel
def gap_at(w: Writing, place: int) -> bool:
    """Whether a gap is noted for this place; those before it are passed."""
    gap = w.state[GAP]
    while gap < len(w.gaps) and w.gaps[gap, p.GAP_AT] < place:
        gap += 1
    w.state[GAP] = gap
    return gap < len(w.gaps) and w.gaps[gap, p.GAP_AT] == place


@kernel
def put_inline_code(w: Writing, start: int, stop: int, kind: int) -> None:
    """Writes a range as code within a line: as it is, between more backticks than it has."""
    text = w.text
    ticks = longest_run(text, start, stop) + 1
    is_padded = text[start] == BACKTICK or text[stop - 1] == BACKTICK
    put_times(w, BACKTICK, ticks)
    put_times(w, BLANK, is_padded)
    for place in range(start, stop):
        byte = text[place]
        if gap_at(w, place) and w.gaps[w.state[GAP], p.BLANKS] == 0 and byte == BLANK:
            continue
        if byte == BAR and kind == TABLE:
            put(w, BACKSLASH)
        put(w, BLANK if is_blank(byte) else byte)
    put_times(w, BLANK, is_padded)
    put_times(w, BACKTICK, ticks)


@kernel
def put_code(w: Writing, start: int, stop: int) -> None:
    """Writes lines of code, each behind what the elements around it put before a line."""
    text = w.text
    place = start
    while place < stop:
        if gap_at(w, place):
            gap = w.gaps[w.state[GAP]]
            put_times(w, TAB, gap[p.TABS])
            put_times(w, BLANK, gap[p.BLANKS])
            w.state[GAP] += 1
            if text[place] == BLANK:
                place += 1
            continue
        byte = text[place]
        put(w, byte)
        if byte == LINE_FEED:
            put_prefix(w, w.state[DEPTH], place + 1 < stop and text[place + 1] == LINE_FEED)
        place += 1


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
    opens = is_blank(before) or _IS_MARK[before] == 1 or (is_ascii_word(text[first]) and not has_inner)
    closes = is_blank(behind) or _IS_MARK[behind] == 1 or (is_ascii_word(text[last - 1]) and not has_inner)
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
            elif _IS_SPECIAL[byte] == 1:
                at_link = links and node >= 0 and first == place + 1
                if is_markup(text, place, start, stop, kind, link_end > place, True, at_link):
                    put(w, BACKSLASH)
            at_start = False
        elif _IS_SPECIAL[byte] == 1:
            is_last = state[MARKS_OPEN] > 0 and state[MARK_ENDS + state[MARKS_OPEN] - 1] == place + 1
            at_mark = after_mark or is_last or first == place + 1 or gap_at(w, place + 1)
            at_link = links and node >= 0 and first == place + 1
            if is_markup(text, place, start, stop, kind, link_end > place, at_mark, at_link):
                put(w, BACKSLASH)
        put(w, BLANK if is_blank(byte) else byte)
        place += 1
        after_mark = close_marks(w, place)
