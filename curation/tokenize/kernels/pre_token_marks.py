"""Where pre-tokens begin, as bits: 64 bytes of a text are a word, and what GPT-2's pattern asks of a byte and its neighbours are
shifts of words. Other patterns are cut pre-token by pre-token.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from curation.text.kernels.compiling import Bytes, UInt64s, kernel
from curation.text.kernels.vectors import bytes_equal, bytes_up_to, trailing_zeros
from curation.tokenize.kernels.pre_tokens import (
    GPT2,
    LETTER,
    NUMBER,
    SPACE,
    code_point,
    contraction_size,
    pre_token_end,
    size_at,
)

U = np.uint64
WIDTH = 64

_ONE, _NOTHING, _LAST = U(1), U(0), U(63)
_BLANK, _APOSTROPHE = 32, 39


class Marks(NamedTuple):
    """Words of bits, one a byte of a text and one behind it: all bytes of a character are what it is.

    starts  uint64: where pre-tokens begin, and the text's end
    letters, numbers, spaces  uint64
    """

    starts: UInt64s
    letters: UInt64s
    numbers: UInt64s
    spaces: UInt64s


def new_marks(longest: int) -> Marks:
    """Marks for texts of up to so many bytes: half a byte a byte."""
    return Marks(*(np.empty(longest // WIDTH + 2, np.uint64) for _ in Marks._fields))


@kernel
def mark_starts(classes: Bytes, text: Bytes, start: int, stop: int, pattern: int, marks: Marks) -> None:
    """Marks where the pre-tokens of a text that is not empty begin, and its end."""
    words = (stop - start) // WIDTH + 1
    if pattern == GPT2:
        mark_classes(classes, text, start, stop, marks)
        mark_gpt2_starts(text, start, stop, marks)
    else:
        for word in range(words):
            marks.starts[word] = _NOTHING
        at = start
        while at < stop:
            marks.starts[(at - start) >> 6] |= _ONE << U((at - start) & 63)
            at = pre_token_end(classes, text, at, stop, pattern)
    size = stop - start
    marks.starts[size >> 6] = marks.starts[size >> 6] & ((_ONE << U(size & 63)) - _ONE) | _ONE << U(size & 63)


@kernel
def mark_classes(classes: Bytes, text: Bytes, start: int, stop: int, marks: Marks) -> None:
    """Marks letters, numbers and white space, and the place behind the text as white space."""
    letters_over = numbers_over = spaces_over = _NOTHING  # of a character that began in the word before
    for word in range((stop - start) // WIDTH + 1):
        at = start + word * WIDTH
        lower = bytes_up_to(text, at, ord("z")) & ~bytes_up_to(text, at, ord("a") - 1)
        upper = bytes_up_to(text, at, ord("Z")) & ~bytes_up_to(text, at, ord("A") - 1)
        controls = bytes_up_to(text, at, ord("\r")) & ~bytes_up_to(text, at, ord("\t") - 1)
        letters = letters_over | lower | upper
        numbers = numbers_over | bytes_up_to(text, at, ord("9")) & ~bytes_up_to(text, at, ord("0") - 1)
        spaces = spaces_over | controls | bytes_equal(text, at, _BLANK)
        letters_over = numbers_over = spaces_over = _NOTHING
        beyond = bytes_up_to(text, at, -1) & ~bytes_up_to(text, at, -65)  # the first bytes of characters beyond ASCII
        if at + WIDTH > stop:
            beyond &= (_ONE << U(stop - at)) - _ONE
        while beyond != _NOTHING:
            shift = trailing_zeros(beyond)
            beyond &= beyond - _ONE
            kind, bits = classes[code_point(text, at + shift)], (_ONE << U(size_at(text, at + shift))) - _ONE
            here, over = bits << U(shift), bits >> U(63 - shift) >> _ONE
            if kind & LETTER:
                letters |= here
                letters_over = over
            elif kind & NUMBER:
                numbers |= here
                numbers_over = over
            elif kind & SPACE:
                spaces |= here
                spaces_over = over
        marks.letters[word], marks.numbers[word], marks.spaces[word] = letters, numbers, spaces
    marks.spaces[(stop - start) >> 6] |= _ONE << U((stop - start) & 63)


@kernel
def mark_gpt2_starts(text: Bytes, start: int, stop: int, marks: Marks) -> None:
    """GPT-2's pattern: a pre-token begins where the class changes, but for a blank before it; a run of white space leaves its
    last character to what follows."""
    words = (stop - start) // WIDTH + 1
    letters_before = numbers_before = spaces_before = others_before = blanks_before = _NOTHING
    for word in range(words):
        letters, numbers, spaces = marks.letters[word], marks.numbers[word], marks.spaces[word]
        others = ~(letters | numbers | spaces)
        blanks = bytes_equal(text, start + word * WIDTH, _BLANK)
        behind = marks.spaces[word + 1] << _LAST if word + 1 < words else _NOTHING
        last_spaces = spaces & ~(spaces >> _ONE | behind)
        continued = last_spaces & bytes_up_to(text, start + word * WIDTH, -65)
        first = (
            letters & ~(letters << _ONE | letters_before)
            | numbers & ~(numbers << _ONE | numbers_before)
            | others & ~(others << _ONE | others_before)
        )
        starts = first & ~(blanks << _ONE | blanks_before) | spaces & ~(spaces << _ONE | spaces_before)
        marks.starts[word] = starts | last_spaces & ~continued
        letters_before, numbers_before, spaces_before = letters >> _LAST, numbers >> _LAST, spaces >> _LAST
        others_before, blanks_before = others >> _LAST, blanks >> _LAST
        while continued != _NOTHING:
            place = word * WIDTH + trailing_zeros(continued)
            continued &= continued - _ONE
            while text[start + place] & 0xC0 == 0x80:
                place -= 1
            marks.starts[place >> 6] |= _ONE << U(place & 63)
    for word in range(words):
        found = bytes_equal(text, start + word * WIDTH, _APOSTROPHE) & marks.starts[word]
        while found != _NOTHING:
            place = word * WIDTH + trailing_zeros(found)
            found &= found - _ONE
            size = contraction_size(text, start + place, stop, False) if start + place < stop else 0
            if size > 0:
                marks.starts[(place + 1) >> 6] &= ~(_ONE << U((place + 1) & 63))
                marks.starts[(place + size) >> 6] |= _ONE << U((place + size) & 63)


def warm_up() -> None:
    """Nothing is called from Python here: these are compiled into the kernels that encode."""
