"""Signatures without texts, made by document number, whose duplicates are known: what deduplication is held against at scale.

Any range of documents can be made at any place, without what lies before. A document's position is a permutation of its number,
so those that are alike lie anywhere. The positions `special` and following are `plain`: in each hundred 50 documents without
like, 10 pairs, 5 fours and a ten. The first of a cluster is its centre; each other member agrees with it in every value with a
probability that is the cluster's level, so that is their Jaccard similarity, and its square that of two other members. The
positions before `special` are one of

    plain        nothing else
    boilerplate  one page, whose texts differ in what no shingle shows: all in one bucket of every band
    identical    one text
    hub          a template that all share (48 of 112 values), and groups of ten that share more (Jaccard 0.857 with their first)
    chain        each similar to its neighbours: 1 - d / 10 at d places
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

VALUES = 112  # of a signature
SHINGLES = 360  # of a document: about what a page has
KINDS = ("plain", "boilerplate", "identical", "hub", "chain")
PLAIN, BOILERPLATE, IDENTICAL, HUB, CHAIN = range(len(KINDS))

Array = npt.NDArray[Any]

U = np.uint64
_BLOCK = 100
_SIZES = [1] * 50 + [2] * 10 + [4] * 5 + [10]
_CLUSTER = np.repeat(np.arange(len(_SIZES)), _SIZES)  # of a place in its block
_MEMBER = np.concatenate([np.arange(size) for size in _SIZES])
_LEVELS = np.array([0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0])
_TEMPLATE, _GROUP, _GROUP_LEVEL = 48, 10, 0.75
_WIDTH = 10  # of the chain
_ALIKE_WITHIN = 10  # places: no two documents further apart are similar, boilerplate aside
_NO_LIKENESS = 1e-9  # similarities are compared with a target to this precision


@dataclass(frozen=True)
class Planted:
    """A corpus of so many documents, the first `special` positions of which are of this kind."""

    documents: int
    kind: str = "plain"
    special: int = 0

    @property
    def _facts(self) -> tuple[int, int, int, int]:
        half = 1
        while 1 << (2 * half) < self.documents:
            half += 1
        return self.documents, half, KINDS.index(self.kind), min(self.special, self.documents)

    def keys(self, first: int, stop: int, bands: int, rows: int) -> Array:
        """A key for each band of the documents, uint64[documents, bands]."""
        assert bands * rows <= VALUES
        found = np.empty((stop - first, bands), np.uint64)
        _fill_keys(first, *self._facts, rows, found)
        return found

    def agreement(self, first: int, stop: int) -> Array:
        """The low eight bits of the documents' values, uint8[documents, VALUES]."""
        found = np.empty((stop - first, VALUES), np.uint8)
        _fill_agreement(first, *self._facts, found)
        return found

    def text_hashes(self, first: int, stop: int) -> Array:
        """Sixteen bytes a document, equal where the texts are, uint64[documents, 2]."""
        found = np.empty((stop - first, 2), np.uint64)
        _fill_text_hashes(first, *self._facts, found)
        return found

    def similarity(self, one: Array, other: Array) -> Array:
        """The true Jaccard similarity of pairs of documents, given by number."""
        found = np.empty(len(one), np.float64)
        _fill_similarity(one.astype(np.int64), other.astype(np.int64), *self._facts, found)
        return found

    def sketches(self, documents: Array) -> Array:
        """Shingle hashes of documents given by number, uint32[documents, SHINGLES], ascending.

        Sets whose Jaccard similarities are on the same side of 0.8 as `similarity`, and from 0.7 on within 0.02 of it.
        """
        found = np.empty((len(documents), SHINGLES), np.uint32)
        _fill_sketches(documents.astype(np.int64), *self._facts, found)
        return found

    def missed(self, kept: Array, target: float) -> tuple[int, int]:
        """Pairs of documents that are similar by `target` or more, and of how many both are kept (bool or uint8, by number)."""
        pairs, missed = _count_missed(kept.astype(np.uint8), *self._facts, target - _NO_LIKENESS)
        return int(pairs), int(missed)


@numba.njit(inline="always")
def _mixed(x):  # type: ignore[no-untyped-def]
    x = U(x) + U(0x9E3779B97F4A7C15)
    x = (x ^ (x >> U(30))) * U(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> U(27))) * U(0x94D049BB133111EB)
    return x ^ (x >> U(31))


@numba.njit(inline="always")
def _round(x, number, mask):  # type: ignore[no-untyped-def]
    return np.int64(_mixed(U(x) + U(number) * U(0xD6E8FEB86659FD93)) >> U(20)) & mask


@numba.njit
def _position(document, documents, half):  # type: ignore[no-untyped-def]
    """Three rounds of a Feistel network, again and again until the result is one of the positions."""
    mask = (np.int64(1) << half) - 1
    x = np.int64(document)
    while True:
        left, right = x >> half, x & mask
        for number in range(3):
            left, right = right, left ^ _round(right, number, mask)
        x = (left << half) | right
        if x < documents:
            return x


@numba.njit
def _document(position, documents, half):  # type: ignore[no-untyped-def]
    """The document at a position: the rounds backwards."""
    mask = (np.int64(1) << half) - 1
    x = np.int64(position)
    while True:
        left, right = x >> half, x & mask
        for number in range(2, -1, -1):
            left, right = right ^ _round(left, number, mask), left
        x = (left << half) | right
        if x < documents:
            return x


@numba.njit
def _cluster_hash(position):  # type: ignore[no-untyped-def]
    cluster = position // _BLOCK * 128 + _CLUSTER[position % _BLOCK]
    return _mixed(U(cluster) ^ U(0x5BD1E9955BD1E995))


@numba.njit
def _level(position):  # type: ignore[no-untyped-def]
    return _LEVELS[np.int64(_cluster_hash(position) % U(len(_LEVELS)))]


@numba.njit
def _fill_values(document, documents, half, kind, special, values):  # type: ignore[no-untyped-def]
    position = _position(document, documents, half)
    own = _mixed(U(document) ^ U(0x1234567887654321))
    is_special = position < special
    if is_special and kind == HUB:
        shared, level = _mixed(U(position // _GROUP) + U(99)), _GROUP_LEVEL
        is_centre = position % _GROUP == 0
    else:
        shared, level = _cluster_hash(position), _level(position)
        is_centre = _MEMBER[position % _BLOCK] == 0
    limit = U(level * 4294967296.0)
    for k in range(len(values)):
        salt = U(k) * U(0xD6E8FEB86659FD93)
        if is_special and (kind in (BOILERPLATE, IDENTICAL) or (kind == HUB and k < _TEMPLATE)):
            values[k] = _mixed(salt + U(77))
        elif is_special and kind == CHAIN:
            values[k] = _mixed(salt + U((position + k) // _WIDTH * 2 + 1))
        elif is_centre or level >= 1 or (_mixed(own + salt) >> U(32)) < limit:
            values[k] = _mixed(shared ^ salt)
        else:
            values[k] = _mixed(own ^ salt)


@numba.njit(cache=True)
def _fill_keys(first, documents, half, kind, special, rows, keys):  # type: ignore[no-untyped-def]
    values = np.empty(keys.shape[1] * rows, np.uint64)
    for row in range(len(keys)):
        _fill_values(first + row, documents, half, kind, special, values)
        for band in range(keys.shape[1]):
            key = U(band) * U(0x9E3779B97F4A7C15) + U(rows)
            for k in range(band * rows, (band + 1) * rows):
                key = (key ^ values[k]) * U(0xFF51AFD7ED558CCD)
                key ^= key >> U(32)
            keys[row, band] = _mixed(key)


@numba.njit(cache=True)
def _fill_agreement(first, documents, half, kind, special, agreement):  # type: ignore[no-untyped-def]
    values = np.empty(agreement.shape[1], np.uint64)
    for row in range(len(agreement)):
        _fill_values(first + row, documents, half, kind, special, values)
        for k in range(len(values)):
            agreement[row, k] = np.uint8(values[k] & U(255))


@numba.njit(cache=True)
def _fill_text_hashes(first, documents, half, kind, special, hashes):  # type: ignore[no-untyped-def]
    for row in range(len(hashes)):
        document = np.int64(first + row)
        if kind == IDENTICAL and _position(document, documents, half) < special:
            document = np.int64(-1)
        hashes[row, 0] = _mixed(U(document) ^ U(0x7E57))
        hashes[row, 1] = _mixed(U(document) ^ U(0x7E58))


@numba.njit(cache=True)
def _fill_sketches(chosen, documents, half, kind, special, sketches):  # type: ignore[no-untyped-def]
    """The shingle at place k is larger than the one at k - 1: its place is in the high bits."""
    for row in range(len(chosen)):
        position = _position(chosen[row], documents, half)
        own, shared, level = U(0), U(0), 1.0  # one page for all
        member, common = 0, 0
        if position < special and kind == HUB:
            member, common = (
                position % _GROUP,
                SHINGLES * 3 // 5,
            )  # of a template that is 3/7 of two pages of different groups
            shared, level = U(position // _GROUP), (_TEMPLATE + (VALUES - _TEMPLATE) * _GROUP_LEVEL) / VALUES
        elif position >= special or kind == PLAIN:
            member, shared, level = _MEMBER[position % _BLOCK], _cluster_hash(position), _level(position)
        own = _mixed(U(chosen[row]) ^ U(0x1234567887654321))
        changed = np.int64(
            round(SHINGLES * (1 - level) / (1 + level))
        )  # of a member's shingles, others than of the next
        begin = (member - 1) * changed % SHINGLES
        for k in range(SHINGLES):
            if position < special and kind == CHAIN:
                sketches[row, k] = np.uint32(position * SHINGLES // 18 + k)  # a window that slides
                continue
            source = U(99) if k < common else shared
            behind = k - begin if k >= begin else k - begin + SHINGLES
            if member > 0 and behind < changed:
                source = own
            mixed = (source ^ U(k)) * U(0xD6E8FEB86659FD93)
            sketches[row, k] = np.uint32((U(k) << U(23)) | (mixed >> U(41)))


@numba.njit
def _likeness(one, other, kind, special):  # type: ignore[no-untyped-def]
    """The Jaccard similarity of the documents at two positions, one < other."""
    if one < special and kind != PLAIN:
        if other >= special:
            return 0.0
        if kind in (BOILERPLATE, IDENTICAL):
            return 1.0
        if kind == CHAIN:
            return max(0.0, 1 - (other - one) / _WIDTH)
        level = _GROUP_LEVEL if one % _GROUP == 0 else _GROUP_LEVEL * _GROUP_LEVEL
        if one // _GROUP != other // _GROUP:
            level = 0.0
        return (_TEMPLATE + (VALUES - _TEMPLATE) * level) / VALUES
    if one // _BLOCK != other // _BLOCK or _CLUSTER[one % _BLOCK] != _CLUSTER[other % _BLOCK]:
        return 0.0
    level = _level(one)
    return level if _MEMBER[one % _BLOCK] == 0 else level * level


@numba.njit(cache=True)
def _fill_similarity(ones, others, documents, half, kind, special, found):  # type: ignore[no-untyped-def]
    for row in range(len(ones)):
        one, other = _position(ones[row], documents, half), _position(others[row], documents, half)
        found[row] = _likeness(min(one, other), max(one, other), kind, special)


@numba.njit(cache=True)
def _count_missed(kept, documents, half, kind, special, least):  # type: ignore[no-untyped-def]
    pairs = missed = 0
    alike = special if kind in (BOILERPLATE, IDENTICAL) else 0
    left = 0
    for position in range(documents):
        is_kept = kept[_document(position, documents, half)] == 1
        if position < alike:
            pairs += position
            missed += left if is_kept else 0
            left += 1 if is_kept else 0
            continue
        for other in range(position + 1, min(position + _ALIKE_WITHIN, documents)):
            if _likeness(position, other, kind, special) >= least:
                pairs += 1
                if is_kept and kept[_document(other, documents, half)] == 1:
                    missed += 1
    return pairs, missed
