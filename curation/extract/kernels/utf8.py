"""Whether texts are valid UTF-8: 64 bytes are a word of bits, and a lead byte asks for the bits behind it.

Source: The Unicode Standard 15, table 3-7, which says what may follow which byte.
"""

from __future__ import annotations

import numpy as np

from curation.text.kernels.compiling import Bytes, Int64s, entry, kernel
from curation.text.kernels.vectors import bytes_equal, bytes_up_to

U = np.uint64
WIDTH = 64

_NOTHING, _LAST = U(0), U(63)
# As signed bytes: where those end that continue a character, those that begin none, those that begin one of two or three bytes,
# and those that begin any
_CONTINUE, _TOO_SMALL, _TWO, _THREE, _FOUR = -65, -63, -33, -17, -12
# First bytes behind which not all may stand that continue a character: not up to a limit, or not above it
_E0, _ED, _F0, _F4, _TO_9F, _TO_8F = 0xE0, 0xED, 0xF0, 0xF4, -97, -113


@entry
def are_utf8(data: Bytes, bounds: Int64s) -> bool:
    """Whether each text of a buffer is valid UTF-8. Nothing behind the last is read."""
    at, stop = bounds[0], bounds[len(bounds) - 1]
    asked = odd = _NOTHING  # what the bytes before ask of the first ones of a word
    while at + WIDTH <= stop:
        high = bytes_up_to(data, at, -1)
        if high | asked != _NOTHING:
            continued = bytes_up_to(data, at, _CONTINUE)
            leads = high & ~continued
            three, four = leads & ~bytes_up_to(data, at, _TWO), leads & ~bytes_up_to(data, at, _THREE)
            if leads & (bytes_up_to(data, at, _TOO_SMALL) | ~bytes_up_to(data, at, _FOUR)) != _NOTHING:
                return False
            if leads << U(1) | three << U(2) | four << U(3) | asked != continued:
                return False
            asked = leads >> _LAST | three >> U(62) | four >> U(61)
            if three | odd != _NOTHING:
                if not are_allowed(data, at, continued, int(data[at - 1]) if odd != _NOTHING else 0):
                    return False
                odd = three >> _LAST
        at += WIDTH
    if asked != _NOTHING:
        at -= 1
        while data[at] & 0xC0 == 0x80:
            at -= 1
    if not is_end_utf8(data, at, stop):
        return False
    for document in range(1, len(bounds) - 1):
        if bounds[document] < stop and data[bounds[document]] & 0xC0 == 0x80:
            return False
    return True


@kernel
def are_allowed(data: Bytes, at: int, continued: np.uint64, before: int) -> bool:
    """Whether the second bytes of characters are allowed behind their first; `before` is the byte before, or 0."""
    low, lower = bytes_up_to(data, at, _TO_9F), bytes_up_to(data, at, _TO_8F)
    e0 = bytes_equal(data, at, _E0) << U(1) | U(before == _E0)
    ed = bytes_equal(data, at, _ED) << U(1) | U(before == _ED)
    f0 = bytes_equal(data, at, _F0) << U(1) | U(before == _F0)
    f4 = bytes_equal(data, at, _F4) << U(1) | U(before == _F4)
    return bool(continued & (e0 & low | ed & ~low | f0 & lower | f4 & ~lower) == _NOTHING)


@kernel
def is_end_utf8(data: Bytes, at: int, stop: int) -> bool:
    """The same for the last bytes, one character after another."""
    while at < stop:
        first = int(data[at])
        if first < 0x80:
            at += 1
            continue
        size = 2 if first < _E0 else 3 if first < _F0 else 4
        if first < 0xC2 or first > _F4 or at + size > stop:
            return False
        second = int(data[at + 1])
        least = 0xA0 if first == _E0 else 0x90 if first == _F0 else 0x80
        most = 0x9F if first == _ED else 0x8F if first == _F4 else 0xBF
        if second < least or second > most:
            return False
        for place in range(at + 2, at + size):
            if data[place] & 0xC0 != 0x80:
                return False
        at += size
    return True


def warm_up() -> None:
    """Compiles the kernel of this file."""
    are_utf8(np.frombuffer(b"a", np.uint8), np.array([0, 1]))
