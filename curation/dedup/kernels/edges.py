"""Edges by the home of the document that ranks behind: a counting sort, in two passes."""

from __future__ import annotations

import numpy as np

from curation.text.kernels.compiling import Int32s, Int64s, UInt64s, entry

U = np.uint64
_NUMBER = U((1 << 48) - 1)  # of a rank, below the class
_PLACE = U(40)  # where the place in the home stands in a packed edge, above the number
NOWHERE = -1


@entry
def find_homes(
    farther: UInt64s, least: int, firsts: UInt64s, shift: int, begins: Int64s, homes: Int32s, counts: Int64s
) -> None:
    """Fills in the home of each rank's document, NOWHERE for numbers below `least`, and adds to counts[1:] how many each home gets.

    firsts  numbers of the homes' first documents, ascending, and behind them the number of all documents
    begins  the home of document number stretch << shift, for each stretch
    """
    for edge in range(len(farther)):
        number = farther[edge] & _NUMBER
        homes[edge] = NOWHERE
        if number >= U(least):
            home = begins[np.int64(number >> U(shift))]
            while firsts[home + 1] <= number:
                home += 1
            homes[edge] = home
            counts[home + 1] += 1


@entry
def place_edges(
    nearer: UInt64s, farther: UInt64s, homes: Int32s, firsts: UInt64s, places: Int64s, edges: UInt64s
) -> None:
    """Puts each edge where its home's are; `places` begin at each home's first and move on.

    edges  uint64[edges, 1]: the place in its home of the document that ranks behind, above the other's number; or
           uint64[edges, 2]: both numbers, the nearer first
    """
    for edge in range(len(farther)):
        home = homes[edge]
        if home != NOWHERE:
            at, near, far = places[home], nearer[edge] & _NUMBER, farther[edge] & _NUMBER
            places[home] = at + 1
            if edges.shape[1] == 1:
                edges[at, 0] = ((far - firsts[home]) << _PLACE) | near
            else:
                edges[at, 0] = near
                edges[at, 1] = far


def warm_up() -> None:
    """Compiles the kernels of this file."""
    ranks, homes, counts = np.zeros(1, np.uint64), np.zeros(1, np.int32), np.zeros(2, np.int64)
    firsts = np.arange(2, dtype=np.uint64)
    find_homes(ranks, 0, firsts, 0, counts.copy(), homes, counts)
    place_edges(ranks, ranks, homes, firsts, counts[:1], ranks.reshape(1, 1).copy())
