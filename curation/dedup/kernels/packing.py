"""Keys by partition: a counting sort of the keys of many documents, and the gaps by which their rows are written down.

A row travels as its distance from the row before in the same partition: one byte, 255 meaning 255 rows and more to come.
"""

from __future__ import annotations

import numpy as np

from curation.dedup.kernels import read_only
from curation.text.kernels.compiling import Bytes, Int64s, UInt64s, entry, inlined

U = np.uint64
FURTHER = 255  # a gap byte that does not end its gap
_HALF = U(32)


@inlined
def partition_of(key, partitions):  # type: ignore[no-untyped-def]
    """The partition of a key, by its high bits."""
    return np.int64(((key >> _HALF) * U(partitions)) >> _HALF)


@entry
def count_keys(
    keys: UInt64s, rows: Int64s, partitions: int, key_counts: Int64s, gap_counts: Int64s, last: Int64s
) -> None:
    """How many keys and gap bytes each partition gets. `keys` are uint64[documents, keys of each], `rows` theirs, ascending.

    key_counts, gap_counts and last are zero, int64[partitions].
    """
    for document in range(keys.shape[0]):
        row = rows[document]
        for place in range(keys.shape[1]):
            partition = partition_of(keys[document, place], partitions)
            key_counts[partition] += 1
            gap = row - last[partition]
            gap_counts[partition] += 1 if gap < FURTHER else 1 + gap // FURTHER
            last[partition] = row


@entry
def place_keys(
    keys: UInt64s,
    rows: Int64s,
    partitions: int,
    key_places: Int64s,
    gap_places: Int64s,
    last: Int64s,
    packed: UInt64s,
    documents: Int64s,
    gaps: Bytes,
) -> None:
    """Puts each key, its document and its gap where its partition's are; the places begin at each partition's first and move on.

    documents  as long as `packed`, or empty where nobody asks for them
    """
    with_documents = len(documents) > 0
    for document in range(keys.shape[0]):
        row = rows[document]
        for place in range(keys.shape[1]):
            key = keys[document, place]
            partition = partition_of(key, partitions)
            packed[key_places[partition]] = key
            if with_documents:
                documents[key_places[partition]] = document
            key_places[partition] += 1
            gap = row - last[partition]
            while gap >= FURTHER:
                gaps[gap_places[partition]] = FURTHER
                gap_places[partition] += 1
                gap -= FURTHER
            gaps[gap_places[partition]] = gap
            gap_places[partition] += 1
            last[partition] = row


@entry
def read_gaps(gaps: Bytes, first: int, numbers: Int64s) -> int:
    """The document numbers that the gaps of a blob stand for, counted from its first. Gives how many there are."""
    number, count = first, 0
    for gap in gaps:
        number += gap
        if gap != FURTHER:
            numbers[count] = number
            count += 1
    return count


def warm_up() -> None:
    """Compiles the kernels of this file."""
    keys, gaps = np.zeros((1, 1), np.uint64), np.zeros(8, np.uint8)
    counts = [np.zeros(1, np.int64) for _ in range(3)]
    rows = np.zeros(1, np.int64)
    for given in (keys, read_only(keys)):
        count_keys(given, rows, 1, *counts)
        a, b, c = (np.zeros(1, np.int64) for _ in range(3))
        place_keys(given, rows, 1, a, b, c, np.zeros(1, np.uint64), rows.copy(), gaps)
    read_gaps(read_only(gaps[:1]), 0, rows)
