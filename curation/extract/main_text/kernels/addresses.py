"""Addresses of links: which may be written, and how."""

from __future__ import annotations

import numpy as np

from curation.extract.main_text.kernels import page as p
from curation.extract.main_text.kernels.characters import (
    AMPERSAND,
    BLANK,
    COLON,
    IS_SPACE,
    NUMBER_SIGN,
    QUESTION,
    SLASH,
    U,
    hash_lower,
    name_hash,
)
from curation.extract.main_text.kernels.writing import Writing, put
from curation.text.kernels.compiling import Bytes, Int32s, inlined, kernel

MAX_ADDRESS = 2000  # bytes; a longer one is data
_HTTP, _HTTPS, _MAIL, _FTP, _TELEPHONE = (U(name_hash(name)) for name in "http https mailto ftp tel".split())
_DIGITS = np.frombuffer(b"0123456789ABCDEF", np.uint8)
_IS_UNSAFE = np.zeros(256, np.uint8)  # written as %XX
_IS_UNSAFE[list(b" \t\n\r\f\\()<>|`")] = 1


@inlined
def trimmed_address(html: Bytes, nodes: Int32s, node: int) -> tuple[int, int]:
    """The range of a link's address, without white space at its ends."""
    start, stop = np.int64(nodes[node, p.ADDRESS_START]), np.int64(nodes[node, p.ADDRESS_END])
    while start < stop and IS_SPACE[html[start]] == 1:
        start += 1
    while start < stop and IS_SPACE[html[stop - 1]] == 1:
        stop -= 1
    return start, stop


@kernel
def is_fit(html: Bytes, nodes: Int32s, node: int) -> bool:
    """Whether a link leads elsewhere by a scheme that is known, or by none. A scheme in references is not looked into."""
    start, stop = trimmed_address(html, nodes, node)
    if start >= stop or stop - start > MAX_ADDRESS or html[start] == NUMBER_SIGN:
        return False
    for place in range(start, stop):
        if html[place] < BLANK and IS_SPACE[html[place]] == 0:
            return False
    for place in range(start, stop):
        byte = html[place]
        if byte == SLASH or byte == QUESTION or byte == NUMBER_SIGN:
            return True
        if byte == AMPERSAND or byte < BLANK:
            return False
        if byte == COLON:
            scheme = hash_lower(html, start, place)
            is_web = scheme == _HTTP or scheme == _HTTPS
            return is_web or scheme == _MAIL or scheme == _FTP or scheme == _TELEPHONE
    return True


@kernel
def put_address(w: Writing, node: int) -> None:
    """Writes a link's address as the page has it; what would end it, or be read as markup, as %XX."""
    start, stop = trimmed_address(w.html, w.nodes, node)
    for place in range(start, stop):
        byte = w.html[place]
        if _IS_UNSAFE[byte] == 1:
            put(w, 37)
            put(w, _DIGITS[byte >> 4])
            put(w, _DIGITS[byte & 15])
        else:
            put(w, byte)
