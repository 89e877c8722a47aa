"""The short way for plain chunks: ASCII letters, and perhaps one mark behind them. Three of four new chunks are such.

No prefix, infix or URL can be found in letters, and of suffixes only the mark: those that are letters ("km", "'s") stand behind
digits or an apostrophe. So such a chunk is a special case, or it is its letters and its mark. Whatever could be part of a phrase
goes the long way. A test holds both ways equal.
"""

from __future__ import annotations

import numpy as np

from curation.text.english.layout import Tables
from curation.text.kernels.affixes import find_string
from curation.text.kernels.compiling import Bytes, Int32s, kernel
from curation.text.kernels.vocabulary import TEXT_BYTES, TEXT_START, Scratch, Vocabulary

LONGEST = 64  # bytes; longer ones go the long way
_COMMA, _COLON, _SEMICOLON, _DOT, _EXCLAMATION, _QUESTION = (ord(c) for c in ",:;.!?")


@kernel
def is_letter(byte: int) -> bool:
    """Whether a byte is an ASCII letter."""
    return 97 <= (byte | 32) <= 122


@kernel
def is_sentence_mark(byte: int) -> bool:
    """Whether a plain chunk's mark ends a sentence."""
    return byte == _DOT or byte == _EXCLAMATION or byte == _QUESTION


@kernel
def plain_letters(text: Bytes, start: int, size: int) -> int:
    """How many letters a plain chunk has; all of it, or all but its mark. 0 if the chunk is not plain."""
    if size > LONGEST:
        return 0
    letters = 0
    while letters < size and is_letter(text[start + letters]):
        letters += 1
    if letters == size:
        return letters
    if letters != size - 1 or letters == 0:
        return 0
    mark = text[start + letters]
    if mark == _DOT:  # a suffix behind a small letter only
        return letters if text[start + letters - 1] >= 97 else 0
    if mark == _COMMA or mark == _COLON or mark == _SEMICOLON or mark == _EXCLAMATION or mark == _QUESTION:
        return letters
    return 0


@kernel
def cut_plain(tables: Tables, vocabulary: Vocabulary, scratch: Scratch, chunk: int) -> int:
    """The tokens of a plain chunk, in `token_starts` and `token_ends`; gives their number, 0 if it must go the long way.

    Fills in the scratch's code points and byte starts, but no classes.
    """
    start, size = np.int64(vocabulary.records[chunk, TEXT_START]), np.int64(vocabulary.records[chunk, TEXT_BYTES])
    letters = plain_letters(vocabulary.text, start, size)
    if letters == 0:
        return 0
    points = scratch.code_points
    for at in range(size):
        points[at] = vocabulary.text[start + at]
        scratch.byte_starts[at] = at
    scratch.byte_starts[size] = size
    return cut_letters(tables, points, letters, size, scratch)


@kernel
def cut_letters(tables: Tables, points: Int32s, letters: int, size: int, scratch: Scratch) -> int:
    """Cuts `letters` letters and perhaps a mark; 0 if they are a special case or may be part of a phrase."""
    if find_string(tables.specials, points, 0, size) >= 0 or find_string(tables.phrases, points, 0, letters) >= 0:
        return 0
    scratch.token_starts[0], scratch.token_ends[0] = 0, letters
    if letters == size:
        return 1
    if find_string(tables.specials, points, 0, letters) >= 0 or find_string(tables.phrases, points, letters, size) >= 0:
        return 0
    scratch.token_starts[1], scratch.token_ends[1] = letters, size
    return 2
