"""Where numbers stand among distinct ones: a table of where each stretch of them begins, and a search within the stretch."""

from __future__ import annotations

import numpy as np

from curation.dedup.kernels import read_only
from curation.text.kernels.compiling import Int64s, UInt64s, entry

U = np.uint64


@entry
def find_places(once: UInt64s, values: UInt64s, shift: int, begins: Int64s, places: Int64s) -> None:
    """Fills in where each value stands in `once`, which ascends and holds all of them.

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


def warm_up() -> None:
    """Compiles the kernel of this file."""
    once, places = np.zeros(1, np.uint64), np.zeros(1, np.int64)
    for given in (once, read_only(once)):
        find_places(once, given, 0, np.zeros(2, np.int64), places)
