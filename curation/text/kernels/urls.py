r"""Whether a run of text is a URL or an e-mail address, as spaCy's URL pattern says: such a run stays one token.

The pattern is `[scheme://] [user@] host [:port] [path]`, where host is an IPv4 address that is not private, or dotted labels
of which the last has letters only. It is written by hand because as a regex it backtracks; the builder of the tables pins
its text by a hash, so a change in spaCy is noticed. `\S+@` means: some host begins behind some `@`.

Source: spaCy 3.8.18, lang/tokenizer_exceptions.py, `URL_PATTERN`.
"""

from __future__ import annotations

import numpy as np

from curation.text.english.layout import DIGIT, DOMAIN_LETTER, HOST_LETTER, WORD_CHARACTER
from curation.text.kernels.compiling import Int32s, Int64s, kernel

HASH, PLUS, HYPHEN, DOT, SLASH, COLON, QUESTION, AT, UNDERSCORE = (ord(c) for c in "#+-./:?@_")
NOT_ASCII = 99  # in place of the value of a digit of another script, which no octet may have


@kernel
def is_url(code_points: Int32s, classes: Int64s, low: int, high: int) -> bool:
    """Whether code points [low, high) are a URL. Linear: hosts of different starts do not overlap."""
    has_dot = False
    for at in range(low, high):
        if code_points[at] == DOT:
            has_dot = True
            break
    if not has_dot:
        return False
    if is_host(code_points, classes, low, high):
        return True
    at = low
    while at < high and (
        (classes[at] >> WORD_CHARACTER) & 1
        or code_points[at] == PLUS
        or code_points[at] == HYPHEN
        or code_points[at] == DOT
    ):
        at += 1
    if (
        at - low >= 2
        and at + 3 <= high
        and code_points[at] == COLON
        and code_points[at + 1] == SLASH
        and code_points[at + 2] == SLASH
        and is_host(code_points, classes, at + 3, high)
    ):
        return True
    for at in range(low + 1, high):
        if code_points[at] == AT and is_host(code_points, classes, at + 1, high):
            return True
    return False


@kernel
def is_host(code_points: Int32s, classes: Int64s, start: int, high: int) -> bool:
    """Whether [start, high) is a host with what may follow it."""
    if start < high and (classes[start] >> DIGIT) & 1 and is_address(code_points, classes, start, high):
        return True
    label, labels = start, 0
    while True:
        at = label
        while at < high and (
            (classes[at] >> HOST_LETTER) & 1 or code_points[at] == UNDERSCORE or code_points[at] == HYPHEN
        ):
            at += 1
        if at < high and code_points[at] == DOT:
            size = at - label
            if size < 1 or size > 64:
                return False
            if not (classes[label] >> HOST_LETTER) & 1 or not (classes[at - 1] >> HOST_LETTER) & 1:
                return False
            labels += 1
            label = at + 1
            continue
        if labels == 0:
            return False
        at = label
        while at < high and (classes[at] >> DOMAIN_LETTER) & 1:
            at += 1
        return 2 <= at - label <= 63 and is_rest(code_points, classes, at, high)


@kernel
def is_path(code_points: Int32s, at: int, high: int) -> bool:
    """Whether a path, a query or nothing begins at `at`."""
    return at == high or code_points[at] == SLASH or code_points[at] == QUESTION or code_points[at] == HASH


@kernel
def is_rest(code_points: Int32s, classes: Int64s, at: int, high: int) -> bool:
    """Whether what may stand behind a host begins at `at`: a port of 2 to 5 digits or none, then a path."""
    if is_path(code_points, at, high):
        return True
    if code_points[at] == COLON:
        stop = at + 1
        while stop < high and (classes[stop] >> DIGIT) & 1 and stop - at <= 6:
            stop += 1
        return 2 <= stop - at - 1 <= 5 and is_path(code_points, stop, high)
    return False


@kernel
def octet_at(code_points: Int32s, classes: Int64s, start: int, high: int) -> tuple[int, int, int, int]:
    """Where the digits at `start` end (four at most), and the values of the first three; -1 where there is none."""
    at = start
    first = second = third = -1
    while at < high and (classes[at] >> DIGIT) & 1 and at - start < 4:
        value = np.int64(code_points[at]) - 48
        if value < 0 or value > 9:
            value = NOT_ASCII
        if at == start:
            first = value
        elif at == start + 1:
            second = value
        elif at == start + 2:
            third = value
        at += 1
    return at, first, second, third


@kernel
def is_octet(place: int, size: int, first: int, second: int, third: int) -> bool:
    """Whether digits may be the octet at this place (0 to 3) of an address: up to 223, up to 255, or up to 254."""
    if place == 1 or place == 2:
        return (
            size <= 2
            or first == 1
            or (first == 2 and 0 <= second <= 4)
            or (first == 2 and second == 5 and 0 <= third <= 5)
        )
    if (1 <= first <= 9 and size <= 2) or (size == 3 and first == 1):
        return True
    if place == 0:
        return size == 3 and first == 2 and (second == 0 or second == 1 or (second == 2 and 0 <= third <= 3))
    return size == 3 and first == 2 and (0 <= second <= 4 or (second == 5 and 0 <= third <= 4))


@kernel
def is_address(code_points: Int32s, classes: Int64s, start: int, high: int) -> bool:
    """Whether an IPv4 address begins at `start`, none of 10.*, 127.*, 169.254.*, 192.168.* and 172.16.* to 172.31.*."""
    at = start
    family = 0  # 169, 192 or 172, of which some second octets are private
    for place in range(4):
        stop, first, second, third = octet_at(code_points, classes, at, high)
        size = stop - at
        if size == 0 or size > 3 or not is_octet(place, size, first, second, third):
            return False
        if place == 0:
            if (size == 2 and first == 1 and second == 0) or (size == 3 and first == 1 and second == 2 and third == 7):
                return False
            if size == 3 and first == 1:
                value = 100 + 10 * second + third
                family = value if value == 169 or value == 192 or value == 172 else 0
        elif place == 1:
            value = 100 * first + 10 * second + third
            if (family == 169 and size == 3 and value == 254) or (family == 192 and size == 3 and value == 168):
                return False
            if family == 172 and size == 2:
                low_value = 10 * first + second
                if 16 <= low_value <= 19 or (first == 2 and second >= 0) or low_value == 30 or low_value == 31:
                    return False
        if place == 3:
            return is_rest(code_points, classes, stop, high)
        if stop >= high or code_points[stop] != DOT:
            return False
        at = stop + 1
    return False
