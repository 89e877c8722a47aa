"""Which occurrences of a span are cut out: what splits tell a partition, what it decides, and what that means to each split.

    a split's hashes ─► distinct hashes, each with a weight ─► partition: those that are repeated ─► split: which spans go

A split tells of each hash once, in 10 bytes, however often it occurs: a line that all pages of a crawl share weighs no more
than the number of splits. Partitions are ranges of hashes. Hash 0 is no span.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from curation.dedup.distinct import are_among
from curation.dedup.spans import Hashes, Int64s, SpanRule, UInt64s

UInt16s = npt.NDArray[np.uint16]
Bools = npt.NDArray[np.bool_]

_GROUP = struct.Struct("<I")  # at the beginning of a blob: whom it is from
_TOLD = struct.Struct("<III")  # split, rule, hashes: before hashes (u64) and weights (u16)
_CUT = struct.Struct("<II")  # before hashes (u64): those of which all go, and those of which all but the first
_MOST = np.iinfo(np.uint16).max


class Told(NamedTuple):
    """The distinct hashes of a split, ascending, and what each weighs: documents that have it, or, for a rule that asks for
    a single document, occurrences. 65,535 stands for that many or more."""

    hashes: UInt64s
    weights: UInt16s


class Cuts(NamedTuple):
    """What a partition decides for a split, ascending: hashes of which all occurrences go, and those whose first one stays."""

    all: UInt64s
    but_first: UInt64s


def distinct(spans: Hashes, rule: SpanRule) -> Told:
    """What a split has to tell of its spans."""
    documents = np.repeat(np.arange(len(spans.offsets) - 1), np.diff(spans.offsets))
    order = np.argsort(spans.hashes, kind="stable")
    hashes, documents = spans.hashes[order], documents[order]
    counted = hashes != 0
    if rule.documents > 1:
        counted[1:] &= (hashes[1:] != hashes[:-1]) | (documents[1:] != documents[:-1])
    found, weights = np.unique(hashes[counted], return_counts=True)
    return Told(found, np.minimum(weights, _MOST).astype(np.uint16))


def in_partitions(hashes: UInt64s, partitions: int) -> Int64s:
    """Where in ascending hashes each partition begins, and where the last one ends."""
    firsts = [-(-(number << 64) // partitions) for number in range(1, partitions)]
    return np.concatenate([[0], np.searchsorted(hashes, np.array(firsts, np.uint64)), [len(hashes)]])


def pack_told(group: int, told: Iterable[tuple[int, int, Told]]) -> bytes:
    """A blob: who tells it, and (split, rule, what is told) again and again."""
    parts = [_GROUP.pack(group)]
    for split, rule, (hashes, weights) in told:
        if len(hashes):
            parts += [_TOLD.pack(split, rule, len(hashes)), hashes.tobytes(), weights.tobytes()]
    return b"".join(parts)


def unpack_told(blob: bytes | memoryview) -> tuple[int, list[tuple[int, int, Told]]]:
    """What `pack_told` was given."""
    at, told = _GROUP.size, []
    while at < len(blob):
        split, rule, count = _TOLD.unpack_from(blob, at)
        at += _TOLD.size
        hashes = np.frombuffer(blob, "<u8", count, at)
        weights = np.frombuffer(blob, "<u2", count, at + 8 * count)
        told.append((split, rule, Told(hashes, weights)))
        at += 10 * count
    return _GROUP.unpack_from(blob)[0], told


def decide(told: Sequence[tuple[int, Told]], rule: SpanRule) -> Iterator[tuple[int, Cuts]]:
    """What goes, for each split that has some of it, given what splits tell of one range of hashes, in the order of splits."""
    hashes = np.concatenate([np.zeros(0, np.uint64), *[part.hashes for _, part in told]])
    weights = np.concatenate([np.zeros(0, np.int64), *[part.weights for _, part in told]])
    splits = np.repeat([split for split, _ in told], [len(part.hashes) for _, part in told])
    order = np.argsort(hashes, kind="stable")  # of a hash, the first split that has it comes first
    hashes, weights, splits = hashes[order], weights[order], splits[order]
    is_first = np.concatenate([[True], hashes[1:] != hashes[:-1]])[: len(hashes)]
    begins = np.flatnonzero(is_first)
    if not len(begins):
        return
    totals = np.add.reduceat(weights, begins)
    goes = np.repeat(totals >= max(2, rule.documents), np.diff(begins, append=len(hashes)))
    stays = is_first if rule.keep == "first" else np.zeros(len(hashes), bool)
    if rule.documents == 1:
        goes &= ~(stays & (weights == 1))
    hashes, splits, stays = hashes[goes], splits[goes], stays[goes]
    order = np.argsort(splits, kind="stable")
    hashes, splits, stays = hashes[order], splits[order], stays[order]
    for split in np.unique(splits).tolist():
        here = slice(*np.searchsorted(splits, [split, split + 1]))
        yield split, Cuts(hashes[here][~stays[here]], hashes[here][stays[here]])


def pack_cuts(cuts: Sequence[Cuts]) -> bytes:
    """A split's section of a partition's file: the cuts of each rule."""
    return b"".join(_CUT.pack(*map(len, cut)) + b"".join(hashes.tobytes() for hashes in cut) for cut in cuts)


def unpack_cuts(section: bytes, rules: int) -> list[Cuts]:
    """What `pack_cuts` was given; no cuts for an empty section."""
    at, cuts = 0, []
    for _ in range(rules):
        whole, partly = _CUT.unpack_from(section, at) if section else (0, 0)
        hashes = np.frombuffer(section, "<u8", whole + partly, at + _CUT.size) if section else np.zeros(0, np.uint64)
        cuts.append(Cuts(hashes[:whole], hashes[whole:]))
        at += _CUT.size + 8 * (whole + partly)
    return cuts


def chosen(hashes: UInt64s, cuts: Cuts) -> Bools:
    """Which of a split's spans, in order, are cut out."""
    partly = np.flatnonzero(are_among(hashes, cuts.but_first))
    firsts = partly[np.unique(hashes[partly], return_index=True)[1]]
    goes = are_among(hashes, cuts.all)
    goes[partly] = True
    goes[firsts] = False
    return goes
