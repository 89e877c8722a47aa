"""Which characters of a text Markdown would read as markup where they stand: those are escaped, and no others.

By CommonMark 0.31 and GitHub's tables.
"""

from __future__ import annotations

import numpy as np

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
from curation.extract.main_text.kernels.writing import HEADING, TABLE
from curation.text.kernels.compiling import Bytes, inlined, kernel

STAR, UNDERSCORE, BACKTICK, BACKSLASH, OPEN_BRACKET, END_BRACKET, OPEN_PAREN, END_PAREN, TILDE, PLUS = b"*_`\\[]()~+"
IS_SPECIAL = np.zeros(256, np.uint8)  # bytes that are looked at
IS_SPECIAL[list(b"\\`*_[]!<&~|#\t\n")] = 1
IS_MARK = np.zeros(256, np.uint8)  # ASCII punctuation
IS_MARK[list(b"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")] = 1
MAX_REFERENCE = 34  # bytes of a character reference
MAX_NUMBER = 9  # digits of an item's number


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
        return at + 1 >= stop or IS_MARK[following] == 1 or at_mark
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
