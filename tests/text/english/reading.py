"""The packaged tables read in plain, slow Python: by `layout` alone, the way that a kernel has to."""

from __future__ import annotations

from curation.text.english.layout import (
    BODY,
    BODY_COUNT,
    BY_PYTHON,
    CODE_POINTS,
    HASH_PRIME,
    HASH_SEED,
    IS_CLASS,
    LONGEST,
    LOOK_AHEAD,
    LOOK_AHEAD_ITEM,
    LOOK_BEHIND,
    LOOK_BEHIND_COUNT,
    OFFSETS,
    REJECT,
    REPEATS,
    SAME,
    SLOT_MASK,
    SLOTS,
    group_of,
)
from curation.text.english.tables import load

PREFIX, SUFFIX, INFIX = range(3)


class StringSet:
    """A string set by its array."""

    def __init__(self, array: list[int]) -> None:
        self.array = array

    def __len__(self) -> int:
        """Strings: their offsets end where their code points begin."""
        return self.array[CODE_POINTS] - self.array[OFFSETS] - 1

    def string(self, number: int) -> str:
        return "".join(map(chr, self.run(OFFSETS, CODE_POINTS, number)))

    def run(self, offsets: int, part: int, number: int) -> list[int]:
        """The numbers of one entry of a part that has offsets."""
        start, stop = self.array[self.array[offsets] + number :][:2]
        return self.array[self.array[part] + start : self.array[part] + stop]

    def may_hold(self, string: str) -> bool:
        """What the filter says that comes before the look-up."""
        array = self.array
        if len(string) > array[LONGEST]:
            return False
        return array[array[REJECT] + len(string) * 64 + (ord(string[0]) & 63)] != 0

    def find(self, string: str) -> int:
        """The number of a string in the set, -1 if it is not there."""
        array = self.array
        if not self.may_hold(string):
            return -1
        value = HASH_SEED
        for code_point in map(ord, string):
            value = (value ^ code_point) * HASH_PRIME % (1 << 64)
        slot = (value ^ (value >> 29)) & array[SLOT_MASK]
        while array[array[SLOTS] + slot] >= 0:
            number = array[array[SLOTS] + slot]
            if self.string(number) == string:
                return number
            slot = (slot + 1) & array[SLOT_MASK]
        return -1


class Reader:
    """The tables as lists."""

    def __init__(self) -> None:
        tables = load()
        self.page = tables.page.tolist()
        self.classes = tables.classes.tolist()
        self.candidates = tables.candidates.tolist()
        self.normal = tables.normal.tolist()
        self.pool = tables.pool.tobytes()
        self.alternatives = tables.alternatives.tolist()
        self.groups = tables.groups.tolist()
        self.specials = StringSet(tables.specials.tolist())
        self.phrases = StringSet(tables.phrases.tolist())

    def entry(self, character: str) -> int:
        return int(self.page[ord(character) >> 8] * 256 + (ord(character) & 255))

    def has_class(self, character: str, bit: int) -> bool:
        return bool(self.classes[self.entry(character)] >> bit & 1)

    def normal_form(self, character: str) -> str | None:
        """None if the character is left to Python."""
        form = self.normal[self.entry(character)]
        if form == SAME:
            return character
        return None if form == BY_PYTHON else self.pool[form >> 5 :][: form & 31].decode()

    def prefix(self, string: str) -> int:
        """Characters of the prefix, 0 none."""
        return next((stop for row in self._rows(string[0], PREFIX) if (stop := self._stop(row, string, 0))), 0)

    def suffix(self, string: str) -> int:
        """Characters of the suffix, 0 none: what begins first, as a search finds it."""
        rows = self._rows(string[-1], SUFFIX)
        for start in range(len(string)):
            if any(self._stop(row, string, start) == len(string) for row in rows):
                return len(string) - start
        return 0

    def infixes(self, string: str) -> list[tuple[int, int]]:
        """Where each infix begins and ends."""
        found = []
        start = 0
        while start < len(string):
            rows = self._rows(string[start], INFIX)
            stop = next((stop for row in rows if (stop := self._stop(row, string, start))), 0)
            if stop:
                found.append((start, stop))
            start = stop or start + 1
        return found

    def _rows(self, character: str, kind: int) -> list[list[int]]:
        group = group_of(self.candidates[self.entry(character)], kind)
        return [self.alternatives[row] for row in self.groups[self.groups[group] : self.groups[group + 1]]]

    def _stop(self, row: list[int], string: str, start: int) -> int:
        """Where an alternative that begins at `start` ends, 0 if it does not match."""
        behind, body = row[LOOK_BEHIND_COUNT], row[BODY_COUNT]
        if start < behind or not self._match(row, LOOK_BEHIND, behind, string[start - behind : start]):
            return 0
        if not self._match(row, BODY, body, string[start : start + body]):
            return 0
        stop = start + body
        while row[REPEATS] and self._match(row, BODY + 2 * (body - 1), 1, string[stop : stop + 1]):
            stop += 1
        follows = self._match(row, LOOK_AHEAD_ITEM, 1, string[stop : stop + 1])
        return 0 if row[LOOK_AHEAD] and follows != (row[LOOK_AHEAD] == 1) else stop

    def _match(self, row: list[int], column: int, count: int, characters: str) -> bool:
        """Whether exactly these characters match `count` items from a column on."""
        if len(characters) != count:
            return False
        items = [row[column + 2 * index : column + 2 * index + 2] for index in range(count)]
        return all(
            self.has_class(character, value) if kind == IS_CLASS else ord(character) == value
            for (kind, value), character in zip(items, characters)
        )
