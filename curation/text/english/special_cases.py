"""The special cases of the tokenizer and the tokens that spell them, as sets of strings in flat arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from connectors.errors import UserError
from curation.text.english.layout import (
    CODE_POINTS,
    CONTINUES,
    FIRST_OFFSETS,
    FIRST_PATTERNS,
    FLAGS,
    HASH_PRIME,
    HASH_SEED,
    LONGEST,
    OFFSETS,
    OPENS,
    PATTERN_OFFSETS,
    PATTERN_SPECIAL,
    PATTERN_TOKENS,
    REJECT,
    SET_HEADER,
    SLOT_MASK,
    SLOTS,
    TOKEN_LENGTHS,
    TOKEN_OFFSETS,
    Int32s,
)
from curation.text.english.rules import Rules

_NUMBERS = (SLOT_MASK, LONGEST)  # the parts of a set that are one number and stand in its header
_REJECT_WIDTH = 64


def specials(rules: Rules) -> Int32s:
    """`Tables.specials`, in the order of their code points."""
    strings = sorted(rules.special_cases)
    tokens = [rules.special_cases[string] for string in strings]
    for string, parts in zip(strings, tokens):
        if "".join(parts) != string or any(map(str.isspace, string)):
            raise UserError(
                f"The special case {string!r} of spaCy has white space or other characters than its tokens."
            )
    offsets, lengths = _lists([map(len, parts) for parts in tokens])
    return string_set(strings, {TOKEN_OFFSETS: offsets, TOKEN_LENGTHS: lengths})


def phrases(rules: Rules) -> Int32s:
    """`Tables.phrases`: patterns in the order of the special cases that they spell."""
    specials_order = {string: number for number, string in enumerate(sorted(rules.special_cases))}
    spelled = sorted(rules.phrases)
    patterns = [rules.phrases[string] for string in spelled]
    tokens = sorted({token for pattern in patterns for token in pattern})
    number = {token: index for index, token in enumerate(tokens)}
    opening = {token for pattern in patterns for token in pattern[:-1]}
    continuing = {token for pattern in patterns for token in pattern[1:]}
    begun: list[list[int]] = [[] for _ in tokens]
    for index, pattern in enumerate(patterns):
        begun[number[pattern[0]]].append(index)
    first_offsets, first_patterns = _lists(begun)
    pattern_offsets, pattern_tokens = _lists([[number[token] for token in pattern] for pattern in patterns])
    return string_set(
        tokens,
        {
            FLAGS: [OPENS * (token in opening) | CONTINUES * (token in continuing) for token in tokens],
            FIRST_OFFSETS: first_offsets,
            FIRST_PATTERNS: first_patterns,
            PATTERN_OFFSETS: pattern_offsets,
            PATTERN_TOKENS: pattern_tokens,
            PATTERN_SPECIAL: [specials_order[string] for string in spelled],
        },
    )


def string_set(strings: Sequence[str], extras: dict[int, list[int]]) -> Int32s:
    """A set of distinct strings, none of them empty, in the layout of `layout`, and its extras by their index."""
    slots = _slots(strings)
    longest = max(map(len, strings))
    reject = np.zeros((longest + 1, _REJECT_WIDTH), np.int32)
    for string in strings:
        reject[len(string), ord(string[0]) % _REJECT_WIDTH] = 1
    offsets, code_points = _lists([map(ord, string) for string in strings])
    parts = {
        SLOTS: slots,
        SLOT_MASK: [len(slots) - 1],
        OFFSETS: offsets,
        CODE_POINTS: code_points,
        REJECT: reject.reshape(-1).tolist(),
        LONGEST: [longest],
        **extras,
    }
    flat = [0] * SET_HEADER
    for index, part in sorted(parts.items()):
        flat[index] = part[0] if index in _NUMBERS else len(flat)
        flat += [] if index in _NUMBERS else part
    return np.array(flat, np.int32)


def _slots(strings: Sequence[str]) -> list[int]:
    """Open addressing with six slots a string or more: runs of taken slots stay short."""
    slots = [-1] * (1 << (6 * len(strings) - 1).bit_length())
    for number, string in enumerate(strings):
        slot = _hash(string) % len(slots)
        while slots[slot] >= 0:
            slot = (slot + 1) % len(slots)
        slots[slot] = number
    return slots


def _hash(string: str) -> int:
    value = HASH_SEED
    for code_point in map(ord, string):
        value = (value ^ code_point) * HASH_PRIME & (1 << 64) - 1
    return value ^ value >> 29


def _lists(lists: Iterable[Iterable[int]]) -> tuple[list[int], list[int]]:
    """Lists one after another: where each begins (and the last ends), and their numbers."""
    offsets, numbers = [0], []
    for numbers_of_one in lists:
        numbers += list(numbers_of_one)
        offsets.append(len(numbers))
    return offsets, numbers
