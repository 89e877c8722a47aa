"""A kill at any point of a save leaves a latest checkpoint that loads; a byte that changed is found."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.errors import UserError
from trainer.backends.protocol import TensorSlice
from trainer.checkpoint import store
from trainer.checkpoint.layout import BadLayout, whole
from trainer.checkpoint.retention import retain
from trainer.faults import OneRank

SHAPES = {"embedding": (6, 4), "norm": (4,)}


def values(name: str, step: int) -> torch.Tensor:
    return torch.arange(torch.Size(SHAPES[name]).numel(), dtype=torch.float32).reshape(SHAPES[name]) + step


def slices(step: int) -> Iterator[TensorSlice]:
    fused = torch.cat(
        [values(name, step).reshape(-1) for name in SHAPES]
    )  # parts of one storage, as backends have them
    at = 0
    for name, shape in SHAPES.items():
        size = torch.Size(shape).numel()
        yield TensorSlice(name, "parameter", shape, whole(shape), fused[at : at + size].view(shape), True)
        at += size
    yield TensorSlice("embedding", "step", (), (), torch.tensor(float(step)), True)
    yield TensorSlice("embedding", "parameter", (6, 4), whole((6, 4)), torch.zeros(6, 4), False)  # another's


def save(folder: Path, step: int) -> Path:
    return store.save(folder, step, slices(step), {"loss": 1.5}, OneRank())


def check(path: Path, step: int) -> None:
    checkpoint = store.Checkpoint(path)
    assert checkpoint.state == {"loss": 1.5, "step": step}
    for name, shape in SHAPES.items():
        assert torch.equal(checkpoint.read(name, "parameter", whole(shape)), values(name, step))
    assert torch.equal(checkpoint.read("embedding", "parameter", ((2, 5), (1, 3))), values("embedding", step)[2:5, 1:3])
    assert checkpoint.read("embedding", "step", ()).item() == step


def test_what_was_saved_is_read(tmp_path: Path) -> None:
    assert store.latest(tmp_path / "none") is None
    path = save(tmp_path, 7)
    assert path.name == "step-00000007" and sorted(os.listdir(path)) == [
        "index.json",
        "manifest.json",
        "state.json",
        "tensors",
    ]
    check(path, 7)
    with pytest.raises(BadLayout, match="holds no exp_avg"):
        store.Checkpoint(path).read("embedding", "exp_avg", ((0, 1), (0, 1)))


def test_the_same_state_gives_the_same_bytes(tmp_path: Path) -> None:
    one, other = save(tmp_path / "a", 7), save(tmp_path / "b", 7)
    for name in ("manifest.json", "index.json", "state.json", "tensors/0.safetensors"):
        assert (one / name).read_bytes() == (other / name).read_bytes()


def killed_at(call: int, work: Callable[[], Any]) -> bool:
    """Does the work in a child that is killed with SIGKILL just before its n-th system call on files; whether it was."""
    child = os.fork()
    if child == 0:
        left = call

        def counted(real: Callable[..., Any]) -> Callable[..., Any]:
            def before(*given: Any, **named: Any) -> Any:
                nonlocal left
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                left -= 1
                return real(*given, **named)

            return before

        os.fsync = counted(os.fsync)
        Path.rename = counted(Path.rename)  # type: ignore[method-assign]
        Path.write_bytes = counted(Path.write_bytes)  # type: ignore[method-assign]
        Path.mkdir = counted(Path.mkdir)  # type: ignore[method-assign]
        store.save_file = counted(store.save_file)
        shutil.rmtree = counted(shutil.rmtree)
        try:
            work()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


@pytest.mark.parametrize("broken_target", [False, True])
def test_a_kill_at_any_point_of_a_save_leaves_a_latest_that_loads(tmp_path: Path, broken_target: bool) -> None:
    points = 0
    while True:
        folder = tmp_path / str(points)
        save(folder, 5)
        if broken_target:
            (save(folder, 10) / "state.json").write_text("{}")
        if not killed_at(points, lambda: (save(folder, 10), retain(folder, 1))):  # noqa: B023
            break
        found = store.latest(folder)
        assert found is not None and found.step in (5, 10)
        check(found.path, found.step)
        path = save(folder, 10)  # and the same save goes through afterwards
        check(path, 10)
        assert not [name for name in os.listdir(folder) if name.endswith(store.PARTIAL)]
        points += 1
    assert points >= 15
    assert list(store.list_checkpoints(folder)) == [10]


@settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
@pytest.mark.parametrize("name", ["manifest.json", "index.json", "state.json", "tensors/0.safetensors"])
def test_a_flipped_bit_is_found(tmp_path: Path, name: str, at: float, bit: int) -> None:
    folder = tmp_path / "checkpoints"
    if not folder.exists():
        save(folder, 5)
        save(folder, 10)
    file = folder / "step-00000010" / name
    sound = file.read_bytes()
    changed = bytearray(sound)
    changed[int(at * len(sound))] ^= 1 << bit
    file.write_bytes(changed)
    try:
        found = store.latest(folder)
        assert found is not None and found.step == 5 and "step-00000010" in found.broken[0]
    finally:
        file.write_bytes(sound)


def test_a_run_never_begins_again_from_zero_where_all_are_broken(tmp_path: Path) -> None:
    for step in (5, 10):
        (save(tmp_path, step) / "tensors" / "0.safetensors").unlink()
    with pytest.raises(
        UserError, match=r"No checkpoint .* is whole \(step-00000010: tensors/0.safetensors is missing"
    ) as error:
        store.latest(tmp_path)
    assert "\n" not in str(error.value)


def test_a_folder_under_another_steps_name_is_refused(tmp_path: Path) -> None:
    save(tmp_path, 5).rename(tmp_path / "step-00000050")
    with pytest.raises(UserError, match="step 5"):
        store.latest(tmp_path)


def test_a_disk_that_refuses_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="Cannot write the checkpoint") as error:
        save(tmp_path / "file", 5)
    assert "\n" not in str(error.value)


def test_a_part_given_twice_by_one_rank_is_refused(tmp_path: Path) -> None:
    twice = [*slices(1), *slices(1)]
    with pytest.raises(BadLayout, match="twice"):
        store.save(tmp_path, 1, twice, {}, OneRank())
    assert store.latest(tmp_path) is None


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(keep=st.integers(1, 4), broken=st.sets(st.integers(1, 6)), count=st.integers(1, 6))
def test_retention_keeps_the_latest_whole_ones(tmp_path: Path, keep: int, broken: set[int], count: int) -> None:
    folder = tmp_path / "checkpoints"
    shutil.rmtree(folder, ignore_errors=True)
    for step in range(1, count + 1):
        path = save(folder, step)
        if step in broken:
            (path / "manifest.json").unlink()
    retain(folder, keep)
    remaining = set(store.list_checkpoints(folder))
    sound = [step for step in range(1, count + 1) if step not in broken]
    assert set(sound[-keep:]) <= remaining, "as many whole ones as there are, up to `keep`, stay"
    assert len(remaining - broken) == min(keep, len(sound))
