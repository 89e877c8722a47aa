"""One rank of four that train the toy model in several layouts, one after another. Started by `test_megatron`:

    python megatron_ranks.py FOLDER RANK

First all four make a world, then the first two, then the first alone: what takes long, the imports, happens once. A world
loads and trains on what the one before it saved. Rank 0 writes FOLDER/results.pt.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

faulthandler.dump_traceback_later(230, exit=True)  # a gloo layout that goes wrong often hangs

from trainer.backends.megatron import MegatronBackend  # noqa: E402

# isort: split
import numpy as np  # noqa: E402
import torch  # noqa: E402
import torch.distributed as dist  # noqa: E402

from trainer.backends.protocol import Knobs, Region, Role, TensorSlice, TrainerBackend  # noqa: E402
from trainer.backends.reference import ReferenceBackend  # noqa: E402
from trainer.checkpoint import layout as parts_layout  # noqa: E402
from trainer.config import Data, Layout, Model, Training  # noqa: E402
from trainer.data.micro_batch import SPANS, MicroBatch  # noqa: E402

STEPS, SAVED_AT, RESUMED = 20, 6, 2
SEQUENCE, ROWS, MICRO_BATCHES = 64, 2, 4
SOURCES = ("web", "code")
Style = Literal["llama", "gpt2"]
STYLES: tuple[Style, ...] = ("llama", "gpt2")
ROLES = ("parameter", "exp_avg", "exp_avg_sq", "step")
_PAIRS = {
    "DP2": Layout(),
    "TP2": Layout(tensor=2),
    "TP2+SP": Layout(tensor=2, sequence_parallel=True),
    "PP2": Layout(pipeline=2),
}
_BOTH = {"TP2 x PP2": Layout(tensor=2, pipeline=2)}
LAYOUTS: dict[int, dict[Style, dict[str, Layout]]] = {  # by number of processes, in order
    4: {
        "llama": _BOTH | {"TP2+SP x DP2": Layout(tensor=2, sequence_parallel=True)},
        "gpt2": _BOTH | {"PP2 x DP2": Layout(pipeline=2)},
    },
    2: {"llama": _PAIRS, "gpt2": _PAIRS},
    1: {"llama": {"one process": Layout()}, "gpt2": {"one process": Layout()}},
}


def training(style: Style, layout: Layout) -> Training:
    """Grouped queries in both styles; embeddings are tied in gpt2."""
    model = Model(architecture=style, layers=2, kv_heads=2)
    return Training(backend="megatron", model=model, data=Data(sequence_length=SEQUENCE), layout=layout)


def micro_batches(step: int) -> list[MicroBatch]:
    """The step's micro-batches over all ranks: weights uneven, the second all masked, in step 3 the fourth too (with two data
    ranks one then trains nothing); documents are isolated in every other step."""
    return [_micro_batch(step, i, masked=i == 1 or (step, i) == (3, 3)) for i in range(MICRO_BATCHES)]


def _micro_batch(step: int, number: int, masked: bool) -> MicroBatch:
    rng = np.random.default_rng([step, number])
    at, isolated = np.arange(SEQUENCE), step % 2 == 1
    tokens = rng.integers(0, 64, (ROWS, SEQUENCE + 1)) * np.array([1, 7])[np.arange(SEQUENCE + 1) % 2]
    weights = (rng.random((ROWS, 1)) > rng.random((ROWS, SEQUENCE))) * (not masked)
    first, second = np.sort(rng.choice(np.arange(1, SEQUENCE), 2, replace=False))
    begins = np.where(at < first, 0, np.where(at < second, first, second))
    edges = (0, first, second, SEQUENCE)
    spans = [(0, row, (row + i) % 2, i, edges[i], edges[i + 1] - edges[i]) for row in range(ROWS) for i in range(3)]
    return MicroBatch(
        tokens_BS=tokens[:, :-1],
        labels_BS=tokens[:, 1:],
        weights_BS=weights.astype(np.float32),
        positions_BS=np.tile(at - begins * isolated, (ROWS, 1)),
        segments_BS=np.zeros((ROWS, SEQUENCE), np.int32),
        spans=np.array(spans, SPANS),
        isolated=isolated,
    )


def knobs(step: int, **other: Any) -> Knobs:
    tokens = int(sum(batch.weights_BS.sum() for batch in micro_batches(step)))
    lr = 1e-3 * min(1.0, (step + 1) / 5)
    return Knobs(step, lr=lr, weight_decay=0.1, clip_norm=0.5, trained_tokens=tokens, **other)


def share(backend: TrainerBackend, step: int) -> list[MicroBatch]:
    """This data rank's micro-batches, in the order of the design: micro-batch q of rank r is number q · data + r."""
    return micro_batches(step)[backend.place.data_rank :: backend.place.data]


def gather(value: Any) -> list[Any]:
    """Every rank's value, by rank."""
    found = [value] * (dist.get_world_size() if dist.is_initialized() else 1)
    if len(found) > 1:
        dist.all_gather_object(found, value)
    return found


def whole(slices: Iterator[TensorSlice], roles: tuple[str, ...] = ROLES) -> dict[str, torch.Tensor]:
    """Canonical tensors, `role/name`, put together from all ranks' slices; `merge` holds that they cover them just once."""
    mine = [(s.name, s.role, s.shape, s.region, s.values.numpy()) for s in slices if s.owner and s.role in roles]
    gathered = gather(mine)
    found: dict[str, torch.Tensor] = {}
    parts = []
    for rank, theirs in enumerate(gathered):
        for name, role, shape, region, values in theirs:
            tensor = found.setdefault(f"{role}/{name}", torch.empty(shape))
            tensor[tuple(slice(*edge) for edge in region)] = torch.tensor(values)
            parts.append(((name, role), shape, "float32", parts_layout.Part(str(rank), region)))
    parts_layout.merge(parts)
    return found


def reader(state: dict[str, torch.Tensor]) -> Any:
    def read(name: str, role: Role, region: Region) -> torch.Tensor:
        return state[f"{role}/{name}"][tuple(slice(*edge) for edge in region)]

    return read


def train(backend: TrainerBackend) -> dict[str, Any]:
    """All steps: what came of them, gradients of the first, every tensor before step SAVED_AT, parameters at the end."""
    got: dict[str, Any] = {"losses": [], "norms": [], "by_source": [], "cpu": []}
    for step in range(STEPS):
        if step == SAVED_AT:
            got["saved"] = whole(backend.tensors())
        start = time.process_time()
        result = backend.step(share(backend, step), knobs(step, keep_gradients=step == 0))
        got["cpu"].append(time.process_time() - start)
        got["losses"].append(result.loss), got["norms"].append(result.gradient_norm)
        got["by_source"].append(result.by_source.tolist())
        assert result.updated
        if step == 0:
            got["gradients"] = whole(backend.tensors(gradients=True), ("gradient",))
    got["parameters"] = whole(backend.tensors(), ("parameter",))
    figures = {key: got[key] for key in ("losses", "norms", "by_source")}
    got["ranks_agree"] = all(theirs == figures for theirs in gather(figures))
    return got


def resume(backend: TrainerBackend, state: dict[str, torch.Tensor]) -> dict[str, Any]:
    """Loads what was saved before step SAVED_AT and goes on: whether it is there bit for bit, and the next losses."""
    backend.load(reader(state))
    there = whole(backend.tensors())
    equal = there.keys() == state.keys() and all(torch.equal(there[key], state[key]) for key in state)
    steps = range(SAVED_AT, SAVED_AT + RESUMED)
    return {"equal": equal, "losses": [backend.step(share(backend, step), knobs(step)).loss for step in steps]}


def shows_decay(backend: TrainerBackend) -> dict[str, torch.Tensor]:
    """Parameters before and after a step in which nothing is trained: what changes them is weight decay alone."""
    before = whole(backend.tensors(), ("parameter",))
    batch = _micro_batch(0, 0, masked=True)
    result = backend.step([batch], Knobs(0, lr=0.1, weight_decay=0.5, clip_norm=1.0, trained_tokens=0))
    assert result.updated and result.loss == result.gradient_norm == 0.0
    after = whole(backend.tensors(), ("parameter",))
    return {key.removeprefix("parameter/"): torch.stack([before[key], after[key]]) for key in before}


def shows_refused_steps(backend: MegatronBackend) -> dict[str, Any]:
    """Steps that must change nothing: `update` off, weights that do not add up, and a loss that one rank alone spoils."""
    before = whole(backend.tensors())
    off = backend.step(share(backend, 0), knobs(0, update=False))
    refuses = False
    try:
        backend.step(share(backend, 0), Knobs(0, 1e-3, 0.1, 1.0, trained_tokens=7))
    except ValueError:
        refuses = True
    data = backend.place.data  # of two data ranks, one brings nothing
    sums = backend.losses(share(backend, 1)[: 2 * backend.place.data_rank] if data > 1 else share(backend, 1))
    after = whole(backend.tensors())
    same = all(torch.equal(before[k], after[k]) for k in before)
    if backend.place.rank == 0:
        next(backend.tensors()).values.view(-1)[0] = float("nan")
    spoilt = backend.step(share(backend, 0), knobs(0))
    steps = {v.item() for v in whole(backend.tensors(), ("step",)).values()}
    mine: dict[str, Any] = {
        "off": off.updated,
        "same": same,
        "refuses_other_tokens": refuses,
        "spoilt": spoilt.updated,
        "steps": steps,
    }
    return {
        "ranks": gather(mine | {"total": sums.total, "tokens": sums.tokens}),
        "loss": off.loss,
        "spoilt_loss": spoilt.loss,
    }


def main(folder: Path, rank: int) -> None:
    results: dict[str, Any] = {}
    left: dict[Style, dict[str, Any]] = {style: {} for style in STYLES}  # what the last layout saved
    for world in LAYOUTS:
        if rank >= world:
            break
        os.environ |= {"WORLD_SIZE": str(world), "RANK": str(rank), "LOCAL_RANK": str(rank)}
        if world > 1:  # one process alone needs none: there the backend starts its own
            dist.init_process_group("gloo", init_method=f"file://{folder}/{world}", world_size=world, rank=rank)
        for style in STYLES:
            results |= train_all(style, LAYOUTS[world][style], left)
        if world > 1:
            dist.destroy_process_group()
    if rank == 0:
        for style in STYLES:
            results[f"{style}, reference"] = train(ReferenceBackend(training(style, Layout()), SOURCES))
        torch.save(results, folder / "results.pt")


def train_all(style: Style, layouts: dict[str, Layout], left: dict[Style, dict[str, Any]]) -> dict[str, Any]:
    """Every layout of a world; each resumes what the one before it saved, and what it saved itself."""
    results: dict[str, Any] = {}
    for name, layout in layouts.items():
        backend = MegatronBackend(training(style, layout), SOURCES)
        got = train(backend)
        left[style][name] = got["saved"]
        got["resumed"] = {saved_by: resume(backend, state) for saved_by, state in left[style].items()}
        left[style] = {name: got["saved"]}
        if name == list(layouts)[-1]:
            got["refused"] = shows_refused_steps(backend)
        backend.close()
        results[f"{style}, {name}"] = got
    backend = MegatronBackend(training(style, next(iter(layouts.values()))), SOURCES)
    results[f"{style}, decay in {backend.place.world}"] = shows_decay(backend)
    backend.close()
    return results


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
