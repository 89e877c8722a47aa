"""From samples to micro-batches: tokens, weights, positions and the documents that own the labels.

Everything but the reading of a row is done for all rows at once, from its pieces. The first label of a piece that begins its
document is predicted from another document; the same token is the next input, where positions restart. A piece in the midst of
its document has the token before it as its input, and positions restart there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trainer.data.micro_batch import SPANS, MicroBatch
from trainer.data.plan import DataPlan, Samples
from trainer.data.source import Pieces, joined

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
    inputs, labels = (np.empty((rows, size), dtype=np.int64) for _ in range(2))
    pieces, spans = _spans(plan, samples, inputs, labels)
    segments = np.repeat(np.arange(len(spans), dtype=np.int32), spans["tokens"]).reshape(rows, size)
    weights = np.ones((rows, size), dtype=np.float32)
    if plan.packed:
        weights[pieces.document[segments] < 0] = 0
    positions = np.broadcast_to(np.arange(size, dtype=np.int64), (rows, size))
    if plan.isolated:
        weights[spans["row"][pieces.begins], pieces.first[pieces.begins]] = 0
        positions = positions - _last_restart(spans["row"], pieces.first + pieces.begins, (rows, size))
    _leave_out_erased(plan, pieces, spans, weights)
    return MicroBatch(
        tokens_BS=inputs,
        labels_BS=labels,
        weights_BS=weights,
        positions_BS=np.ascontiguousarray(positions),
        segments_BS=segments,
        spans=spans,
        isolated=plan.isolated,
    )


def _spans(plan: DataPlan, samples: Samples, inputs: Indices, labels: Indices) -> tuple[Pieces, npt.NDArray[np.void]]:
    """Reads the rows' tokens; their pieces, and a span for each."""
    parts: list[Pieces] = []
    for row, (source, start) in enumerate(zip(samples.source.tolist(), samples.start.tolist())):
        parts.append(plan.sources[source].pieces(start))
        plan.sources[source].read_row(parts[-1], inputs[row], labels[row])
    pieces, row_of = joined(parts), np.repeat(np.arange(len(samples)), [len(part) for part in parts])
    spans = np.zeros(len(pieces), dtype=SPANS)
    spans["sample"], spans["source"], spans["row"] = samples.number[row_of], samples.source[row_of], row_of
    spans["document"], spans["first"], spans["tokens"] = pieces.document, pieces.first, pieces.tokens
    return pieces, spans


def _leave_out_erased(
    plan: DataPlan, pieces: Pieces, spans: npt.NDArray[np.void], weights: npt.NDArray[np.float32]
) -> None:
    """Weight 0 for labels that were erased."""
    erased = np.array([len(source.erased) > 0 for source in plan.sources])
    for at in np.flatnonzero(erased[spans["source"]] & (pieces.document >= 0)).tolist():
        position, row = int(pieces.position[at]), spans["row"][at]
        for first, stop in zip(
            *plan.sources[spans["source"][at]].erased.inside(position, position + int(pieces.tokens[at]))
        ):
            weights[row, first - position + pieces.first[at] : stop - position + pieces.first[at]] = 0


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
