"""How much work a page asks of an HTML parser, counted in one pass over its bytes before any parser sees it.

Parsers and extractors are quadratic in what a hostile page can make large in a few kilobytes: elements in elements,
attributes of one tag, `<option>`s of one list, and formatting elements (`<b>`, `<font>`, …) whose end tag is missing,
which HTML opens anew in every block that follows. The pass below is a small HTML tokenizer: tags, quoted attribute
values, comments, and raw text (`script`, `style`, …) are told apart; an end tag closes the nearest open element of
its name, though never one outside the table it stands in; elements whose end tag authors may leave out are not
counted as open. No clock is involved: the same page gives the same counts everywhere.
"""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

OPEN_CAP = 65_536  # how deep the pass itself keeps count; any limit on nesting lies far below
LOOK_BACK = 256  # how far up an end tag looks for its element

VOID_OR_IMPLIED = [
    "area",
    "base",
    "br",
    "col",
    "embed",
    "hr",
    "img",
    "input",
    "link",
    "meta",
    "param",
    "source",
    "track",
    "wbr",
    "command",
    "keygen",
    "html",
    "head",
    "body",
    "p",
    "li",
    "dt",
    "dd",
    "tr",
    "td",
    "th",
    "thead",
    "tbody",
    "tfoot",
    "colgroup",
    "caption",
    "optgroup",
    "rt",
    "rp",
    "rb",
    "rtc",
]
FORMATTING = ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"]
SCOPES = ["table", "template", "object", "applet", "marquee"]  # an end tag inside closes nothing outside
RAW_TEXT = ["script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes", "plaintext"]


@dataclass(frozen=True, slots=True)
class Work:
    """tags        start and end tags
    depth       elements open at once, at most
    placements  over all tags, the sum of the elements open there and the formatting elements that may be opened anew
    attributes  attributes of one tag, at most
    options     `<option>` elements
    """

    tags: int
    depth: int
    placements: int
    attributes: int
    options: int


def measure(html: bytes) -> Work:
    """The work that a page (UTF-8) asks for. Linear in its bytes; memory is constant."""
    return Work(*(int(count) for count in _count(np.frombuffer(html, np.uint8), _KINDS)))


def _name_hash(name: str) -> int:
    value = 0
    for byte in name.encode("ascii"):
        value = (value * 31 + byte) & 0x7FFFFFFF
    return value


SKIPPED, RAW, FORMAT, SCOPE, OPTION = 1, 2, 3, 4, 5
_KINDS = np.array(
    sorted(
        (_name_hash(name), kind)
        for names, kind in (
            (VOID_OR_IMPLIED, SKIPPED),
            (RAW_TEXT, RAW),
            (FORMATTING, FORMAT),
            (SCOPES, SCOPE),
            (["option"], OPTION),
        )
        for name in names
    ),
    np.int64,
)


@numba.njit(cache=True)
def _kind(kinds: npt.NDArray[np.int64], name: int) -> int:
    """What the element of this name is to the count, 0 for any other."""
    at = np.searchsorted(kinds[:, 0], name)
    return int(kinds[at, 1]) if at < len(kinds) and kinds[at, 0] == name else 0


@numba.njit(cache=True)
def _is_letter(byte: int) -> bool:
    return 97 <= (byte | 32) <= 122


@numba.njit(cache=True)
def _is_space(byte: int) -> bool:
    return byte == 32 or 9 <= byte <= 13


@numba.njit(cache=True)
def _read_name(html: npt.NDArray[np.uint8], at: int) -> tuple[int, int]:
    """Hash of the tag name that starts here (ASCII letters folded to lower case), and where it ends."""
    value = 0
    while at < len(html) and not _is_space(html[at]) and html[at] != 62 and html[at] != 47:
        byte = int(html[at])
        if 65 <= byte <= 90:
            byte += 32
        value = (value * 31 + byte) & 0x7FFFFFFF
        at += 1
    return value, at


@numba.njit(cache=True)
def _skip_attributes(html: npt.NDArray[np.uint8], at: int) -> tuple[int, int]:
    """How many attributes the tag has whose name ends here, and where it ends (behind `>`)."""
    count = 0
    after_space, after_equals = False, False
    while at < len(html):
        byte = html[at]
        if byte == 62:
            return count, at + 1
        if after_equals and (byte == 34 or byte == 39):
            at += 1
            while at < len(html) and html[at] != byte:
                at += 1
            after_space, after_equals = True, False
        elif _is_space(byte) or byte == 47:
            after_space = True
        elif byte == 61:
            after_equals, after_space = True, False
        else:
            if after_space and not after_equals:
                count += 1
            after_space, after_equals = False, False
        at += 1
    return count, at


@numba.njit(cache=True)
def _skip_raw_text(html: npt.NDArray[np.uint8], at: int, name: int) -> int:
    """Where the end tag of this name starts, or the end of the page."""
    while at + 1 < len(html):
        if html[at] == 60 and html[at + 1] == 47:
            found, _ = _read_name(html, at + 2)
            if found == name:
                return at
            at += 1
        at += 1
    return len(html)


@numba.njit(cache=True)
def _skip_comment(html: npt.NDArray[np.uint8], at: int) -> int:
    """Where the comment ends that starts here at `<!--`."""
    at += 2
    while at + 2 < len(html):
        if html[at] == 45 and html[at + 1] == 45 and html[at + 2] == 62:
            return at + 3
        at += 1
    return len(html)


@numba.njit(cache=True)
def _nearest_open(names: npt.NDArray[np.int64], kinds: npt.NDArray[np.int64], depth: int, name: int) -> int:
    """The depth that is left once the nearest open element of this name is closed; unchanged where none is in reach."""
    for level in range(depth - 1, max(-1, depth - 1 - LOOK_BACK), -1):
        if names[level] == name:
            return level
        if _kind(kinds, names[level]) == SCOPE and _kind(kinds, name) != SCOPE:
            return depth
    return depth


@numba.njit(cache=True)
def _left_open(names: npt.NDArray[np.int64], kinds: npt.NDArray[np.int64], first: int, stop: int) -> int:
    """How many formatting elements stand on these levels."""
    count = 0
    for level in range(first, stop):
        if _kind(kinds, names[level]) == FORMAT:
            count += 1
    return count


@numba.njit(cache=True)
def _count(html: npt.NDArray[np.uint8], kinds: npt.NDArray[np.int64]) -> tuple[int, int, int, int, int]:
    names = np.zeros(OPEN_CAP + 1, np.int64)
    tags, depth, deepest, misnested, placements, most_attributes, options = 0, 0, 0, 0, 0, 0, 0
    at = 0
    while at + 1 < len(html) and depth < OPEN_CAP:
        closing = html[at + 1] == 47
        if html[at] != 60:
            at += 1
        elif _is_letter(html[at + 1]) or (closing and at + 2 < len(html) and _is_letter(html[at + 2])):
            name, at = _read_name(html, at + (2 if closing else 1))
            attributes, at = _skip_attributes(html, at)
            tags += 1
            kind = _kind(kinds, name)
            if closing:
                left = _nearest_open(names, kinds, depth, name)
                misnested += _left_open(names, kinds, left + 1, depth)
                depth = left
            elif kind == OPTION:
                options += 1
            elif kind == RAW:
                at = _skip_raw_text(html, at, name)
            elif kind != SKIPPED:
                names[depth] = name
                depth += 1
            placements += depth + misnested
            deepest = max(deepest, depth)
            most_attributes = max(most_attributes, attributes)
        elif html[at + 1] == 33 and at + 3 < len(html) and html[at + 2] == 45 and html[at + 3] == 45:
            at = _skip_comment(html, at)
        else:
            at += 1
    return tags, deepest, placements, most_attributes, options
