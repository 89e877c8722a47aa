"""A run of text into tokens, as spaCy's English tokenizer cuts it.

A run without white space is peeled: prefixes and suffixes are taken off until a special case, a URL or nothing more is left;
what is left is cut at infixes. Special cases that the rules themselves would cut ("a.m.") are then looked for again over the
tokens of the whole run, which may hold single blanks, for such a case may span two chunks.

Source: spaCy 3.8.18, tokenizer.pyx, `Tokenizer._split_affixes`, `_attach_tokens`, `_apply_special_cases`.
"""

from __future__ import annotations

import numpy as np

from curation.text.english.layout import (
    CONTINUES,
    FIRST_OFFSETS,
    FIRST_PATTERNS,
    FLAGS,
    OPENS,
    PATTERN_OFFSETS,
    PATTERN_SPECIAL,
    PATTERN_TOKENS,
    SPACE,
    TOKEN_LENGTHS,
    TOKEN_OFFSETS,
    Tables,
)
from curation.text.kernels.affixes import find_string, infix_length, is_string, prefix_length, suffix_length
from curation.text.kernels.compiling import Bytes, Int32s, kernel
from curation.text.kernels.urls import is_url
from curation.text.kernels.vocabulary import CONTINUES_PHRASE, OPENS_PHRASE, Scratch

# A match of a phrase, four numbers in `Scratch.matches`
FIRST, STOP, PATTERN, STATE = range(4)  # its tokens [first, stop), the pattern
WAITING, REFUSED, KEPT = range(3)


@kernel
def decode(tables: Tables, buffer: Bytes, start: int, size: int, scratch: Scratch) -> int:
    """Code points of a range of UTF-8, with classes, candidates and where each begins; gives their number."""
    at = count = 0
    while at < size:
        byte = np.int64(buffer[start + at])
        scratch.byte_starts[count] = at
        if byte < 0x80:
            code_point = byte
            at += 1
        elif byte < 0xE0:
            code_point = (byte & 0x1F) << 6 | (np.int64(buffer[start + at + 1]) & 0x3F)
            at += 2
        elif byte < 0xF0:
            code_point = (
                (byte & 0x0F) << 12
                | (np.int64(buffer[start + at + 1]) & 0x3F) << 6
                | (np.int64(buffer[start + at + 2]) & 0x3F)
            )
            at += 3
        else:
            code_point = (
                (byte & 0x07) << 18
                | (np.int64(buffer[start + at + 1]) & 0x3F) << 12
                | (np.int64(buffer[start + at + 2]) & 0x3F) << 6
                | (np.int64(buffer[start + at + 3]) & 0x3F)
            )
            at += 4
        entry = tables.page[code_point >> 8] * 256 + (code_point & 255)
        scratch.code_points[count] = code_point
        scratch.classes[count] = tables.classes[entry]
        scratch.candidates[count] = tables.candidates[entry]
        count += 1
    scratch.byte_starts[count] = size
    return count


@kernel
def peel(tables: Tables, scratch: Scratch, start: int, stop: int) -> tuple[int, int, int, int]:
    """Takes prefixes and suffixes off code points [start, stop).

    Gives what is left, [low, high), the number of prefixes, whose ends are in `ends`, and that of suffixes, whose starts are
    in `suffixes`, outermost first.
    """
    points, classes, candidates = scratch.code_points, scratch.classes, scratch.candidates
    low, high, prefixes, suffixes, last = start, stop, 0, 0, -1
    while high > low and high - low != last:
        if find_string(tables.specials, points, low, high) >= 0:
            break
        last = high - low
        prefix = prefix_length(tables.alternatives, tables.groups, points, classes, candidates, low, high)
        if prefix and low + prefix < high and find_string(tables.specials, points, low + prefix, high) >= 0:
            low += prefix
            scratch.ends[prefixes] = low
            prefixes += 1
            break
        suffix = suffix_length(tables.alternatives, tables.groups, points, classes, candidates, low + prefix, high)
        if suffix and high - suffix > low and find_string(tables.specials, points, low, high - suffix) >= 0:
            high -= suffix
            scratch.suffixes[suffixes] = high
            suffixes += 1
            break
        if prefix:
            low += prefix
            scratch.ends[prefixes] = low
            prefixes += 1
        if suffix:
            high -= suffix
            scratch.suffixes[suffixes] = high
            suffixes += 1
    return low, high, prefixes, suffixes


@kernel
def cut_core(tables: Tables, scratch: Scratch, low: int, high: int, count: int) -> int:
    """Cuts what is left between the affixes; appends token ends at `ends[count:]` and gives the new count."""
    ends = scratch.ends
    special = find_string(tables.specials, scratch.code_points, low, high)
    if special >= 0:
        specials, end = tables.specials, low
        for token in range(
            specials[specials[TOKEN_OFFSETS] + special], specials[specials[TOKEN_OFFSETS] + special + 1]
        ):
            end += specials[specials[TOKEN_LENGTHS] + token]
            ends[count] = end
            count += 1
        return count
    if is_url(scratch.code_points, scratch.classes, low, high):
        ends[count] = high
        return count + 1
    start = at = low
    while at < high:
        length = infix_length(
            tables.alternatives,
            tables.groups,
            scratch.code_points,
            scratch.classes,
            scratch.candidates,
            at,
            low,
            high,
        )
        if length == 0:
            at += 1
            continue
        if at != low:  # an infix at the very beginning is none
            if at != start:
                ends[count] = at
                count += 1
            ends[count] = at + length
            count += 1
            start = at + length
        at += length
    if start < high:
        ends[count] = high
        count += 1
    return count


@kernel
def cut(tables: Tables, scratch: Scratch, start: int, stop: int) -> int:
    """Cuts a run without white space; its tokens' ends are in `Scratch.ends`, their number is given."""
    low, high, count, suffixes = peel(tables, scratch, start, stop)
    if high > low:
        count = cut_core(tables, scratch, low, high, count)
    for place in range(suffixes - 1, -1, -1):
        scratch.ends[count] = stop if place == 0 else scratch.suffixes[place - 1]
        count += 1
    return count


@kernel
def cut_run(tables: Tables, scratch: Scratch, size: int) -> tuple[int, int, int]:
    """Cuts a decoded run of `size` code points that may hold single blanks.

    Gives the number of tokens, in `token_starts` and `token_ends`, how many phrases matched, and the marks OPENS_PHRASE and
    CONTINUES_PHRASE, which look at the tokens before phrases are applied.
    """
    starts, ends = scratch.token_starts, scratch.token_ends
    count = at = 0
    while at < size:
        if (scratch.classes[at] >> SPACE) & 1:
            at += 1
            continue
        stop = at
        while stop < size and not (scratch.classes[stop] >> SPACE) & 1:
            stop += 1
        tokens = cut(tables, scratch, at, stop)
        for token in range(tokens):
            starts[count] = at
            ends[count] = scratch.ends[token]
            at = scratch.ends[token]
            count += 1
        at = stop
    marks = 0
    phrases, points = tables.phrases, scratch.code_points
    found = find_string(phrases, points, starts[count - 1], ends[count - 1])
    if found >= 0 and phrases[phrases[FLAGS] + found] & OPENS:
        marks |= OPENS_PHRASE
    found = find_string(phrases, points, starts[0], ends[0])
    if found >= 0 and phrases[phrases[FLAGS] + found] & CONTINUES:
        marks |= CONTINUES_PHRASE
    for token in range(count):
        if find_string(phrases, points, starts[token], ends[token]) >= 0:
            matched = find_phrases(tables.phrases, scratch, count)
            if matched:
                keep_longest(scratch, count, matched)
                count = replace_phrases(tables, scratch, count)
            return count, matched, marks
    return count, 0, marks


@kernel
def find_phrases(phrases: Int32s, scratch: Scratch, count: int) -> int:
    """All places where the tokens of a pattern stand one after another; gives their number, in `matches`."""
    matches = scratch.matches
    room, matched = len(matches) // 4, 0
    for first in range(count):
        token = find_string(phrases, scratch.code_points, scratch.token_starts[first], scratch.token_ends[first])
        if token < 0:
            continue
        for place in range(phrases[phrases[FIRST_OFFSETS] + token], phrases[phrases[FIRST_OFFSETS] + token + 1]):
            pattern = phrases[phrases[FIRST_PATTERNS] + place]
            begin, stop = phrases[phrases[PATTERN_OFFSETS] + pattern], phrases[phrases[PATTERN_OFFSETS] + pattern + 1]
            if first + stop - begin > count or matched >= room:
                continue
            equal = True
            for item in range(begin, stop):
                at = first + item - begin
                size = scratch.token_ends[at] - scratch.token_starts[at]
                wanted = phrases[phrases[PATTERN_TOKENS] + item]
                if not is_string(phrases, wanted, scratch.code_points, scratch.token_starts[at], size):
                    equal = False
                    break
            if equal:
                row = 4 * matched
                matches[row + FIRST], matches[row + STOP] = first, first + stop - begin
                matches[row + PATTERN], matches[row + STATE] = pattern, WAITING
                matched += 1
    return matched


@kernel
def keep_longest(scratch: Scratch, count: int, matched: int) -> None:
    """Chooses among overlapping matches the longest, then the leftmost; a refused one claims its tokens as well.

    Leaves in `ends[token]` 2 + the match that is kept and begins there, else 0 or 1.
    """
    matches, claimed = scratch.matches, scratch.ends
    for token in range(count):
        claimed[token] = 0
    longest = 0
    for row in range(0, 4 * matched, 4):
        longest = max(longest, matches[row + STOP] - matches[row + FIRST])
    for length in range(longest, 0, -1):
        for row in range(0, 4 * matched, 4):
            first, stop = matches[row + FIRST], matches[row + STOP]
            if stop - first != length:
                continue
            free = claimed[first] == 0 and claimed[stop - 1] == 0
            matches[row + STATE] = KEPT if free else REFUSED
            for token in range(first, stop):
                claimed[token] = 1
    for match in range(matched):
        if matches[4 * match + STATE] == KEPT:
            claimed[matches[4 * match + FIRST]] = 2 + match


@kernel
def replace_phrases(tables: Tables, scratch: Scratch, count: int) -> int:
    """Puts the tokens of the special case in place of each kept match without a blank inside; gives the new count."""
    phrases, specials = tables.phrases, tables.specials
    starts, ends, claimed, matches = scratch.token_starts, scratch.token_ends, scratch.ends, scratch.matches
    spare = len(starts) // 2  # the new tokens are written behind the old ones, then copied back
    token = written = 0
    while token < count:
        match = claimed[token] - 2
        stop = matches[4 * match + STOP] if match >= 0 else token + 1
        solid = match >= 0
        for at in range(token, stop - 1):
            if ends[at] != starts[at + 1]:
                solid = False
        if solid:
            special = phrases[phrases[PATTERN_SPECIAL] + matches[4 * match + PATTERN]]
            position = starts[token]
            offsets = specials[TOKEN_OFFSETS] + special
            for part in range(specials[offsets], specials[offsets + 1]):
                starts[spare + written] = position
                position += specials[specials[TOKEN_LENGTHS] + part]
                ends[spare + written] = position
                written += 1
        else:
            for at in range(token, stop):
                starts[spare + written] = starts[at]
                ends[spare + written] = ends[at]
                written += 1
        token = stop
    for at in range(written):
        starts[at] = starts[spare + at]
        ends[at] = ends[spare + at]
    return written
