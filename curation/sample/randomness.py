"""Random draws that depend on a key and nothing else: the same on every machine, in any order of pages."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

import xxhash

T = TypeVar("T")


def key_of(*parts: int | str) -> int:
    """64 bits from the parts (xxh3 of them joined by a NUL)."""
    key: int = xxhash.xxh3_64_intdigest("\0".join(map(str, parts)))
    return key


class Draws:
    """A stream of draws for one key, such as `Draws(seed, page, "prose")`.

    Only `random()` of Python's Mersenne Twister is used: its sequence for an integer seed is promised to stay the same
    from version to version, which the other methods' is not.
    """

    __slots__ = ("unit",)

    def __init__(self, *parts: int | str) -> None:
        self.unit = random.Random(key_of(*parts)).random  # a float in [0, 1)

    def below(self, stop: int) -> int:
        """A whole number in [0, stop)."""
        return int(self.unit() * stop)

    def between(self, low: int, high: int) -> int:
        """A whole number in [low, high], both ends included."""
        return low + int(self.unit() * (high - low + 1))

    def choice(self, items: Sequence[T]) -> T:
        """One of the items."""
        return items[int(self.unit() * len(items))]

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.unit() < probability

    def several(self, items: Sequence[T], count: int) -> list[T]:
        """`count` different items in drawn order; all of them where there are fewer."""
        pool = list(items)
        return [pool.pop(int(self.unit() * len(pool))) for _ in range(min(count, len(pool)))]
