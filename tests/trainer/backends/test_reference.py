"""The reference backend: updates are the formulas, micro-batches and ranks add up, a resume is exact, bad steps change nothing."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.trainer.backends import reference_worker as worker
from tests.trainer.backends.toy_batches import SOURCES, joined, masked, toy_batch, toy_knobs
from trainer.backends.protocol import Region, Role
from trainer.backends.reference import ReferenceBackend
from trainer.config import Training
from trainer.models.naming import is_decayed, shapes
from trainer.optimizers import groups

ROOT = Path(__file__).resolve().parents[3]
Named = dict[tuple[str, Role], Tensor]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def changed(config: Training, **parts: dict[str, object]) -> Training:
    given = config.model_dump()
    return Training.model_validate(given | {name: given[name] | part for name, part in parts.items()})


GPT2 = changed(worker.CONFIG, model={"architecture": "gpt2"})
SGD = changed(worker.CONFIG, optimizer={"name": "sgd"})


def opened(config: Training = worker.CONFIG) -> ReferenceBackend:
    return ReferenceBackend(config, SOURCES)


def copied(backend: ReferenceBackend) -> Named:
    return {(part.name, part.role): part.values.clone() for part in backend.tensors()}


def gradients(backend: ReferenceBackend) -> dict[str, Tensor]:
    return {part.name: part.values.clone() for part in backend.tensors(gradients=True) if part.role == "gradient"}


def assert_same(first: Named, second: Named) -> None:
    assert first.keys() == second.keys()
    for key, tensor in first.items():
        assert torch.equal(tensor, second[key]), key


def assert_gradients_close(first: dict[str, Tensor], second: dict[str, Tensor]) -> None:
    """1e-5 of each tensor's norm. A key's bias has gradient 0 (a shift that softmax does not see): there only rounding is left."""
    assert first.keys() == second.keys()
    whole = torch.stack([tensor.norm() for tensor in second.values()]).norm()
    for name, tensor in first.items():
        rounding = 1e-7 * whole if name.endswith(".key.bias") else 0.0
        assert (tensor - second[name]).norm() <= 1e-5 * second[name].norm() + rounding, name


# two processes and one


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[dict[str, Any]]]:
    """What two gloo processes saw. The whole process group is ended whatever happens."""
    folder = tmp_path_factory.mktemp("ranks")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "TORCHDYNAMO_DISABLE": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }
    process = subprocess.Popen(
        [*command, worker.__file__, str(folder)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output
        yield [torch.load(folder / f"rank{rank}.pt", weights_only=False) for rank in range(2)]
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def alone() -> dict[str, Any]:
    return worker.train(rank=0, world=1)


def test_two_ranks_see_the_same(ranks: list[dict[str, Any]]) -> None:
    first, second = ranks
    for step in range(worker.STEPS):
        one, other = first[f"step {step}"], second[f"step {step}"]
        assert (one["loss"], one["norm"], one["updated"]) == (other["loss"], other["norm"], other["updated"])
        assert np.array_equal(one["sources"], other["sources"])
    assert_same(first["tensors"], second["tensors"])


def test_two_ranks_are_one_process(ranks: list[dict[str, Any]], alone: dict[str, Any]) -> None:
    """With uneven weights and, in the second step, a rank whose labels are all masked."""
    for step in range(worker.STEPS):
        one, two = alone[f"step {step}"], ranks[0][f"step {step}"]
        assert two["updated"] and two["loss"] == pytest.approx(one["loss"], abs=1e-6 if step == 0 else 1e-5)
        assert two["norm"] == pytest.approx(one["norm"], rel=1e-5)
        np.testing.assert_allclose(two["sources"], one["sources"], rtol=1e-5)
    assert_gradients_close(ranks[0]["gradients"], alone["gradients"])
    for (name, role), tensor in alone["tensors"].items():
        if role == "parameter":
            assert (ranks[0]["tensors"][name, role] - tensor).norm() <= 1e-5 * tensor.norm(), name


def test_losses_add_up_where_a_rank_brings_no_batch(ranks: list[dict[str, Any]], alone: dict[str, Any]) -> None:
    for rank in ranks:
        assert rank["losses"]["total"] == pytest.approx(alone["losses"]["total"], rel=1e-6)
        assert rank["losses"]["tokens"] == alone["losses"]["tokens"] > 0


def test_a_loss_that_is_not_finite_on_one_rank_stops_the_update_on_all(ranks: list[dict[str, Any]]) -> None:
    assert [rank["bad"] for rank in ranks] == [{"updated": False, "finite": False}] * 2
    for rank in ranks:
        rank["tensors"]["embedding", "parameter"][95] = float("inf")
        assert_same(rank["after"], rank["tensors"])


# one process


@pytest.mark.parametrize("config", [worker.CONFIG, GPT2], ids=["llama", "gpt2"])
def test_one_micro_batch_of_eight_rows_is_four_of_two(config: Training) -> None:
    batches = worker.step_batches(0)
    one, four = opened(config), opened(config)
    knobs = toy_knobs(0, batches, keep_gradients=True)
    first, second = one.step([joined(batches)], knobs), four.step(batches, knobs)
    assert first.loss == pytest.approx(second.loss, abs=1e-6)
    np.testing.assert_allclose(first.by_source, second.by_source, rtol=1e-6)
    assert_gradients_close(gradients(one), gradients(four))


@pytest.mark.parametrize("config", [worker.CONFIG, GPT2, SGD], ids=["llama", "gpt2", "sgd"])
def test_a_resume_is_exact(config: Training) -> None:
    through = opened(config)
    saved: Named = {}
    results = []
    for step in range(6):
        if step == 3:
            saved = copied(through)
        results.append(through.step(worker.step_batches(step), toy_knobs(step, worker.step_batches(step))))
    resumed = opened(config.model_copy(update={"seed": 77}))

    def read(name: str, role: Role, region: Region) -> Tensor:
        return saved[name, role][tuple(slice(*side) for side in region)]

    resumed.load(read)
    assert_same(copied(resumed), saved)
    for step in range(3, 6):
        result = resumed.step(worker.step_batches(step), toy_knobs(step, worker.step_batches(step)))
        assert (result.loss, result.gradient_norm) == (results[step].loss, results[step].gradient_norm)
        assert np.array_equal(result.by_source, results[step].by_source)
    assert_same(copied(resumed), copied(through))


def test_an_update_of_adamw_is_the_formulas() -> None:
    """Two updates in float64 (Loshchilov & Hutter 2019, algorithm 2), clipped, decay on matrices only."""
    backend, batches = opened(), worker.step_batches(0)
    beta1, beta2 = worker.CONFIG.optimizer.betas
    expected = {name: tensor.double() for (name, role), tensor in copied(backend).items() if role == "parameter"}
    mean = {name: torch.zeros_like(tensor) for name, tensor in expected.items()}
    square = {name: torch.zeros_like(tensor) for name, tensor in expected.items()}
    for step in range(2):
        knobs = toy_knobs(step, batches, keep_gradients=True)
        result = backend.step(batches, knobs)
        assert result.gradient_norm > knobs.clip_norm  # so that clipping bites
        for name, gradient in gradients(backend).items():
            clipped = gradient.double() * (knobs.clip_norm / result.gradient_norm)
            mean[name] = beta1 * mean[name] + (1 - beta1) * clipped
            square[name] = beta2 * square[name] + (1 - beta2) * clipped**2
            corrected, spread = mean[name] / (1 - beta1 ** (step + 1)), square[name] / (1 - beta2 ** (step + 1))
            decay = knobs.weight_decay if is_decayed(name) else 0.0
            expected[name] *= 1 - knobs.lr * decay
            expected[name] -= knobs.lr * corrected / (spread.sqrt() + worker.CONFIG.optimizer.eps)
    for (name, role), tensor in copied(backend).items():
        if role == "parameter":
            torch.testing.assert_close(tensor.double(), expected[name], rtol=1e-4, atol=2e-5, msg=name)


def test_an_update_of_sgd_moves_against_the_clipped_gradient() -> None:
    backend, batches = opened(SGD), worker.step_batches(0)
    before = copied(backend)
    knobs = toy_knobs(0, batches, keep_gradients=True, weight_decay=0.0)
    result = backend.step(batches, knobs)
    scale = knobs.lr * knobs.clip_norm / result.gradient_norm
    for name, gradient in gradients(backend).items():
        moved = before[name, "parameter"] - copied(backend)[name, "parameter"]
        torch.testing.assert_close(moved, scale * gradient, rtol=1e-3, atol=1e-6, msg=name)


def test_the_reported_norm_and_loss_are_of_the_kept_gradients_and_sources() -> None:
    backend, batches = opened(), worker.step_batches(0)
    knobs = toy_knobs(0, batches, keep_gradients=True)
    result = backend.step(batches, knobs)
    norm = torch.cat([gradient.flatten() for gradient in gradients(backend).values()]).double().norm().item()
    assert result.gradient_norm == pytest.approx(norm, rel=1e-5)
    assert result.loss == pytest.approx(result.by_source[:, 0].sum() / knobs.trained_tokens)
    assert result.by_source[:, 1].sum() == knobs.trained_tokens
    assert backend.losses(batches).by_source.shape == (len(SOURCES), 2)


def test_without_update_nothing_changes() -> None:
    backend, batches = opened(), worker.step_batches(0)
    before = copied(backend)
    assert not backend.step(batches, toy_knobs(0, batches, update=False)).updated
    worker.poison(backend)
    before["embedding", "parameter"][95] = float("inf")
    assert not backend.step(worker.poisoned(), toy_knobs(0, worker.poisoned())).updated
    assert_same(copied(backend), before)


def test_gradients_that_are_not_finite_are_not_taken_though_the_loss_is() -> None:
    backend, batches = opened(), worker.step_batches(0)
    before = copied(backend)
    backend.model.final_norm.weight.register_hook(lambda gradient: gradient * float("inf"))
    result = backend.step(batches, toy_knobs(0, batches))
    assert np.isfinite(result.loss) and not np.isfinite(result.gradient_norm) and not result.updated
    assert_same(copied(backend), before)


def test_a_step_whose_labels_are_all_masked_has_loss_and_gradient_zero() -> None:
    batches = [masked(batch) for batch in worker.step_batches(0)]
    result = opened().step(batches, toy_knobs(0, batches))
    assert (result.loss, result.gradient_norm) == (0.0, 0.0)


def test_a_wrong_count_of_trained_tokens_is_found_before_the_update() -> None:
    backend, batches = opened(), worker.step_batches(0)
    before = copied(backend)
    knobs = toy_knobs(0, batches)
    with pytest.raises(ValueError, match="weights sum to"):
        backend.step(batches, dataclasses.replace(knobs, trained_tokens=knobs.trained_tokens + 1))
    assert_same(copied(backend), before)


def test_gradients_that_were_not_kept_are_refused() -> None:
    with pytest.raises(ValueError, match="keep_gradients"):
        list(opened().tensors(gradients=True))


@pytest.mark.parametrize("config", [worker.CONFIG, GPT2, SGD], ids=["llama", "gpt2", "sgd"])
def test_tensors_are_the_canonical_ones_with_their_state(config: Training) -> None:
    backend = opened(config)
    expected = shapes(config.model, 32)
    parts = {(part.name, part.role): part for part in backend.tensors()}
    roles: list[Role] = ["parameter"] if config.optimizer.name == "sgd" else ["parameter", "exp_avg", "exp_avg_sq"]
    for name, shape in expected.items():
        for role in roles:
            part = parts.pop((name, role))
            assert part.shape == tuple(part.values.shape) == shape and part.owner
            assert part.region == tuple((0, size) for size in shape)
    assert {(role, part.shape) for (_, role), part in parts.items()} <= {("step", ())}


def test_decay_falls_on_matrices_only() -> None:
    named = {name: torch.nn.Parameter(torch.zeros(shape)) for name, shape in shapes(GPT2.model, 32).items()}
    names = {parameter: name for name, parameter in named.items()}
    decayed, spared = ({names[parameter] for parameter in group["params"]} for group in groups(named.items()))
    assert "layers.1.down" in decayed and "layers.0.query" in decayed
    assert {"embedding", "positions", "final_norm", "layers.0.up.bias", "layers.1.attention_norm"} <= spared
    assert decayed | spared == set(named) and not decayed & spared


def test_training_lowers_the_loss() -> None:
    backend, batches = opened(), [toy_batch(1), toy_batch(2)]
    found = [backend.step(batches, toy_knobs(step, batches)).loss for step in range(30)]
    assert found[-1] < 0.5 * found[0]
