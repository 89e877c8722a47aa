"""What a backend is: it knows tensors, and nothing of schedules, files, signals, logging or where data comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
from torch import Tensor

from trainer.data.micro_batch import MicroBatch

Role = Literal["parameter", "exp_avg", "exp_avg_sq", "step", "gradient"]
Region = tuple[tuple[int, int], ...]  # [start, stop) in each dimension of a canonical tensor


@dataclass(frozen=True)
class Place:
    """This process in its layout: world size and rank, and size and coordinate in each direction."""

    world: int
    rank: int
    data: int
    data_rank: int
    tensor: int = 1
    tensor_rank: int = 0
    pipeline: int = 1
    pipeline_rank: int = 0


@dataclass(frozen=True)
class Knobs:
    """What a step is done with. `trained_tokens`: the weights' sum over ALL micro-batches of the step, on all ranks."""

    step: int
    lr: float
    weight_decay: float
    clip_norm: float
    trained_tokens: int
    update: bool = True
    keep_gradients: bool = False


@dataclass(frozen=True)
class StepResult:
    """What came of a step, equal on every rank.

    loss           sum of weighted token losses / trained tokens, over the whole step
    gradient_norm  over all parameters and ranks, before clipping
    updated        false on every rank together where loss or norm is not finite, or `update` was off
    by_source      [sources, 2] float64: (sum of token losses, tokens)
    seconds        wall time
    """

    loss: float
    gradient_norm: float
    updated: bool
    by_source: npt.NDArray[np.float64]
    seconds: float


@dataclass(frozen=True)
class LossSums:
    """Losses of a forward pass: total, tokens and the same by source, over the given micro-batches, on all ranks."""

    total: float
    tokens: float
    by_source: npt.NDArray[np.float64]


@dataclass(frozen=True)
class TensorSlice:
    """This rank's part of a canonical tensor. `owner` is true on just one rank of those that hold the same part."""

    name: str
    role: Role
    shape: tuple[int, ...]
    region: Region
    values: Tensor
    owner: bool


Read = Callable[[str, Role, Region], Tensor]  # the values of a region of a canonical tensor


class TrainerBackend(Protocol):
    """One process's part of training. `sources` of results are the plan's, in order."""

    place: Place

    def step(self, batches: Sequence[MicroBatch], knobs: Knobs) -> StepResult:
        """Forward, backward, reduce, clip, update. `batches`: this data rank's micro-batches of ONE step."""
        ...

    def losses(self, batches: Sequence[MicroBatch]) -> LossSums:
        """Forward only, on the same code path."""
        ...

    def tensors(self, gradients: bool = False) -> Iterator[TensorSlice]:
        """This rank's parameters and optimizer state under canonical names; with `gradients`, those of the last step."""
        ...

    def load(self, read: Read) -> None:
        """Takes parameters and optimizer state from canonical tensors."""
        ...

    def close(self) -> None:
        """Ends process groups."""
        ...
