"""The tokenizer's prefixes, suffixes and infixes, and sets of strings: how the tables are read.

A run of text is given by code points [low, high) of a scratch. The tables say for each code point which alternatives of the
regex it can begin or end, in the order in which the regex would try them; only those are tried.
"""

from __future__ import annotations

import numpy as np

from curation.text.english.layout import (
    BODY,
    BODY_COUNT,
    CODE_POINTS,
    HASH_PRIME,
    HASH_SEED,
    IS_CODE_POINT,
    LONGEST,
    LOOK_AHEAD,
    LOOK_AHEAD_ITEM,
    LOOK_BEHIND,
    LOOK_BEHIND_COUNT,
    OFFSETS,
    REJECT,
    REPEATS,
    SLOT_MASK,
    SLOTS,
)
from curation.text.kernels.compiling import Int32s, Int64s, inlined, kernel

U = np.uint64


@inlined
def matches(kind: int, value: int, code_point: int, classes: int) -> bool:
    """Whether a code point is what an item of an alternative asks for."""
    return code_point == value if kind == IS_CODE_POINT else (classes >> value) & 1 == 1


@kernel
def looked_behind(
    alternatives: Int32s, number: int, code_points: Int32s, classes: Int64s, position: int, low: int
) -> bool:
    """Whether what an alternative wants before `position` stands there, inside the run."""
    count = alternatives[number, LOOK_BEHIND_COUNT]
    if count and position - count < low:
        return False
    for item in range(count):
        at = position - count + item
        column = LOOK_BEHIND + 2 * item
        if not matches(alternatives[number, column], alternatives[number, column + 1], code_points[at], classes[at]):
            return False
    return True


@kernel
def match_at(
    alternatives: Int32s, number: int, code_points: Int32s, classes: Int64s, position: int, low: int, high: int
) -> int:
    """Code points that an alternative matches at `position`, 0 if it does not."""
    count = alternatives[number, BODY_COUNT]
    if position + count > high:
        return 0
    for item in range(count):
        at, column = position + item, BODY + 2 * item
        if not matches(alternatives[number, column], alternatives[number, column + 1], code_points[at], classes[at]):
            return 0
    if not looked_behind(alternatives, number, code_points, classes, position, low):
        return 0
    stop = position + count
    if alternatives[number, REPEATS]:
        column = BODY + 2 * (count - 1)
        kind, value = alternatives[number, column], alternatives[number, column + 1]
        while stop < high and matches(kind, value, code_points[stop], classes[stop]):
            stop += 1
    ahead = alternatives[number, LOOK_AHEAD]
    if ahead:
        kind, value = alternatives[number, LOOK_AHEAD_ITEM], alternatives[number, LOOK_AHEAD_ITEM + 1]
        follows = stop < high and matches(kind, value, code_points[stop], classes[stop])
        if follows != (ahead == 1):
            return 0
    return stop - position


@kernel
def prefix_length(
    alternatives: Int32s, groups: Int32s, code_points: Int32s, classes: Int64s, candidates: Int32s, low: int, high: int
) -> int:
    """Code points of the prefix that the run begins with, 0 if none."""
    group = candidates[low] & 1023
    if group:
        for place in range(groups[group], groups[group + 1]):
            length = match_at(alternatives, groups[place], code_points, classes, low, low, high)
            if length:
                return length
    return 0


@kernel
def infix_length(
    alternatives: Int32s,
    groups: Int32s,
    code_points: Int32s,
    classes: Int64s,
    candidates: Int32s,
    position: int,
    low: int,
    high: int,
) -> int:
    """Code points of the infix at `position`, 0 if none."""
    group = (candidates[position] >> 20) & 1023
    if group:
        for place in range(groups[group], groups[group + 1]):
            length = match_at(alternatives, groups[place], code_points, classes, position, low, high)
            if length:
                return length
    return 0


@kernel
def suffix_length(
    alternatives: Int32s, groups: Int32s, code_points: Int32s, classes: Int64s, candidates: Int32s, low: int, high: int
) -> int:
    """Code points of the suffix that the run ends with, 0 if none: a search takes the leftmost start, so the longest."""
    if low >= high:
        return 0
    group = (candidates[high - 1] >> 10) & 1023
    longest = 0
    if group:
        for place in range(groups[group], groups[group + 1]):
            start = suffix_start(alternatives, groups[place], code_points, classes, low, high)
            if start >= 0 and high - start > longest:
                longest = high - start
    return longest


@kernel
def suffix_start(alternatives: Int32s, number: int, code_points: Int32s, classes: Int64s, low: int, high: int) -> int:
    """Where an alternative that ends at `high` begins, -1 if it does not match."""
    count = alternatives[number, BODY_COUNT]
    start = high - count
    if start < low:
        return -1
    for item in range(count - 1, -1, -1):
        at, column = start + item, BODY + 2 * item
        if not matches(alternatives[number, column], alternatives[number, column + 1], code_points[at], classes[at]):
            return -1
    if alternatives[number, REPEATS]:  # its items are alike, so it can begin further to the left
        column = BODY + 2 * (count - 1)
        kind, value = alternatives[number, column], alternatives[number, column + 1]
        while (
            start > low
            and matches(
                alternatives[number, BODY], alternatives[number, BODY + 1], code_points[start - 1], classes[start - 1]
            )
            and matches(kind, value, code_points[start + count - 2], classes[start + count - 2])
        ):
            start -= 1
    if not looked_behind(alternatives, number, code_points, classes, start, low):
        return -1
    return start


@kernel
def find_string(strings: Int32s, code_points: Int32s, low: int, high: int) -> int:
    """The number of a string in a string set, -1 if it is not there. Bounded by the set's longest string."""
    size = high - low
    if size > strings[LONGEST] or strings[strings[REJECT] + size * 64 + (code_points[low] & 63)] == 0:
        return -1
    value = U(HASH_SEED)
    for at in range(low, high):
        value = (value ^ U(code_points[at])) * U(HASH_PRIME)
    value ^= value >> U(29)
    slot = np.int64(value & U(strings[SLOT_MASK]))
    while True:
        found = strings[strings[SLOTS] + slot]
        if found < 0:
            return -1
        if is_string(strings, found, code_points, low, size):
            return np.int64(found)
        slot = (slot + 1) & strings[SLOT_MASK]


@kernel
def is_string(strings: Int32s, number: int, code_points: Int32s, low: int, size: int) -> bool:
    """Whether the run of `size` code points from `low` on is string `number` of the set."""
    offset = strings[strings[OFFSETS] + number]
    if strings[strings[OFFSETS] + number + 1] - offset != size:
        return False
    for at in range(size):
        if strings[strings[CODE_POINTS] + offset + at] != code_points[low + at]:
            return False
    return True
