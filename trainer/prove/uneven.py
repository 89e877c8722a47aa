"""Batches whose weights are uneven: documents are isolated, and one micro-batch is masked whole.

With as many trained tokens in each micro-batch a mean of means would be right by accident.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from trainer.data.batch import step_batches
from trainer.data.micro_batch import MicroBatch
from trainer.data.plan import DataPlan

MASKED = 2  # of each 8 samples, the first ones: micro-batch 0 of data rank 0


def batches(plan: DataPlan, step: int, data_rank: int, data: int) -> tuple[list[MicroBatch], int]:
    """A data rank's micro-batches of a step, and the trained tokens of all ranks."""
    mine = [masked(batch) for batch in step_batches(plan, step, data_rank, data).batches]
    everyone = [masked(batch) for batch in step_batches(plan, step).batches]
    return mine, sum(int(batch.weights_BS.sum(dtype=np.float64)) for batch in everyone)


def masked(batch: MicroBatch) -> MicroBatch:
    """The micro-batch with the weights of masked samples at 0."""
    weights = batch.weights_BS.copy()
    weights[batch.spans["row"][batch.spans["sample"] % 8 < MASKED]] = 0
    return replace(batch, weights_BS=weights)
