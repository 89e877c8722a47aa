"""Micro-batches with documents of uneven lengths and uneven weights, so that a mean of means cannot be right by accident."""

from __future__ import annotations

import dataclasses

import numpy as np

from trainer.backends.protocol import Knobs
from trainer.data.micro_batch import SPANS, MicroBatch

SOURCES = ("web", "code", "math")


def toy_batch(seed: int, rows: int = 2, length: int = 32, vocabulary: int = 96, isolated: bool = False) -> MicroBatch:
    """Documents of 1 to 20 tokens from three sources; about a third of the labels is masked, in some rows nearly all."""
    random = np.random.default_rng(seed)
    tokens = random.integers(0, vocabulary, (rows, length + 1))
    positions, segments = np.empty((rows, length), np.int64), np.empty((rows, length), np.int32)
    weights = (random.random((rows, length)) < random.choice([0.05, 0.6, 0.95], (rows, 1))).astype(np.float32)
    spans = []
    for row in range(rows):
        first = 0
        while first < length:
            size = min(int(random.integers(1, 21)), length - first)
            positions[row, first : first + size] = np.arange(size) if isolated else np.arange(first, first + size)
            segments[row, first : first + size] = len(spans)
            spans.append((seed * rows + row, row, random.integers(len(SOURCES)), len(spans), first, size))
            first += size
    return MicroBatch(
        tokens[:, :-1], tokens[:, 1:], weights, positions, segments, np.array(spans, SPANS), isolated=isolated
    )


def masked(batch: MicroBatch) -> MicroBatch:
    """The same with every label masked."""
    return dataclasses.replace(batch, weights_BS=np.zeros_like(batch.weights_BS))


def joined(batches: list[MicroBatch]) -> MicroBatch:
    """Several micro-batches as one of more rows."""
    spans, row, span, segments = [], 0, 0, []
    for batch in batches:
        part = batch.spans.copy()
        part["row"] += row
        spans.append(part)
        segments.append(batch.segments_BS + np.int32(span))
        row, span = row + len(batch.tokens_BS), span + len(part)
    arrays = {
        name: np.concatenate([getattr(batch, name) for batch in batches])
        for name in ("tokens_BS", "labels_BS", "weights_BS", "positions_BS")
    }
    return MicroBatch(
        **arrays, segments_BS=np.concatenate(segments), spans=np.concatenate(spans), isolated=batches[0].isolated
    )


def toy_knobs(step: int, batches: list[MicroBatch], **changes: object) -> Knobs:
    """Knobs of a step over all of `batches`, with clipping that bites."""
    knobs = Knobs(
        step=step,
        lr=1e-2,
        weight_decay=0.1,
        clip_norm=0.5,
        trained_tokens=int(sum(batch.weights_BS.sum() for batch in batches)),
    )
    return dataclasses.replace(knobs, **changes)
