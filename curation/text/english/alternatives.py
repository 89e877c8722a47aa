"""Regular expressions as ordered lists of alternatives: what stands before, what is matched, what follows.

spaCy's affixes are written as regular expressions of a simple kind: alternatives of a few characters and classes. A
kernel can try them one after another. They come from Python's own parse tree, in the order in which its matcher would
try them, so that the first that matches here is the one that matches there. A construct that has no such form is
refused by name and never approximated.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from re import _constants as construct  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from connectors.errors import UserError
from curation.text.english.layout import IS_CLASS, IS_CODE_POINT

CODE_POINTS = 0x110000

Members = npt.NDArray[np.bool_]
"""Of each code point, whether it is in a class."""

Item = tuple[int, int]
"""One character: (IS_CODE_POINT, code point) or (IS_CLASS, class bit)."""

Anchor = Literal["start", "end", "none"]

# What an alternative may look like, its parts written as by `_Part.kind`. A kernel looks for a suffix from its end, and
# cannot give back what a repeat took.
_FORMS = {"start": r"\^<?(\.*\+|\.+[=!]?)", "end": r"(<?\.+|\.*\+)\$", "none": r"<?(\.*\+|\.+[=!]?)"}


class Alternative(NamedTuple):
    """One way to match.

    look_behind  items that must stand before
    body         items that are matched, at least one
    repeats      whether the last item of the body is matched as often as possible
    look_ahead   items of which one must follow, none or one
    excluded     whether the look-ahead must not follow
    """

    look_behind: tuple[Item, ...]
    body: tuple[Item, ...]
    repeats: bool = False
    look_ahead: tuple[Item, ...] = ()
    excluded: bool = False


class _Part(NamedTuple):
    """A piece of an alternative, in the order of the pattern.

    kind   ^ start, $ end, < look-behind, . item, + repeated item, = look-ahead, ! look-ahead that must not follow
    items  none for start and end, several for a look-behind, else one
    """

    kind: Literal["^", "$", "<", ".", "+", "=", "!"]
    items: tuple[Item, ...] = ()


class Classes:
    """The character classes of regular expressions: each gets a class bit when it is first met.

    members  class bit to its code points
    """

    def __init__(self, first_bit: int) -> None:
        self.members: dict[int, Members] = {}
        self._bits: dict[str, int] = {}
        self._next = first_bit

    def bit_of(self, elements: Sequence[Any]) -> int:
        """The bit of a class, given by its elements in the parse tree."""
        key = repr(elements)
        if key not in self._bits:
            self._bits[key] = self._next
            self.members[self._next] = _members(elements)
            self._next += 1
        return self._bits[key]

    def bit_of_class(self, pattern: str) -> int:
        """The bit of a class, given as a pattern such as `[a-z]`."""
        ((operator, elements),) = parser.parse(pattern)
        if operator is not construct.IN:
            raise _unsupported(operator)
        return self.bit_of(elements)


def alternatives(pattern: str, anchor: Anchor, classes: Classes) -> list[Alternative]:
    """The alternatives of a regular expression in the order in which a matcher tries them.

    All of them are anchored as `anchor` says. Raises `UserError` that names the construct that has no such form.
    """
    tree = parser.parse(pattern)
    if tree.state.flags != re.UNICODE:
        raise _unsupported("FLAGS")
    return [_alternative(parts, anchor) for parts in _sequences(tree, classes)]


def _sequences(tree: Iterable[Any], classes: Classes) -> list[list[_Part]]:
    """All ways through a parse tree, first choices first."""
    options = [_options(operator, value, classes) for operator, value in tree]
    return [list(itertools.chain.from_iterable(choice)) for choice in itertools.product(*options)]


def _options(operator: Any, value: Any, classes: Classes) -> list[list[_Part]]:
    """The ways through one node of a parse tree."""
    if operator in (construct.LITERAL, construct.IN):
        return [[_Part(".", (_item(operator, value, classes),))]]
    if operator is construct.BRANCH:
        return [parts for branch in value[1] for parts in _sequences(branch, classes)]
    if operator is construct.SUBPATTERN and not (value[1] or value[2]):
        return _sequences(value[3], classes)
    if operator is construct.MAX_REPEAT and value[:2] == (1, construct.MAXREPEAT) and len(value[2]) == 1:
        ((repeated, character),) = value[2]
        return [[_Part("+", (_item(repeated, character, classes),))]]
    if operator is construct.AT and value in (construct.AT_BEGINNING, construct.AT_END):
        return [[_Part("^" if value is construct.AT_BEGINNING else "$")]]
    if operator in (construct.ASSERT, construct.ASSERT_NOT):
        return _assertion(operator, value[0], value[1], classes)
    raise _unsupported(operator)


def _assertion(operator: Any, direction: int, tree: Any, classes: Classes) -> list[list[_Part]]:
    """A look-behind of a few items that must be there, or a look-ahead of one item."""
    found = _sequences(tree, classes)
    if any(part.kind != "." for parts in found for part in parts):
        raise _unsupported(operator, "more than plain characters inside it")
    items = [tuple(part.items[0] for part in parts) for parts in found]
    if direction < 0:
        if operator is construct.ASSERT_NOT:
            raise _unsupported(operator, "a look-behind that must not be there")
        return [[_Part("<", sequence)] for sequence in items]
    if len(items) != 1 or len(items[0]) != 1:
        raise _unsupported(operator, "a look-ahead of more than one character")
    return [[_Part("=" if operator is construct.ASSERT else "!", items[0])]]


def _alternative(parts: list[_Part], anchor: Anchor) -> Alternative:
    form = "".join(part.kind for part in parts)
    if not re.fullmatch(_FORMS[anchor], form):
        raise _unsupported(f"an alternative of the form '{form}'", f"anchor: {anchor}")
    body = tuple(part.items[0] for part in parts if part.kind in ".+")
    if anchor == "end" and "+" in form and len(set(body)) > 1:
        raise _unsupported("a suffix that repeats one of several characters")
    return Alternative(
        look_behind=next((part.items for part in parts if part.kind == "<"), ()),
        body=body,
        repeats="+" in form,
        look_ahead=next((part.items for part in parts if part.kind in "=!"), ()),
        excluded="!" in form,
    )


def _item(operator: Any, value: Any, classes: Classes) -> Item:
    if operator is construct.LITERAL:
        return IS_CODE_POINT, int(value)
    if operator is construct.IN:
        return IS_CLASS, classes.bit_of(value)
    raise _unsupported(operator)


def _members(elements: Sequence[Any]) -> Members:
    members = np.zeros(CODE_POINTS, np.bool_)
    negated = False
    for operator, value in elements:
        if operator is construct.NEGATE:
            negated = True
        elif operator is construct.LITERAL:
            members[value] = True
        elif operator is construct.RANGE:
            members[value[0] : value[1] + 1] = True
        else:
            raise _unsupported(operator, "inside a character class")
    return ~members if negated else members


def _unsupported(operator: Any, why: str = "") -> UserError:
    return UserError(
        f"A regular expression of the tokenizer has {operator}{f' ({why})' if why else ''}: not supported."
    )
