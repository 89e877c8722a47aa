"""One of two ranks: trains a few steps and writes what it saw. Run by torchrun from `test_reference.py`, given a folder."""

from __future__ import annotations

import dataclasses
import faulthandler
import sys
from pathlib import Path

import numpy as np
import torch

from tests.trainer.backends.toy_batches import SOURCES, masked, toy_batch, toy_knobs
from trainer.backends.protocol import StepResult
from trainer.backends.reference import ReferenceBackend
from trainer.config import Training
from trainer.data.micro_batch import MicroBatch

CONFIG = Training.model_validate(
    {
        "data": {"sequence_length": 32},
        "batch": {"sequences": 8, "micro": 2},
        "model": {"layers": 2, "hidden": 32, "heads": 4, "kv_heads": 2, "vocabulary": 96, "initial_deviation": 0.2},
    }
)
STEPS = 4


def step_batches(step: int) -> list[MicroBatch]:
    """Four micro-batches of very uneven weights; all that the second rank of two has is masked in the second step."""
    batches = [toy_batch(100 * step + number, isolated=step % 2 == 0) for number in range(4)]
    dark = (1, 3) if step == 1 else (3,)
    return [masked(batch) if number in dark else batch for number, batch in enumerate(batches)]


def poisoned() -> list[MicroBatch]:
    """Token 95 in the second micro-batch only."""
    batches = [dataclasses.replace(batch, tokens_BS=batch.tokens_BS % 90) for batch in step_batches(0)]
    batches[1].tokens_BS[0, 3] = 95
    return batches


def poison(backend: ReferenceBackend) -> None:
    """Makes the loss of any row with token 95 infinite."""
    with torch.no_grad():
        backend.model.embedding.weight[95] = float("inf")


def figures(result: StepResult) -> dict[str, object]:
    """What must be equal on every rank."""
    return {"loss": result.loss, "norm": result.gradient_norm, "updated": result.updated, "sources": result.by_source}


def train(rank: int, world: int) -> dict[str, object]:
    """The figures of some steps, the first gradients, the last tensors, losses of a forward pass, and a bad step."""
    backend = ReferenceBackend(CONFIG, SOURCES)
    found: dict[str, object] = {}
    for step in range(STEPS):
        whole = step_batches(step)
        result = backend.step(whole[rank::world], toy_knobs(step, whole, keep_gradients=step == 0))
        found[f"step {step}"] = figures(result)
        if step == 0:
            parts = [part for part in backend.tensors(gradients=True) if part.role == "gradient"]
            found["gradients"] = {part.name: part.values.clone() for part in parts}
    found["tensors"] = {(part.name, part.role): part.values.clone() for part in backend.tensors()}
    uneven = step_batches(9)[:3] if world == 1 else (step_batches(9)[:3], [])[rank]
    found["losses"] = dataclasses.asdict(backend.losses(uneven))
    poison(backend)
    bad = backend.step(poisoned()[rank::world], toy_knobs(STEPS, poisoned()))
    found["bad"] = {"updated": bad.updated, "finite": bool(np.isfinite(bad.loss))}
    found["after"] = {(part.name, part.role): part.values.clone() for part in backend.tensors()}
    backend.close()
    return found


if __name__ == "__main__":
    import os

    faulthandler.dump_traceback_later(90, exit=True)
    rank = int(os.environ["RANK"])
    torch.save(train(rank, int(os.environ["WORLD_SIZE"])), Path(sys.argv[1]) / f"rank{rank}.pt")
