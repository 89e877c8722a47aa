"""Draws spread over weighted sources, exactly and without a table: draw n is a closed form, and so is its inverse.

Weights become integers that sum to 2^20. A balanced binary tree stands over the sources; at a node with weight `l` of `t`
on its left, the first n draws give `n·l // t` to the left, and draw n goes left if that count rises. The position within a
source is the count itself, so nothing is repeated or left out, and no run of draws strays from the proportions by more
than a few samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

TOTAL = 1 << 20
MOST_DRAWS = 1 << 42  # so that draw x TOTAL fits 63 bits

Indices = npt.NDArray[np.int64]


def whole_weights(weights: Sequence[float]) -> list[int]:
    """Integers that sum to 2^20 in these proportions, by largest remainder, none of them 0.

    Raises ValueError for a weight that is not positive, and for more sources than 2^20.
    """
    if not weights or len(weights) > TOTAL or not all(weight > 0 for weight in weights):
        raise ValueError(f"weights are positive, and there are 1 to {TOTAL} of them")
    exact = [Fraction(weight) for weight in weights]
    shares = [weight * TOTAL / sum(exact) for weight in exact]
    whole = [max(1, int(share)) for share in shares]
    by_remainder = sorted(range(len(whole)), key=lambda k: (whole[k] - shares[k], k))
    for k in by_remainder[: max(0, TOTAL - sum(whole))]:
        whole[k] += 1
    while sum(whole) > TOTAL:  # tiny weights were lifted to 1: the largest pay for it
        whole[whole.index(max(whole))] -= 1
    return whole


class Blend:
    """Draws 0, 1, 2, … over sources 0 … K - 1 in proportion to their weights, which are positive."""

    def __init__(self, weights: Sequence[float]) -> None:
        self.weights = whole_weights(weights)
        self._ends = np.concatenate([[0], np.cumsum(self.weights)]).astype(np.int64)
        self._levels = (len(self.weights) - 1).bit_length()

    def locate(self, draws: npt.ArrayLike) -> tuple[Indices, Indices]:
        """Source of each draw, and its number among that source's draws.

        A leaf halves into nothing and itself, so it stays where it is and all draws take the same number of turns.
        """
        n = np.atleast_1d(np.asarray(draws, dtype=np.int64)).copy()
        if n.size and (n.min() < 0 or n.max() >= MOST_DRAWS):
            raise IndexError(f"draws are 0 to {MOST_DRAWS - 1}")
        low, high = np.zeros_like(n), np.full_like(n, len(self.weights))
        for _ in range(self._levels):
            middle = (low + high) // 2
            left_weight = self._ends[middle] - self._ends[low]
            weight = self._ends[high] - self._ends[low]
            left = n * left_weight // weight
            goes_left = (n + 1) * left_weight // weight > left
            n = np.where(goes_left, left, n - left)
            low, high = np.where(goes_left, low, middle), np.where(goes_left, middle, high)
        return low, n

    def count(self, source: int, draws: int) -> int:
        """How many of the first `draws` draws are of this source."""
        for is_left, left_weight, weight in self._path(source):
            left = draws * left_weight // weight
            draws = left if is_left else draws - left
        return draws

    def number(self, source: int, index: int) -> int:
        """The draw that is number `index` of this source: the inverse of `locate`."""
        for is_left, left_weight, weight in reversed(list(self._path(source))):
            right_weight = weight - left_weight
            index = -(-(index + 1) * weight // left_weight) - 1 if is_left else index * weight // right_weight
        return index

    def _path(self, source: int) -> Iterator[tuple[bool, int, int]]:
        """From the root to the source: whether it is on the left, the left's weight, the node's weight."""
        if not 0 <= source < len(self.weights):
            raise IndexError(f"source {source} of a blend of {len(self.weights)}")
        low, high = 0, len(self.weights)
        while high - low > 1:
            middle = (low + high) // 2
            is_left = source < middle
            yield is_left, int(self._ends[middle] - self._ends[low]), int(self._ends[high] - self._ends[low])
            low, high = (low, middle) if is_left else (middle, high)
