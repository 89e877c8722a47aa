"""Phrases that C4 looks for in a line, as chunks see them: "lorem ipsum", and what cookie banners say.

A phrase of two or three words lies over chunks with single blanks between them, so a chunk notes how it begins and ends, and
`lines.py` puts the notes together. All in any case, as `str.lower` folds it: the Kelvin sign is a k.
"""

from __future__ import annotations

import numpy as np

from curation.text.kernels.compiling import Int32s, inlined, kernel

# Bits of the column TRIGGERS. Each phrase is an end, for three words a whole chunk between, and a beginning.
(
    ENDS_LOREM,
    ENDS_PRIVACY,  # privacy, cookie
    ENDS_USE,
    ENDS_TERMS,
    IS_OF,
    BEGINS_IPSUM,
    BEGINS_POLICY,
    BEGINS_COOKIES,
    BEGINS_USE,
    ENDS_USES,
) = (1 << bit for bit in range(10))
BEGINNINGS = BEGINS_IPSUM | BEGINS_POLICY | BEGINS_COOKIES | BEGINS_USE

KELVIN = 0x212A


def _code_points(word: str) -> Int32s:
    return np.frombuffer(word.encode(), np.uint8).astype(np.int32)


JAVASCRIPT = _code_points("javascript")
LOREM, IPSUM, PRIVACY, COOKIE, USES, USE, TERMS, OF, POLICY, COOKIES = map(
    _code_points, ("lorem", "ipsum", "privacy", "cookie", "uses", "use", "terms", "of", "policy", "cookies")
)


@inlined
def lower(code_point: int) -> int:
    """The lower case of an ASCII letter or of the Kelvin sign; anything else as it is."""
    if 65 <= code_point <= 90:
        return code_point + 32
    if code_point == KELVIN:
        return 107
    return code_point


@kernel
def has_word_at(code_points: Int32s, size: int, word: Int32s, at: int) -> bool:
    """Whether a word stands at a place, in any case."""
    if at < 0 or size < at + len(word):
        return False
    for letter in range(len(word)):
        if lower(code_points[at + letter]) != word[letter]:
            return False
    return True


@kernel
def ends_with(code_points: Int32s, size: int, word: Int32s) -> bool:
    """Whether a chunk ends with a word, in any case."""
    return has_word_at(code_points, size, word, size - len(word))


@kernel
def triggers_of(code_points: Int32s, size: int) -> int:
    """The bits of a chunk of `size` code points."""
    bits = 0
    last, first = lower(code_points[size - 1]), lower(code_points[0])
    if last == 109:  # m
        if ends_with(code_points, size, LOREM):
            bits |= ENDS_LOREM
    elif last == 121:  # y
        if ends_with(code_points, size, PRIVACY):
            bits |= ENDS_PRIVACY
    elif last == 101:  # e
        if ends_with(code_points, size, COOKIE):
            bits |= ENDS_PRIVACY
        elif ends_with(code_points, size, USE):
            bits |= ENDS_USE
    elif last == 115:  # s
        if ends_with(code_points, size, USES):
            bits |= ENDS_USES
        elif ends_with(code_points, size, TERMS):
            bits |= ENDS_TERMS
    elif last == 102 and size == 2 and ends_with(code_points, size, OF):  # f
        bits |= IS_OF
    if first == 105:  # i
        if has_word_at(code_points, size, IPSUM, 0):
            bits |= BEGINS_IPSUM
    elif first == 112:  # p
        if has_word_at(code_points, size, POLICY, 0):
            bits |= BEGINS_POLICY
    elif first == 99:  # c
        if has_word_at(code_points, size, COOKIES, 0):
            bits |= BEGINS_COOKIES
    elif first == 117 and has_word_at(code_points, size, USE, 0):  # u
        bits |= BEGINS_USE
    return bits
