"""How keys travel: for each partition a blob with the keys of many documents, 6 bytes a key.

A blob has STRIPES stripes, each with the keys of its share of the partition, so that whoever looks for equal ones needs to look
in no more memory than a core's cache holds, and still has few blobs to fetch. A stripe is

    header · lows u32 · gaps u16 · classes u16 · checks u64

where lows are the lowest 32 bits of the keys, and gaps those of the documents' rows beside 8 bits more of the key
(kernels/packing.py). Each section begins at a multiple of eight bytes. Classes are left out where all documents have the same.

So keys of a stripe that agree in 40 bits meet, which of a million different ones one pair in two stripes does: a candidate like
others, where candidates are compared. Where they are not, checks tell keys apart, and are left out else.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from curation.dedup.kernels.packing import CHECKS, CLASSES, GAPS, KEYS, count_keys, place_keys

UInt64s = npt.NDArray[np.uint64]
UInt16s = npt.NDArray[np.uint16]
UInt32s = npt.NDArray[np.uint32]
Int64s = npt.NDArray[np.int64]

NUMBER_BITS = 48  # of a rank; the class stands above
_NUMBER = np.uint64((1 << NUMBER_BITS) - 1)
_CLASS = np.uint64(NUMBER_BITS)
_HEADER = struct.Struct("<QQQII")  # first number, keys, gaps, the class of all, what follows
_CLASSED, _CHECKED = 1, 2
_WORD = 8
STRIPES = 4
_KINDS: dict[int, Any] = {KEYS: np.uint32, GAPS: np.uint16, CLASSES: np.uint16, CHECKS: np.uint64}  # of the sections
_SIZES = {section: np.dtype(kind).itemsize for section, kind in _KINDS.items()}


def ranks_of(numbers: UInt64s, classes: UInt16s) -> UInt64s:
    """The order in which documents are preferred: by policy class, then by number. The smaller stays."""
    return numbers | (classes.astype(np.uint64) << _CLASS)


def numbers_of(ranks: UInt64s) -> UInt64s:
    """The documents' numbers."""
    return ranks & _NUMBER


class Documents(NamedTuple):
    """Some of the documents of an array of keys. Keys and checks may be views of a file: they are not copied.

    rows     of the documents, ascending; one may come again with other keys
    classes  policy class of each
    places   where each stands in `keys` and `checks`
    keys     uint64[…, keys of each]
    checks   uint64[…, keys of each], a second word of each key that must be equal too; or uint64[…, 0]
    """

    rows: Int64s
    classes: UInt16s
    places: Int64s
    keys: UInt64s
    checks: UInt64s


def pack(first: int, documents: Sequence[Documents], partitions: int) -> Iterator[tuple[int, memoryview]]:
    """The blobs, (partition, blob), in ascending order; rows count from the number `first`. Memory: 6 to 16 bytes a key.

    The blobs are views of one buffer.
    """
    stripes = partitions * STRIPES
    key_counts, gap_counts, last = (np.zeros(stripes, np.int64) for _ in range(3))
    for some in documents:
        count_keys(some.keys, some.places, some.rows, stripes, key_counts, gap_counts, last)
    classes = np.concatenate([np.zeros(0, np.uint16), *(some.classes for some in documents)])
    mixed = len(classes) > 0 and bool((classes != classes[0]).any())
    checked = any(some.checks.shape[1] for some in documents)
    counts = np.stack([key_counts, gap_counts, key_counts * mixed, key_counts * checked])
    begins, ends = _sections(counts)
    buffer = np.empty(int(ends[-1]) // _WORD, np.uint64)
    content, lows, shorts = (buffer.view(kind) for kind in (np.uint8, np.uint32, np.uint16))
    moving, last[:] = begins // np.array([[size] for size in _SIZES.values()]), 0
    for some in documents:
        given = some.classes if mixed else some.classes[:0]
        place_keys(some.keys, some.places, some.rows, given, some.checks, stripes, last, moving, buffer, lows, shorts)
    follows, uniform = _CLASSED * mixed | _CHECKED * checked, int(classes[0]) if len(classes) else 0
    starts = [0, *ends.tolist()]
    for stripe, (keys, gaps, *_) in enumerate(counts.T.tolist()):
        _HEADER.pack_into(content.data, starts[stripe], first, keys, gaps, uniform, follows)
        for section in (KEYS, GAPS, CLASSES):
            end = int(moving[section, stripe]) * _SIZES[section]
            content[end : -(-end // _WORD) * _WORD] = 0
    for partition in np.flatnonzero(key_counts.reshape(-1, STRIPES).any(axis=1)).tolist():
        yield partition, content[starts[STRIPES * partition] : starts[STRIPES * (partition + 1)]].data


def _sections(counts: Int64s) -> tuple[Int64s, Int64s]:
    """Where the sections begin, int64[4, stripes], and where the stripes end: in bytes."""
    sizes = np.stack([-(-counts[section] * size // _WORD) * _WORD for section, size in _SIZES.items()])
    ends = np.cumsum(sizes.sum(axis=0) + _HEADER.size)
    starts = ends - sizes.sum(axis=0)
    return starts + np.cumsum(sizes, axis=0) - sizes, ends


class Stripe(NamedTuple):
    """What is in a stripe. Classes are empty where all have the class `uniform`, checks where there are none."""

    first: int
    uniform: int
    lows: UInt32s
    gaps: UInt16s
    classes: UInt16s
    checks: UInt64s


def stripes_of(blob: bytes | memoryview) -> Iterator[Stripe]:
    """The stripes of a blob as arrays. No copy."""
    end = 0
    for _ in range(STRIPES):
        first, keys, gaps, uniform, follows = _HEADER.unpack_from(blob, end)
        end += _HEADER.size
        counts = {KEYS: keys, GAPS: gaps, CLASSES: keys * (follows & _CLASSED), CHECKS: keys * bool(follows & _CHECKED)}
        sections = []
        for section, count in counts.items():
            sections.append(np.frombuffer(blob, _KINDS[section], count, end))
            end += -(-count * _SIZES[section] // _WORD) * _WORD
        yield Stripe(first, uniform, *sections)
