"""The linear weights of blocks: logistic regression over the hashed words of elements, texts and headings, stored as int8."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from curation.extract.train.kernels.descent import TABLE_BITS, TABLES, descend

TABLE = 1 << TABLE_BITS
PASSES, RATE, DECAY = 3, 0.06, 2e-3
MOST_WEIGHT = 12.0  # that a block counts here
FIRST_SQUARES = 1e-2
CUT = 0.9995  # quantile of weights that the largest step stands for
STEPS = 127
NAMES = ("lin_n", "lin_f", "lin_x", "lin_h")  # near, far, text, headings


@dataclass(frozen=True)
class Examples:
    """Which weights the score of each block is a sum of: `kernels.places` of all pages, one after the other.

    places  int32; those of block k end at ends[k], int64[blocks]
    """

    places: npt.NDArray[np.int32]
    ends: npt.NDArray[np.int64]


def fit_linear(
    examples: Examples,
    labels: npt.NDArray[np.float32],
    weights: npt.NDArray[np.float64],
    chosen: npt.NDArray[np.bool_],
) -> dict[str, npt.NDArray[Any]]:
    """The tables as a weights file has them, fitted to the chosen blocks, in an order that is the same every time."""
    order = np.random.default_rng(0).permutation(np.flatnonzero(chosen))
    model = np.zeros(TABLES * TABLE + 1, np.float32)
    squares = np.full(len(model), FIRST_SQUARES, np.float32)
    targets, capped = labels.astype(np.float64), np.minimum(weights, MOST_WEIGHT)
    scratch = np.empty((2, TABLES))
    for _ in range(PASSES):
        descend(examples.places, examples.ends, targets, capped, order, RATE, DECAY, model, squares, scratch)
    tables = model[:-1].reshape(TABLES, TABLE)
    scales = [_scale(table) for table in tables]
    arrays = {
        name: np.clip(np.rint(table / scale), -STEPS, STEPS).astype(np.int8)
        for name, table, scale in zip(NAMES, tables, scales, strict=True)
    }
    return {**arrays, "lin_scale": np.array([*scales, model[-1]], np.float32)}


def _scale(table: npt.NDArray[np.float32]) -> float:
    used = np.abs(table[table != 0])
    return float(np.quantile(used, CUT)) / STEPS if len(used) else 1.0
