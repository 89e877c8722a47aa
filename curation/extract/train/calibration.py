"""From the expected quality of a text to the measured one: isotonic regression (Barlow et al. 1972, pool adjacent violators)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

MOST_KNOTS = 32
Values = npt.NDArray[np.float64]


def calibration(expected: Values, measured: Values) -> npt.NDArray[np.float32]:
    """float32[knots, 2]: expected values and what they are worth, both growing; between knots one goes in a straight line.

    The knots are the means of equally many pages each, of which neighbours that would fall are pooled.
    """
    order = np.argsort(expected, kind="stable")
    groups = np.array_split(order, min(MOST_KNOTS, len(order))) if len(order) else []
    blocks: list[tuple[int, float, float]] = []  # pages, and the means of both
    for group in groups:
        count, x, y = len(group), float(expected[group].mean()), float(measured[group].mean())
        while blocks and (y <= blocks[-1][2] or x <= blocks[-1][1]):
            before, before_x, before_y = blocks.pop()
            count, x, y = (
                count + before,
                *((here * count + there * before) / (count + before) for here, there in ((x, before_x), (y, before_y))),
            )
        blocks.append((count, x, y))
    return np.array([(x, y) for _, x, y in blocks], np.float32).reshape(-1, 2)
