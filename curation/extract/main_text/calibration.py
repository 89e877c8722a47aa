"""From the F1 that the weights expect of a text to the one that was measured where they expected as much."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np
import numpy.typing as npt

UNCHANGED = np.array([[0.0, 0.0], [1.0, 1.0]], np.float32)


def calibrated(table: npt.NDArray[np.float32], expected: float) -> float:
    """Between the knots of the table (float32[knots, 2], growing) in a straight line, beyond them as at the last.

    In basic operations, one by one, so that it is the same number on every machine.
    """
    knots: list[list[float]] = table.tolist()
    after = bisect_right(knots, expected, key=lambda knot: knot[0])
    if after in (0, len(knots)):
        return knots[min(after, len(knots) - 1)][1]
    (from_x, from_y), (to_x, to_y) = knots[after - 1], knots[after]
    return from_y + (to_y - from_y) * ((expected - from_x) / (to_x - from_x))
