"""Perplexity of held-out sequences, by source.

Held out are the samples that would come next: those behind the plan's last step, as far as their source is still in its first
epoch. A draw of the first epoch comes once, so none of their chunks was trained on, and no split of the corpus had to be made.
Two chunks of one document may lie on both sides: for an estimate on unseen documents, train on other sources than are measured.
A source whose first epoch is used up has nothing left that is unseen, and is left out rather than guessed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from trainer.backends.protocol import TrainerBackend
from trainer.data.batch import micro_batch
from trainer.data.micro_batch import MicroBatch
from trainer.data.plan import DataPlan

CANDIDATES = 64  # samples behind the last step that are looked at, or one step's where that is more


@dataclass(frozen=True)
class Perplexity:
    """Losses of held-out sequences after a run's last step: nats a token and tokens, in all and by source."""

    sequences: int
    tokens: int
    loss: float
    by_source: dict[str, tuple[float, int]]

    def to_json(self) -> dict[str, Any]:
        """Loss (nats a token), perplexity and tokens; by source likewise."""
        return {
            "sequences": self.sequences,
            **_row(self.loss, self.tokens),
            "by_source": {name: _row(loss, tokens) for name, (loss, tokens) in self.by_source.items()},
        }


def _row(loss: float, tokens: int) -> dict[str, Any]:
    value = perplexity(loss)
    return {
        "loss": loss if math.isfinite(loss) else None,
        "perplexity": value if math.isfinite(value) else None,
        "tokens": tokens,
    }


def perplexity(loss: float) -> float:
    """e to the loss in nats a token; infinite where no float holds it."""
    return math.inf if loss > 700 else math.exp(loss)


def held_out_samples(plan: DataPlan) -> npt.NDArray[np.int64]:
    """Numbers of samples behind the last step that were never trained on; none where every source is used up."""
    first = plan.first_sample(plan.steps)
    samples = plan.samples(np.arange(first, first + max(CANDIDATES, plan.sequences), dtype=np.int64))
    return np.asarray(samples.number[samples.epoch == 0])


def held_out_batches(plan: DataPlan, data_rank: int, data_size: int) -> Iterator[MicroBatch]:
    """One data rank's micro-batches of the held-out samples, as many on each; rows that fill up have weight 0."""
    numbers = held_out_samples(plan)
    turn = plan.micro * data_size
    filled = np.resize(numbers, -(-len(numbers) // turn) * turn) if len(numbers) else numbers
    weighted = np.arange(len(filled)) < len(numbers)
    shape = (-1, data_size, plan.micro)
    for rows, keep in zip(filled.reshape(shape)[:, data_rank], weighted.reshape(shape)[:, data_rank]):
        batch = micro_batch(plan, plan.samples(rows))
        yield replace(batch, weights_BS=batch.weights_BS * keep[:, None].astype(np.float32))


def held_out(plan: DataPlan, backend: TrainerBackend) -> Perplexity | None:
    """Perplexity of the held-out samples, the same on every rank; None where there are none. Every rank calls this."""
    batches = list(held_out_batches(plan, backend.place.data_rank, backend.place.data))
    if not batches:
        return None
    sums = backend.losses(batches)
    by_source = {
        name: (total / tokens, int(tokens))
        for name, (total, tokens) in zip(plan.source_names, sums.by_source.tolist())
        if tokens
    }
    return Perplexity(len(held_out_samples(plan)), int(sums.tokens), sums.total / max(sums.tokens, 1), by_source)
