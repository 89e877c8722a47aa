"""Where numbers stand among distinct ones, and which keys are among them."""

from __future__ import annotations

import numpy as np

from curation.dedup.kernels import read_only
from curation.dedup.kernels.prefetching import prefetch_stretch
from curation.text.kernels.compiling import Bytes, Int64s, UInt64s, entry

U = np.uint64
_AHEAD = 8  # rows whose memory is asked for before they are looked at: those that take part may be far apart


@entry
def find_places(once: UInt64s, values: UInt64s, shift: int, begins: Int64s, places: Int64s) -> None:
    """Fills in where each value stands in `once`, which ascends and holds all of them: a search within its stretch of numbers.

    begins  int64[stretches + 1], zero: filled with where the numbers begin that are once[0] and stretch << shift, or more
    """
    least = once[0]
    for place in range(len(once)):
        begins[np.int64((once[place] - least) >> U(shift)) + 1] += 1
    for stretch in range(len(begins) - 1):
        begins[stretch + 1] += begins[stretch]
    for number in range(len(values)):
        value = values[number]
        stretch = np.int64((value - least) >> U(shift))
        low, high = begins[stretch], begins[stretch + 1] - 1
        while low < high:
            middle = (low + high) >> 1
            if once[middle] < value:
                low = middle + 1
            else:
                high = middle
        places[number] = low


@entry
def find_wanted(keys: UInt64s, places: Int64s, wanted: UInt64s, low: Bytes, rows: Int64s, bands: Int64s) -> int:
    """Fills in which keys of the documents at some places of uint64[…, keys of each] are wanted: the document's row among the
    places, and which of its keys. Gives how many there are.

    wanted  ascending
    low     uint8[a power of two]: 1 for the low bits of each; they tell most that are not wanted
    """
    count, bits, width = 0, U(len(low) - 1), keys.shape[1]
    for row in range(len(places)):
        if row + _AHEAD < len(places):
            ahead = places[row + _AHEAD] * width
            prefetch_stretch(keys, ahead, ahead + width)
        for band in range(width):
            key = keys[places[row], band]
            if low[np.int64(key & bits)]:
                place = np.searchsorted(wanted, key)
                if place < len(wanted) and wanted[place] == key:
                    rows[count], bands[count] = row, band
                    count += 1
    return count


def warm_up() -> None:
    """Compiles the kernels of this file."""
    once, places, low = np.zeros(1, np.uint64), np.zeros(1, np.int64), np.zeros(1, np.uint8)
    for given in (once, read_only(once)):
        find_places(once, given, 0, np.zeros(2, np.int64), places)
        find_wanted(given.reshape(1, 1), places, once, low, places, places)
