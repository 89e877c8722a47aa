"""The only place that sums losses, for every backend: no mean of means can arise elsewhere.

A model gives the loss of each token. The objective is Σ w·nll / N with N the trained tokens of the WHOLE step, known before the
forward pass, so gradients of micro-batches and ranks need only be added. What is reported is summed apart from it, in float64.

Letters of shapes: B rows of a micro-batch, S tokens of a sequence.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from torch import Tensor

Sums = npt.NDArray[np.float64]  # [·, 2]: Σ w·nll in nats, Σ w in tokens


def objective(nll_BS: Tensor, weights_BS: Tensor, trained_tokens: int) -> Tensor:
    """This micro-batch's part of the step's mean loss: what is differentiated.

    `trained_tokens` is the weights' sum over all micro-batches of the step on all ranks; 0 (all masked) gives 0.
    """
    return (nll_BS * weights_BS).sum() / max(trained_tokens, 1)


def by_span(nll_BS: npt.NDArray[np.float32], weights_BS: npt.NDArray[np.float32], spans: npt.NDArray[np.void]) -> Sums:
    """[spans, 2] sums of each span of a micro-batch (dtype `trainer.data.micro_batch.SPANS`).

    Each span is summed by itself, left to right on the host: the same on every device, and a token whose loss is not finite
    spoils its own document's sum and no other.
    """
    length = nll_BS.shape[1]
    begin = spans["row"].astype(np.int64) * length + spans["first"]
    borders = np.stack([begin, begin + spans["tokens"]], axis=1).ravel()
    weights = weights_BS.ravel().astype(np.float64)
    values = np.stack([_masked(nll_BS.ravel(), weights), weights], axis=1)
    ended = np.concatenate([values, np.zeros((1, 2))])  # so that a border may lie at the very end
    sums = np.add.reduceat(ended, borders, axis=0)[::2] if len(spans) else np.zeros((0, 2))
    return np.where(spans["tokens"][:, None] > 0, sums, 0.0)


def by_source(sums: Sums, spans: npt.NDArray[np.void], sources: int) -> Sums:
    """[sources, 2]: the sums of a micro-batch's spans, added in their order."""
    columns = [np.bincount(spans["source"], weights=column, minlength=sources) for column in sums.T]
    return np.stack(columns, axis=1)


def _masked(nll: npt.NDArray[np.float32], weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """w·nll in float64; 0 where w is 0, whatever the loss there."""
    return np.where(weights > 0, nll.astype(np.float64) * weights, 0.0)
