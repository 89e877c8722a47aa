"""A keyed bijection of [0, size), evaluated and inverted at any point: an order of billions of chunks without a table.

An alternating Feistel network over Z_a x Z_b, with a·b just above the size, that walks on where it leaves the range
(Black and Rogaway, "Ciphers with Arbitrary Finite Domains", 2002, sections 4 and 5). The rounds are the finaliser of
splitmix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014).

Twelve rounds, because the orders of a few items come out unevenly with fewer. An affine round (x·c + k mod 2^r) would be
cheaper and is no substitute: its low bit is linear, and neighbouring samples then keep their parity.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

ROUNDS = 12
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)

Words = npt.NDArray[np.uint64]
Indices = npt.NDArray[np.int64]


def key(*parts: int | str) -> int:
    """64 bits that depend on each of the parts and on their order, the same on every machine."""
    digest = hashlib.blake2b("\0".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def mix64(words: Words) -> Words:
    """The finaliser of splitmix64, a bijection of 64-bit words. Takes arrays, not scalars: it relies on wrapping round."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


class Permutation:
    """A bijection of [0, size) chosen by `key`. Time grows with the rounds alone; expected walks are just above one.

    size  1 to 2^60
    key   any 64 bits
    """

    def __init__(self, size: int, key: int, rounds: int = ROUNDS) -> None:
        if not 1 <= size <= 1 << 60:
            raise ValueError(f"a permutation of {size} items: 1 to 2^60 are possible")
        self.size = size
        rows = math.isqrt(size - 1) + 1
        self._a, self._b = np.uint64(rows), np.uint64(-(-size // rows))
        counters = np.arange(1, rounds + 1, dtype=np.uint64)
        self._keys = list(mix64(counters * _GOLDEN + np.uint64(key)))

    def __call__(self, indices: npt.ArrayLike) -> Indices:
        """Where each index goes. Indices outside [0, size) raise IndexError; the result is one-dimensional at least."""
        return self._walk(self._forward, indices)

    def inverse(self, indices: npt.ArrayLike) -> Indices:
        """Where each index came from: `inverse(self(x)) == x`."""
        return self._walk(self._backward, indices)

    def _walk(self, turn: Callable[[Words], Words], indices: npt.ArrayLike) -> Indices:
        given = np.atleast_1d(np.asarray(indices, dtype=np.int64))
        if given.size and (given.min() < 0 or given.max() >= self.size):
            raise IndexError(f"index outside the permutation's {self.size} items")
        words = turn(given.astype(np.uint64))
        while (outside := words >= self.size).any():
            words[outside] = turn(words[outside])
        return words.astype(np.int64)

    def _forward(self, words: Words) -> Words:
        left, right = words // self._b, words % self._b
        for number, round_key in enumerate(self._keys):
            if number % 2 == 0:
                left = (left + mix64(right ^ round_key) % self._a) % self._a
            else:
                right = (right + mix64(left ^ round_key) % self._b) % self._b
        return left * self._b + right

    def _backward(self, words: Words) -> Words:
        left, right = words // self._b, words % self._b
        for number, round_key in reversed(list(enumerate(self._keys))):
            if number % 2 == 0:
                left = (left + self._a - mix64(right ^ round_key) % self._a) % self._a
            else:
                right = (right + self._b - mix64(left ^ round_key) % self._b) % self._b
        return left * self._b + right
