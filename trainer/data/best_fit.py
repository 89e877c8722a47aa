"""Best-fit decreasing, of lengths that are counted: the longest first, each into the fullest bin that still has room for it.

The packing of Ding et al., "Fewer Truncations Improve Language Modeling" (ICML 2024), section 3. Items of one length are alike, and
so are bins that were filled alike, so both are handled by the group: a bin with room for k items of the length that is next takes
all k of them before another bin is the fullest, and so does the whole group behind it. What it costs grows with the number of
lengths, not of items: a length opens one group and splits two at most, and a group's room at least halves when it is filled.

Of bins with the same room the one goes first that has had it longest.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple


class Share(NamedTuple):
    """What each bin of a group has of one length: bin j the items `rank + j·times` to `rank + (j + 1)·times - 1`."""

    length: int
    times: int
    rank: int


class Alike(NamedTuple):
    """Bins `first` to `first + size - 1`, in the order in which they were opened, with the same lengths, descending."""

    first: int
    size: int
    shares: tuple[Share, ...]

    def part(self, low: int, high: int) -> Alike:
        """Bins `low` to `high - 1` of these."""
        shares = tuple(share._replace(rank=share.rank + low * share.times) for share in self.shares)
        return Alike(self.first + low, high - low, shares)

    def with_share(self, share: Share) -> Alike:
        """The bins with more in them."""
        return self._replace(shares=(*self.shares, share))


class _Open:
    """Bins by the room that is left in them."""

    def __init__(self) -> None:
        self._rooms: list[int] = []  # ascending
        self._bins: dict[int, deque[Alike]] = {}

    def put(self, room: int, bins: Alike) -> None:
        if room not in self._bins:
            insort(self._rooms, room)
            self._bins[room] = deque()
        self._bins[room].append(bins)

    def put_back(self, room: int, bins: Alike) -> None:
        """Bins that were taken and not filled: they are first again."""
        self.put(room, bins)
        self._bins[room].rotate(1)

    def take(self, length: int) -> tuple[int, Alike] | None:
        """The room of the fullest bins that have room for a length, and the first group of them."""
        at = bisect_left(self._rooms, length)
        if at == len(self._rooms):
            return None
        room = self._rooms[at]
        bins = self._bins[room].popleft()
        if not self._bins[room]:
            del self._bins[room], self._rooms[at]
        return room, bins

    def all(self) -> list[Alike]:
        return [bins for group in self._bins.values() for bins in group]


def best_fit(counts: Sequence[int], capacity: int) -> list[Alike]:
    """Bins of a capacity for so many items of each length, in the order in which they are opened.

    counts  of the lengths 0, 1, 2, … up to the capacity; those of length 0 take no room and are in no bin
    """
    opened, bins = 0, _Open()
    for length in range(len(counts) - 1, 0, -1):
        rank, count = 0, counts[length]
        while rank < count:
            found = bins.take(length)
            if found is None:
                needed = -(-(count - rank) // (capacity // length))
                found = capacity, Alike(opened, needed, ())
                opened += needed
            room, group = found
            times = room // length
            filled = min(group.size, (count - rank) // times)
            if filled:
                share = Share(length, times, rank)
                bins.put(room - times * length, group.part(0, filled).with_share(share))
                rank += filled * times
            if filled < group.size and rank < count:  # the last items do not fill a bin
                last = Share(length, count - rank, rank)
                bins.put(room - last.times * length, group.part(filled, filled + 1).with_share(last))
                rank, filled = count, filled + 1
            if filled < group.size:
                bins.put_back(room, group.part(filled, group.size))
    return sorted(bins.all())
