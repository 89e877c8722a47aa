"""The alternatives of prefixes, suffixes and infixes as arrays, and by which character each is found.

A code point leads to the few alternatives that it can begin or, for suffixes, end. Code points with the same ones share
a group.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from connectors.errors import UserError
from curation.text.english.alternatives import CODE_POINTS, Alternative, Item
from curation.text.english.layout import (
    ALTERNATIVE_WIDTH,
    BODY,
    BODY_COUNT,
    IS_CODE_POINT,
    LOOK_AHEAD,
    LOOK_AHEAD_ITEM,
    LOOK_BEHIND,
    LOOK_BEHIND_COUNT,
    REPEATS,
    Int32s,
)

KINDS = ("prefix", "suffix", "infix")
_BITS = 10  # of a group's number in `Tables.candidates`


def rows(alternatives: Sequence[Alternative]) -> Int32s:
    """`Tables.alternatives`: one row each, in the given order."""
    table = np.zeros((len(alternatives), ALTERNATIVE_WIDTH), np.int32)
    for row, alternative in zip(table, alternatives):
        _put(row, LOOK_BEHIND, BODY_COUNT, alternative.look_behind)
        _put(row, BODY, REPEATS, alternative.body)
        _put(row, LOOK_AHEAD_ITEM, ALTERNATIVE_WIDTH, alternative.look_ahead)
        row[LOOK_BEHIND_COUNT] = len(alternative.look_behind)
        row[BODY_COUNT] = len(alternative.body)
        row[REPEATS] = alternative.repeats
        row[LOOK_AHEAD] = len(alternative.look_ahead) * (2 if alternative.excluded else 1)
    return table


def groups(sets: Sequence[Sequence[Alternative]], classes: npt.NDArray[np.int64]) -> tuple[Int32s, Int32s]:
    """`Tables.candidates` of every code point, and `Tables.groups`.

    `sets` are the alternatives of prefixes, suffixes and infixes, `classes` the class bits of every code point.
    """
    members: list[tuple[int, ...]] = [()]
    candidates = np.zeros(CODE_POINTS, np.int32)
    first = 0
    for kind, alternatives in enumerate(sets):
        found: dict[int, list[int]] = {}
        for number, alternative in enumerate(alternatives, first):
            for code_point in _code_points(alternative.body[-1 if KINDS[kind] == "suffix" else 0], classes):
                found.setdefault(code_point, []).append(number)
        numbers: dict[tuple[int, ...], int] = {}
        for code_point, group in found.items():
            number = numbers.setdefault(tuple(group), len(members))
            if number == len(members):
                members.append(tuple(group))
            candidates[code_point] |= number << (_BITS * kind)
        first += len(alternatives)
    if len(members) > 1 << _BITS:
        raise UserError(f"The affixes of the tokenizer fall into {len(members)} groups: {1 << _BITS} can be numbered.")
    offsets = np.cumsum([len(members) + 1, *map(len, members)])
    return candidates, np.concatenate([offsets, *members]).astype(np.int32)


def _code_points(item: Item, classes: npt.NDArray[np.int64]) -> list[int]:
    kind, value = item
    if kind == IS_CODE_POINT:
        return [value]
    inside: list[int] = np.flatnonzero(classes >> value & 1).tolist()
    return inside


def _put(row: Int32s, start: int, stop: int, items: Sequence[Item]) -> None:
    flat = [number for item in items for number in item]
    if start + len(flat) > stop:
        raise UserError(f"An affix of the tokenizer has {len(items)} characters: {(stop - start) // 2} fit.")
    row[start : start + len(flat)] = flat
