"""From samples to micro-batches: tokens, weights, positions and the documents that own the labels.

Everything but the reading of a row is done for all rows at once. The one quantity that the rest follows from is where a
document begins, counted from the row's first label: a label at 0 or later is a document's first token, predicted from
another document; the same token is the next input, where positions restart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trainer.data.micro_batch import SPANS, MicroBatch
from trainer.data.plan import DataPlan, Samples

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class StepBatches:
    """One data rank's micro-batches of a step, and the weights' sum over the step's micro-batches on all ranks."""

    step: int
    batches: list[MicroBatch]
    trained_tokens: int


def step_batches(plan: DataPlan, step: int, data_rank: int = 0, data_size: int = 1) -> StepBatches:
    """What a data rank needs for a step."""
    rows = plan.rows(step, data_rank, data_size) - plan.first_sample(step)
    samples = plan.samples(plan.numbers(step))  # once for all micro-batches: a call costs more than a sample
    batches = [micro_batch(plan, samples.take(of_batch)) for of_batch in rows]
    if data_size == 1:
        return StepBatches(step, batches, sum(int(batch.weights_BS.sum(dtype=np.float64)) for batch in batches))
    return StepBatches(step, batches, plan.trained(samples))


def micro_batch(plan: DataPlan, samples: Samples) -> MicroBatch:
    """The micro-batch of these samples, a row each."""
    rows, size = len(samples), plan.sequence_length
    tokens = np.empty((rows, size + 1), dtype=np.int64)
    spans, begins = _spans(plan, samples, tokens)
    weights = np.ones((rows, size), dtype=np.float32)
    positions = np.broadcast_to(np.arange(size, dtype=np.int64), (rows, size))
    if plan.isolated:
        restarts = begins >= 0
        row, label = spans["row"][restarts], begins[restarts]
        weights[row, label] = 0
        positions = positions - _last_restart(row, label + 1, (rows, size))
    for erased_row, (at, start) in enumerate(zip(samples.source.tolist(), samples.start.tolist())):
        if len(plan.sources[at].erased):
            for first, stop in zip(*plan.sources[at].erased_labels(start)):
                weights[erased_row, first:stop] = 0
    return MicroBatch(
        tokens_BS=np.ascontiguousarray(tokens[:, :-1]),
        labels_BS=np.ascontiguousarray(tokens[:, 1:]),
        weights_BS=weights,
        positions_BS=np.ascontiguousarray(positions),
        segments_BS=np.repeat(np.arange(len(spans), dtype=np.int32), spans["tokens"]).reshape(rows, size),
        spans=spans,
        isolated=plan.isolated,
    )


def _spans(plan: DataPlan, samples: Samples, tokens: Indices) -> tuple[npt.NDArray[np.void], Indices]:
    """Reads the rows' tokens; their spans, and where each span's document begins, counted from the row's first label."""
    parts: list[tuple[Indices, Indices]] = []
    for row, (source, start) in enumerate(zip(samples.source.tolist(), samples.start.tolist())):
        plan.sources[source].read(start, tokens[row])
        parts.append(plan.sources[source].labels(start))
    row_of = np.repeat(np.arange(len(samples)), [len(documents) for documents, _ in parts])
    begins = np.concatenate([begin for _, begin in parts])
    spans = np.zeros(len(begins), dtype=SPANS)
    spans["sample"], spans["source"] = samples.number[row_of], samples.source[row_of]
    spans["row"], spans["document"] = row_of, np.concatenate([documents for documents, _ in parts])
    spans["first"] = np.maximum(begins, 0)
    flat = row_of * plan.sequence_length + spans["first"]
    spans["tokens"] = np.diff(flat, append=len(samples) * plan.sequence_length)
    return spans, begins


def _last_restart(row: Indices, column: Indices, shape: tuple[int, int]) -> Indices:
    """At each place of a row the last of the given columns that is not after it, or 0."""
    restarts = np.zeros(shape, dtype=np.int64)
    inside = column < shape[1]
    restarts[row[inside], column[inside]] = column[inside]
    return np.maximum.accumulate(restarts, axis=1)


def all_batches(
    plan: DataPlan, first_step: int, stop: int, data_rank: int = 0, data_size: int = 1
) -> Iterator[StepBatches]:
    """Steps `first_step` … `stop - 1`, one after the other, in the calling thread."""
    for step in range(first_step, stop):
        yield step_batches(plan, step, data_rank, data_size)
