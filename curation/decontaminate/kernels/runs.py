"""Hashes of runs of units, and which runs of a batch's documents are in an index.

The hash of a run is a polynomial in the hashes of its units, modulo 2^64, so that with the polynomials of a document's
beginnings a run of any length costs one multiplication; its length goes in, and its bits are spread at the end. Two different
runs have the same hash with a chance of about 2^-60. Time is linear in units, whatever they are.
"""

from __future__ import annotations

import numpy as np

from curation.text.kernels.compiling import Bytes, Int32s, Int64s, UInt64s, entry, kernel

U = np.uint64
BASE = U(0x9E3779B97F4A7C15)  # odd, with evenly spread bits: the golden ratio
# Multipliers of xxh64's last steps. Source: github.com/Cyan4973/xxHash, doc/xxhash_spec.md.
_SPREAD_1, _SPREAD_2 = U(0xC2B2AE3D27D4EB4F), U(0x165667B19E3779F9)


@kernel
def spread(value: np.uint64, length: int) -> np.uint64:
    """A run's polynomial and length as its hash; one to one for a given length."""
    value ^= U(length) * BASE
    value = (value ^ (value >> U(33))) * _SPREAD_1
    value = (value ^ (value >> U(29))) * _SPREAD_2
    return value ^ (value >> U(32))


@kernel
def power_of_base(exponent: int) -> np.uint64:
    """BASE to a power."""
    power = U(1)
    for _ in range(exponent):
        power *= BASE
    return power


@entry
def hash_runs(hashes: UInt64s, starts: Int64s, lengths: Int64s, values: UInt64s) -> None:
    """The hash of each run, hashes[starts[r]:starts[r] + lengths[r]], into `values`."""
    for run in range(len(starts)):
        value = U(0)
        for place in range(starts[run], starts[run] + lengths[run]):
            value = value * BASE + hashes[place]
        values[run] = spread(value, lengths[run])


@kernel
def find_key(keys: UInt64s, buckets: Int32s, shift: int, value: np.uint64) -> int:
    """The place of a hash among the sorted keys, -1 if it is none of them."""
    bucket = np.int64(value >> U(shift))
    for place in range(buckets[bucket], buckets[bucket + 1]):
        if keys[place] == value:
            return place
    return -1


@kernel
def is_marked(marks: Bytes, value: np.uint64) -> bool:
    """Whether the bit of a hash is set; a clear one says that no key has it."""
    place = value & U(8 * len(marks) - 1)
    return (U(marks[np.int64(place >> U(3))]) >> (place & U(7))) & U(1) != U(0)


@entry
def find_runs(
    hashes: UInt64s, offsets: Int64s, ngram: int, shorter: Int64s, keys: UInt64s, buckets: Int32s, shift: int,
    marks: Bytes, anchors: Bytes, prefix: UInt64s, found_units: Int64s, found_keys: Int32s,
) -> int:  # fmt: skip
    """All runs of the documents' units that are among the keys, in the order of documents and places; gives their number.

    offsets      int64[documents + 1]: which units a document has
    ngram        the length of runs; shorter int64: the other lengths that keys have, ascending, all below it
    keys         uint64, ascending; buckets int32[2^(64 - shift) + 1]: where those begin whose highest bits are the same
    marks        uint8, a power of two of them: a bit for each key of `ngram` units
    anchors      the same for the first `shorter[0]` units of all other keys: so few that a core's first cache holds them
    prefix       uint64: scratch, one more than the units of the longest document
    found_units  int64: where a run begins; found_keys int32: which key it is. -1 is given where they have no room.
    """
    count, room = 0, len(found_units)
    first = np.int64(shorter[0]) if len(shorter) > 0 else np.int64(ngram)
    power, first_power = power_of_base(ngram), power_of_base(first)
    for document in range(len(offsets) - 1):
        start, units = np.int64(offsets[document]), np.int64(offsets[document + 1] - offsets[document])
        prefix[0] = 0
        for place in range(units):
            prefix[place + 1] = prefix[place] * BASE + hashes[start + place]
        for place in range(units - first + 1):
            if place + ngram <= units:
                value = spread(prefix[place + ngram] - prefix[place] * power, ngram)
                key = find_key(keys, buckets, shift, value) if is_marked(marks, value) else -1
                if key >= 0:
                    if count == room:
                        return -1
                    found_units[count], found_keys[count] = start + place, key
                    count += 1
            if len(shorter) == 0 or not is_marked(
                anchors, spread(prefix[place + first] - prefix[place] * first_power, first)
            ):
                continue
            shorter_power, reached = first_power, first
            for length in shorter:
                if place + length > units:
                    break
                while reached < length:
                    shorter_power *= BASE
                    reached += 1
                value = spread(prefix[place + length] - prefix[place] * shorter_power, length)
                key = find_key(keys, buckets, shift, value)
                if key >= 0:
                    if count == room:
                        return -1
                    found_units[count], found_keys[count] = start + place, key
                    count += 1
    return count


def warm_up() -> None:
    """Uses each entry once."""
    hashes, offsets, ones = np.ones(1, np.uint64), np.array([0, 1]), np.ones(1, np.int64)
    values = np.zeros(1, np.uint64)
    hash_runs(hashes, offsets[:1], ones, values)
    buckets = np.array([0, 1, 1], np.int32)
    found = np.empty(1, np.int64), np.empty(1, np.int32)
    marks, prefix = np.zeros(8, np.uint8), np.empty(2, np.uint64)
    find_runs(hashes, offsets, 2, ones, values, buckets, 63, marks, marks, prefix, *found)
