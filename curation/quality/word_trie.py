"""Finds the entries of a word list in a text, all of them in one pass over its bytes.

The entries are a trie over their UTF-8; at each place where one may begin the trie is walked as far as the text goes
along with it. A place costs at most the longest entry, so the time is linear in the text, whatever it says.
"""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Table = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class WordTrie:
    """A list of words. `classes`: a class for each byte, 0 for those in no entry; `table`: [state, class] → state, 0 for
    none; `ends`: the states in which an entry ends."""

    classes: Bytes
    table: Table
    ends: Flags

    @classmethod
    def of(cls, entries: Iterable[str]) -> WordTrie:
        """The trie of these entries; an empty one is left out."""
        encoded = sorted({entry.encode() for entry in entries} - {b""})
        used = sorted({byte for entry in encoded for byte in entry})
        classes = np.zeros(256, np.uint8)
        classes[used] = np.arange(1, len(used) + 1)
        following: list[dict[int, int]] = [{}]
        ends: set[int] = set()
        for entry in encoded:
            state = 0
            for byte in entry:
                if byte not in following[state]:
                    following[state][byte] = len(following)
                    following.append({})
                state = following[state][byte]
            ends.add(state)
        table = np.zeros((len(following), len(used) + 1), np.int32)
        for state, branches in enumerate(following):
            for byte, target in branches.items():
                table[state, classes[byte]] = target
        return cls(classes, table, np.array([state in ends for state in range(len(following))]))

    def count(self, string: str, whole_words: bool) -> int:
        """The places at which an entry begins; with `whole_words` only of one that no word character stands next to.

        A word character is what `\\w` of Python's `re` matches.
        """
        content = np.frombuffer(string.encode(), np.uint8)
        return int(_count(content, self.classes, self.table, self.ends, _word_characters(), whole_words))


@functools.cache
def _word_characters() -> Bytes:
    """1 for each code point that is a word character: 1.1 MB, once a worker."""
    return np.array([c == ord("_") or chr(c).isalnum() for c in range(0x110000)], np.uint8)


@numba.njit(cache=True)
def _count(content: Bytes, classes: Bytes, table: Table, ends: Flags, word: Bytes, whole: bool) -> int:
    found = 0
    position = 0
    open_place = True
    while position < len(content):
        byte = content[position]
        if (open_place or not whole) and table[0, classes[byte]]:
            found += _begins(content, position, classes, table, ends, word, whole)
        if byte < 0x80:
            open_place = word[byte] == 0
            position += 1
        else:
            point, position = _character(content, position)
            open_place = word[point] == 0
    return found


@numba.njit(cache=True)
def _begins(content: Bytes, position: int, classes: Bytes, table: Table, ends: Flags, word: Bytes, whole: bool) -> bool:
    """Whether an entry begins here; longer ones are tried after shorter ones that go on as a word."""
    state = 0
    while position < len(content):
        state = table[state, classes[content[position]]]
        if state == 0:
            return False
        position += 1
        if ends[state] and (not whole or position == len(content) or word[_character(content, position)[0]] == 0):
            return True
    return False


@numba.njit(cache=True)
def _character(content: Bytes, position: int) -> tuple[int, int]:
    """The code point at a position of valid UTF-8, and the position behind it."""
    first = int(content[position])
    if first < 0x80:
        return first, position + 1
    size = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
    point = first & (0x7F >> size)
    for place in range(position + 1, position + size):
        point = point << 6 | int(content[place]) & 0x3F
    return point, position + size
