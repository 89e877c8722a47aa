"""Initial values by name: the same weights in every layout and every backend, without a seed checkpoint.

Norm weights are 1 and biases 0; every other tensor is normal with the model's `initial_deviation`, and the two projections that
write into the residual stream (`attention_output`, `down`) with that divided by √(2 · layers), as GPT-2 and Megatron do
(Radford et al. 2019, section 2.3).
"""

from __future__ import annotations

import hashlib
import math

import torch
from torch import Tensor

from trainer.config import Model


def initial(name: str, shape: tuple[int, ...], model: Model, seed: int) -> Tensor:
    """The whole canonical tensor `name`, float32 on the host; it depends on nothing but the arguments.

    A rank that holds a part of it makes the whole and keeps its slice, one tensor at a time.
    """
    last = name.rpartition(".")[2]
    if last == "bias":
        return torch.zeros(shape)
    if last.endswith("norm"):
        return torch.ones(shape)
    deviation = model.initial_deviation
    if last in {"attention_output", "down"}:
        deviation /= math.sqrt(2 * model.layers)
    return torch.randn(shape, generator=_generator(name, seed)) * deviation


def _generator(name: str, seed: int) -> torch.Generator:
    """A generator of its own for each tensor: no order of creation, no count of what was drawn before."""
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "little") >> 1)  # torch takes 63 bits
