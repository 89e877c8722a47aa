"""Initial values depend on name, shape, model and seed alone."""

from __future__ import annotations

import pytest
import torch

from trainer.config import Model
from trainer.models.initial import initial
from trainer.models.naming import shapes

MODEL = Model(architecture="gpt2", layers=8, hidden=64, heads=4, vocabulary=512)


def test_nothing_else_draws_from_the_same_numbers() -> None:
    first = initial("layers.1.up", (256, 64), MODEL, seed=1)
    torch.manual_seed(99)
    initial("layers.0.up", (256, 64), MODEL, seed=1)
    assert torch.equal(initial("layers.1.up", (256, 64), MODEL, seed=1), first)
    assert not torch.equal(initial("layers.0.up", (256, 64), MODEL, seed=1), first)
    assert not torch.equal(initial("layers.1.up", (256, 64), MODEL, seed=2), first)


@pytest.mark.parametrize(
    ("name", "deviation"),
    [("embedding", 0.02), ("layers.3.query", 0.02), ("layers.3.up", 0.02), ("layers.3.down", 0.005)]
    + [("layers.3.attention_output", 0.005), ("positions", 0.02)],
)
def test_projections_into_the_residual_stream_start_smaller(name: str, deviation: float) -> None:
    values = initial(name, (512, 64), MODEL, seed=1)
    assert values.std().item() == pytest.approx(deviation, rel=0.02)
    assert abs(values.mean().item()) < deviation / 50


def test_norms_are_ones_and_biases_zeros() -> None:
    for name, shape in shapes(MODEL, 32).items():
        values = initial(name, shape, MODEL, seed=1)
        assert values.shape == shape and values.dtype == torch.float32
        if name.endswith(".bias"):
            assert not values.any(), name
        elif len(shape) == 1:
            assert (values == 1).all(), name
