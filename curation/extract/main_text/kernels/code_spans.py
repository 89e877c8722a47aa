"""Code as Markdown: within a line between backticks, or line by line; nothing is escaped, white space stands as in the page."""

from __future__ import annotations

from curation.extract.main_text.kernels import page as p
from curation.extract.main_text.kernels.characters import BAR, BLANK, COLON, LINE_FEED, TAB
from curation.extract.main_text.kernels.escaping import BACKSLASH, BACKTICK, END_BRACKET, is_blank
from curation.extract.main_text.kernels.writing import DEPTH, GAP, TABLE, Writing, put, put_prefix, put_times
from curation.text.kernels.compiling import Bytes, kernel


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
