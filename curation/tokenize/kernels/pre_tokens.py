"""Where the split patterns of byte-level vocabularies cut a text: from a place in UTF-8 to the end of the pre-token there.

Each pattern is written out as what its alternatives come to, tried in their order; no alternative goes back further than the
white space before a word, so time is linear. The patterns themselves stand in `curation/tokenize/split_patterns.py`.

Functions take the text with its end, `stop`; what stands behind it makes no difference, but eight bytes must be readable. Text
is valid UTF-8.
"""

from __future__ import annotations

import numpy as np

from curation.text.kernels.compiling import Bytes, inlined, kernel
from curation.text.kernels.primitives import load8
from curation.text.kernels.vectors import trailing_zeros

U = np.uint64

# Bits of a character's classes; of LETTER, NUMBER and SPACE a character has one at most
LETTER, NUMBER, SPACE, UPPER, LOWER = 1, 2, 4, 8, 16
_GROUP = LETTER | NUMBER | SPACE

GPT2, GPT4, GPT4O = range(3)  # the kinds of patterns

_LINE_FEED, _RETURN, _BLANK, _APOSTROPHE, _SLASH = 10, 13, 32, 39, 47
_D, _E, _L, _M, _R, _S, _T, _V = (ord(letter) for letter in "delmrstv")
_TO_LOWER = 0x20
_LONG_S = (0xC5, 0xBF)  # ſ, which is an s where case is ignored

_EIGHT = 0x0101010101010101
_HIGH_BITS, _LOW_BITS, _CASE_BITS, _NO_BITS = U(0x80 * _EIGHT), U(0x7F * _EIGHT), U(_TO_LOWER * _EIGHT), U(0)
_FROM_A, _BEHIND_Z = U((0x80 - ord("a")) * _EIGHT), U((0x7F - ord("z")) * _EIGHT)


@inlined
def not_ascii_letters(word: np.uint64, case: np.uint64) -> np.uint64:
    """The high bit of each byte of a word that is no letter of ASCII. `case`: _CASE_BITS, or 0 for lower-case ones alone."""
    lower = (word | case) & _LOW_BITS
    return ~((lower + _FROM_A) & ~(lower + _BEHIND_Z) & ~word) & _HIGH_BITS


@inlined
def size_at(text: Bytes, at: int) -> int:
    """Bytes of the character at a place."""
    byte = text[at]
    if byte < 0x80:
        return 1
    if byte < 0xE0:
        return 2
    return 3 if byte < 0xF0 else 4


@kernel
def code_point(text: Bytes, at: int) -> int:
    """The code point of a character of two bytes or more."""
    byte = int(text[at])
    second = int(text[at + 1]) & 0x3F
    if byte < 0xE0:
        return (byte & 0x1F) << 6 | second
    third = int(text[at + 2]) & 0x3F
    if byte < 0xF0:
        return (byte & 0x0F) << 12 | second << 6 | third
    return (byte & 0x07) << 18 | second << 12 | third << 6 | (int(text[at + 3]) & 0x3F)


@inlined
def classes_at(classes: Bytes, text: Bytes, at: int) -> int:
    """The classes of the character at a place."""
    byte = text[at]
    return int(classes[byte]) if byte < 0x80 else int(classes[code_point(text, at)])


@kernel
def run_end(classes: Bytes, text: Bytes, at: int, stop: int, mask: int, wanted: int) -> int:
    """The end of the run of characters whose classes under a mask are the wanted ones."""
    while at < stop and classes_at(classes, text, at) & mask == wanted:
        at += size_at(text, at)
    return at


@kernel
def word_end(classes: Bytes, text: Bytes, at: int, stop: int, wanted: int, case: np.uint64) -> int:
    """The end of a run of letters, eight at a time where they are ASCII: LETTER with _CASE_BITS, or LOWER with 0."""
    while at < stop:
        others = not_ascii_letters(load8(text, at), case)
        if others == U(0):
            at += 8
            continue
        at += trailing_zeros(others) >> 3
        if at >= stop or text[at] < 0x80 or classes[code_point(text, at)] & wanted == 0:
            break
        at += size_at(text, at)
    return min(at, stop)


@inlined
def letters_end(classes: Bytes, text: Bytes, at: int, stop: int) -> int:
    """The end of a run of letters."""
    return word_end(classes, text, at, stop, LETTER, _CASE_BITS)


@inlined
def is_line_end(byte: int) -> bool:
    """Carriage return or line feed."""
    return byte == _LINE_FEED or byte == _RETURN


@kernel
def contraction_size(text: Bytes, at: int, stop: int, fold: bool) -> int:
    """Bytes of 's, 't, 'd, 'm, 'll, 've or 're at a place, 0 where there is none. `fold`: in any case."""
    if at + 1 >= stop or text[at] != _APOSTROPHE:
        return 0
    case = _TO_LOWER if fold else 0
    first = int(text[at + 1]) | case
    if first == _S or first == _T or first == _D or first == _M:
        return 2
    if at + 2 >= stop:
        return 0
    if fold and text[at + 1] == _LONG_S[0] and text[at + 2] == _LONG_S[1]:
        return 3
    second = int(text[at + 2]) | case
    if (first == _L and second == _L) or ((first == _V or first == _R) and second == _E):
        return 3
    return 0


@kernel
def space_end(classes: Bytes, text: Bytes, at: int, stop: int, to_line_end: bool) -> int:
    """The end of a piece of white space that begins at a place: what `\\s+(?!\\S)|\\s+` matches.

    A run leaves its last character to the word behind it. `to_line_end`: before all else, a run that has line ends ends
    with the last of them (`\\s*[\\r\\n]+`).
    """
    last, behind_line = at, at
    end = at
    while end < stop and classes_at(classes, text, end) & SPACE:
        last = end
        end += size_at(text, end)
        if is_line_end(text[last]):
            behind_line = end
    if to_line_end and behind_line > at:
        return behind_line
    return end if end == stop or last == at else last


@kernel
def few_numbers_end(classes: Bytes, text: Bytes, at: int, stop: int) -> int:
    """The end of one to three numbers."""
    for _ in range(3):
        if at < stop and classes_at(classes, text, at) & NUMBER:
            at += size_at(text, at)
    return at


@inlined
def signs_end(classes: Bytes, text: Bytes, at: int, stop: int, slash: bool) -> int:
    """The end of a run of signs, which are neither letters, numbers nor white space, and of the line ends behind it."""
    end = run_end(classes, text, at, stop, _GROUP, 0)
    while end < stop and (is_line_end(text[end]) or (slash and text[end] == _SLASH)):
        end += 1
    return end


@kernel
def cased_word_end(classes: Bytes, text: Bytes, at: int, stop: int) -> int:
    """The end of upper-case letters followed by at least one lower-case letter, `U*L+`; `at` where there are none.

    Marks and letters without case are both. Where nothing lower follows the run of upper ones, it goes back to the last
    character that is both.
    """
    end, both_end = at, at
    while end < stop:
        kind = classes_at(classes, text, end)
        if kind & UPPER == 0:
            if kind & LOWER:
                return word_end(classes, text, end, stop, LOWER, _NO_BITS)
            break
        end += size_at(text, end)
        if kind & LOWER:
            both_end = end
    return both_end


@kernel
def gpt4o_word_end(classes: Bytes, text: Bytes, at: int, stop: int) -> int:
    """The end of a word as GPT-4o's first two alternatives have it: a sign before it, `U*L+` or `U+`, a contraction behind.

    `at` where there is none. A mark may be the sign before a word or a word of its own.
    """
    kind = classes_at(classes, text, at)
    begin = at
    if kind & (LETTER | NUMBER) == 0 and not is_line_end(text[at]):
        begin += size_at(text, at)
    end = cased_word_end(classes, text, begin, stop)
    if end == begin and begin > at and kind & LOWER:
        begin = at
        end = cased_word_end(classes, text, begin, stop)
    if end == begin:
        end = run_end(classes, text, begin, stop, UPPER, UPPER)
    return end + contraction_size(text, end, stop, True) if end > begin else at


@kernel
def pre_token_end(classes: Bytes, text: Bytes, at: int, stop: int, pattern: int) -> int:
    """The end of the pre-token that begins at `at`, before `stop`."""
    kind = classes_at(classes, text, at)
    first = text[at]
    if pattern == GPT4O:
        end = gpt4o_word_end(classes, text, at, stop)
        if end > at:
            return end
    elif first == _APOSTROPHE:
        size = contraction_size(text, at, stop, pattern != GPT2)
        if size > 0:
            return at + size
    begin = at
    if first == _BLANK and at + 1 < stop:
        behind = classes_at(classes, text, at + 1)
        if behind & SPACE == 0 and (pattern == GPT2 or behind & NUMBER == 0):
            begin, kind = at + 1, behind
    if pattern == GPT2:
        if kind & SPACE:
            return space_end(classes, text, at, stop, False)
        if kind & LETTER:
            return letters_end(classes, text, begin, stop)
        return run_end(classes, text, begin, stop, _GROUP, kind & _GROUP)
    if kind & NUMBER:
        return few_numbers_end(classes, text, at, stop)
    if kind & LETTER:
        return letters_end(classes, text, begin, stop)
    if begin == at and pattern == GPT4 and not is_line_end(first):
        after = at + size_at(text, at)
        if after < stop and classes_at(classes, text, after) & LETTER:
            return letters_end(classes, text, after, stop)
    if kind & SPACE:
        return space_end(classes, text, at, stop, True)
    return signs_end(classes, text, begin, stop, pattern == GPT4O)


def warm_up() -> None:
    """Nothing is called from Python here: these are compiled into the kernels that count."""
