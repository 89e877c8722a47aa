"""Logistic regression over hashed words, by stochastic descent with Adagrad's rates (Duchi et al. 2011)."""

from __future__ import annotations

import numpy as np

from curation.text.kernels.compiling import Bytes, Int32s, Int64s, entry

TABLE_BITS = 16  # of a place are within a table
TABLES = 4


@entry
def descend(
    places: Int32s,
    ends: Int64s,
    targets: Bytes,
    weights: Bytes,
    order: Int64s,
    rate: float,
    decay: float,
    model: Bytes,
    squares: Bytes,
    scratch: Bytes,
) -> None:
    """One pass over the blocks in `order`; changes `model` and `squares`.

    places   int32: places in the model, those of block k end at ends[k]
    targets, weights   float64[blocks]: share of the block that is main text, and what it counts
    rate, decay   of the steps, and of the weights that a block uses (L2)
    model    float32[TABLES * 65,536 + 1]: what is fitted, the bias last
    squares  float32, as long: sums of squared gradients, above zero
    scratch  float64[2, TABLES]

    A block's logit is the bias and, for each table, the sum of its places' weights divided by the square root of how many they are.
    """
    bias = len(model) - 1
    sums, factors = scratch[0], scratch[1]
    for turn in range(len(order)):
        block = order[turn]
        first = ends[block - 1] if block > 0 else 0
        sums[:] = 0
        factors[:] = 0
        for at in range(first, ends[block]):
            table = places[at] >> TABLE_BITS
            sums[table] += model[places[at]]
            factors[table] += 1
        logit = np.float64(model[bias])
        for table in range(TABLES):
            factors[table] = 1.0 / np.sqrt(max(factors[table], 1.0))
            logit += sums[table] * factors[table]
        gradient = (1.0 / (1.0 + np.exp(-logit)) - targets[block]) * weights[block]
        squares[bias] += np.float32(gradient * gradient)
        model[bias] -= np.float32(rate * gradient / np.sqrt(squares[bias]))
        for at in range(first, ends[block]):
            place = places[at]
            own = gradient * factors[place >> TABLE_BITS] + decay * model[place] * weights[block]
            squares[place] += np.float32(own * own)
            model[place] -= np.float32(rate * own / np.sqrt(squares[place]))
