"""Bands and rows: which similarities a banded signature finds, and how to choose it for a target.

A signature of `bands` x `rows` values puts a document into one bucket for each band. Two documents of Jaccard similarity s
agree in one value with probability s, so they meet in some bucket with probability 1 - (1 - s^rows)^bands, an S-shaped curve.
Source: Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, 3.4.2.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from connectors.errors import UserError

FOUND = 0.99  # of the pairs at the target
ROWS = 6  # with fewer, 16 bands do for 0.8, but most of a corpus shares a bucket with something
FEWEST_ROWS = 2  # of a later round
MOST_BANDS = 256  # a document has a key of 8 bytes for each
CURVE = tuple(number / 100 for number in range(30, 101, 5))  # similarities of the table
NODES = 64  # of the quadrature; with as many it is exact for polynomials up to degree 127


@dataclass(frozen=True)
class Banding:
    """A signature's first `bands` x `rows` values, band after band."""

    bands: int
    rows: int

    @property
    def values(self) -> int:
        """The values of a signature that it needs."""
        return self.bands * self.rows

    def probability(self, similarity: float) -> float:
        """How probably a pair of this Jaccard similarity shares a bucket."""
        return float(1 - (1 - similarity**self.rows) ** self.bands)

    def __str__(self) -> str:
        return f"{self.bands} × {self.rows}"


def choose_banding(target: float, found: float = FOUND, rows: int = ROWS) -> Banding:
    """The fewest bands that find pairs at the target with a probability of at least `found`; 16 x 6 for 0.8.

    Fewest alone would choose one row, by which everything is found and nothing told apart: so the rows are given. Raises
    `UserError` if numbers are out of range, or if it takes more than `MOST_BANDS` bands.
    """
    if not 0 < target < 1 or not 0 < found < 1 or rows < 1:
        raise UserError(
            f"dedup: a target similarity and a share to be found lie between 0 and 1, rows are 1 or more,"
            f" not {target:g}, {found:g} and {rows}"
        )
    share = target**rows  # of the bands, in which such a pair agrees
    needed = math.log1p(-found) / math.log1p(-share) if share > 0 else math.inf
    if needed <= MOST_BANDS + 1:
        near = max(1, math.floor(needed) - 1)  # the quotient may be off by its last digit
        for bands in range(near, MOST_BANDS + 1):
            if Banding(bands, rows).probability(target) >= found:
                return Banding(bands, rows)
    raise UserError(
        f"dedup: to find {found:.1%} of the pairs at a similarity of {target:g} with {rows} rows takes more than"
        f" {MOST_BANDS} bands. Take {_fewer_rows(target, found, rows)}"
    )


def _fewer_rows(target: float, found: float, rows: int) -> str:
    """The most rows, fewer than these, for which there are enough bands."""
    for fewer in range(rows - 1, 0, -1):
        if Banding(MOST_BANDS, fewer).probability(target) >= found:
            return f"`rows: {fewer}` or fewer"
    return "a higher target"


def finer(banding: Banding, values: int) -> Banding:
    """The banding of later rounds over the same signature of `values` values: two rows fewer, as many bands as they give.

    28 x 4 for 16 x 6 over 112 values. A document that shared a bucket with many others, and is none of their duplicates, goes
    again with it: with the same bands it would meet the same ones.
    """
    rows = max(banding.rows - 2, min(banding.rows, FEWEST_ROWS))
    return Banding(values // rows, rows)


@functools.cache
def datasketch_choice(target: float, values: int = 128) -> Banding:
    """What datasketch's `MinHashLSH(threshold=target, num_perm=values)` takes, for comparison.

    It minimises the mean of two areas: under the curve below the target, and over it above. Source: datasketch 2.0.0, lsh.py,
    `_optimal_param` with its default weights; the first of equal choices in its order, bands before rows.
    """
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    below = target * (nodes + 1) / 2
    above = target + (1 - target) * (nodes + 1) / 2
    best, least = Banding(1, 1), math.inf
    for bands in range(1, values + 1):
        rows = np.arange(1, values // bands + 1)[:, None]
        false_positive = (1 - (1 - below**rows) ** bands) @ weights * target / 2
        false_negative = ((1 - above**rows) ** bands) @ weights * (1 - target) / 2
        errors = (false_positive + false_negative) / 2
        row = int(np.argmin(errors))
        if errors[row] < least:
            best, least = Banding(bands, row + 1), float(errors[row])
    return best


class CurveRow(NamedTuple):
    """How probably a pair of a similarity is found: by a banding, and by datasketch's choice."""

    similarity: float
    ours: float
    datasketch: float


def s_curve(banding: Banding, target: float, values: int | None = None) -> list[CurveRow]:
    """The curve at 0.3, 0.35, … 1 and at the target, beside that of datasketch's choice for the target and so many values.

    values  of a signature; None: those that the banding needs
    """
    theirs = datasketch_choice(target, values or banding.values)
    return [
        CurveRow(similarity, banding.probability(similarity), theirs.probability(similarity))
        for similarity in sorted({*CURVE, target})
    ]
