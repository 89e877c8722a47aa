"""How keys travel: for each partition a blob with the keys of many documents, 9 bytes a key.

    header · keys u64 · gaps of the documents' rows, a byte each (kernels/packing.py) · classes u16 · checks u64

Classes are left out where all documents of the blob have the same; checks where the keys are all there is to compare.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from curation.dedup.kernels.packing import count_keys, place_keys, read_gaps

UInt64s = npt.NDArray[np.uint64]
UInt16s = npt.NDArray[np.uint16]

NUMBER_BITS = 48  # of a rank; the class stands above
_NUMBER = np.uint64((1 << NUMBER_BITS) - 1)
_CLASS = np.uint64(NUMBER_BITS)
_HEADER = struct.Struct("<QQQHH")  # first number, keys, gap bytes, the class of all, what follows
_CLASSES, _CHECKS = 1, 2


def ranks_of(numbers: UInt64s, classes: UInt16s) -> UInt64s:
    """The order in which documents are preferred: by policy class, then by number. The smaller stays."""
    return numbers | (classes.astype(np.uint64) << _CLASS)


def numbers_of(ranks: UInt64s) -> UInt64s:
    """The documents' numbers."""
    return ranks & _NUMBER


class Documents(NamedTuple):
    """What is known of documents as they are packed. Arrays have a row a document.

    first    number from which rows count
    rows     of the documents, ascending; one may come again with other keys
    classes  policy class of each
    keys     uint64[documents, keys of each]
    checks   uint64[documents] or empty: a second word that must be equal too; then there is one key a document
    """

    first: int
    rows: npt.NDArray[np.int64]
    classes: UInt16s
    keys: UInt64s
    checks: UInt64s


def pack(documents: Documents, partitions: int) -> Iterator[tuple[int, bytes]]:
    """The blobs, (partition, blob), in ascending order. Memory: some 30 bytes a key."""
    keys, classes = documents.keys, documents.classes
    key_counts, gap_counts, last = (np.zeros(partitions, np.int64) for _ in range(3))
    count_keys(keys, documents.rows, partitions, key_counts, gap_counts, last)
    key_ends, gap_ends = np.cumsum(key_counts), np.cumsum(gap_counts)
    key_starts, gap_starts = key_ends - key_counts, gap_ends - gap_counts
    mixed = len(classes) > 0 and bool((classes != classes[0]).any())
    checked = len(documents.checks) > 0
    packed, gaps = np.empty(key_ends[-1], np.uint64), np.empty(gap_ends[-1], np.uint8)
    places = np.empty(len(packed) if mixed or checked else 0, np.int64)
    last[:] = 0
    place_keys(keys, documents.rows, partitions, key_starts.copy(), gap_starts.copy(), last, packed, places, gaps)
    for partition in np.flatnonzero(key_counts).tolist():
        mine = slice(key_starts[partition], key_ends[partition])
        given = gaps[gap_starts[partition] : gap_ends[partition]]
        follows = _CLASSES * mixed | _CHECKS * checked
        header = _HEADER.pack(documents.first, mine.stop - mine.start, len(given), classes[0], follows)
        parts: list[bytes | memoryview] = [header, packed[mine].data, given.data]
        if mixed:
            parts.append(classes[places[mine]].data)
        if checked:
            parts.append(documents.checks[places[mine]].data)
        yield partition, b"".join(parts)


class Keys(NamedTuple):
    """The keys of a partition, in no order: key, rank of its document, check word (or none at all)."""

    keys: UInt64s
    ranks: UInt64s
    checks: UInt64s


def unpack(blobs: Sequence[bytes]) -> Keys:
    """What a partition's blobs hold. Memory: 16 bytes a key beside the blobs, 24 with checks."""
    total = sum(_HEADER.unpack_from(blob)[1] for blob in blobs)
    keys, ranks = np.empty(total, np.uint64), np.empty(total, np.uint64)
    parts, start = [np.zeros(0, np.uint64)], 0
    for blob in blobs:
        first, count, gap_bytes, uniform, follows = _HEADER.unpack_from(blob)
        mine, at = slice(start, start + count), _HEADER.size
        keys[mine] = np.frombuffer(blob, np.uint64, count, at)
        at += 8 * count
        numbers = ranks[mine]
        read_gaps(np.frombuffer(blob, np.uint8, gap_bytes, at), first, numbers.view(np.int64))
        at += gap_bytes
        if follows & _CLASSES:
            numbers |= np.frombuffer(blob, np.uint16, count, at).astype(np.uint64) << _CLASS
            at += 2 * count
        else:
            numbers |= np.uint64(uniform) << _CLASS
        if follows & _CHECKS:
            parts.append(np.frombuffer(blob, np.uint64, count, at))
        start += count
    return Keys(keys, ranks, np.concatenate(parts))
