"""One rank of a world that runs cases, one after another: `python -m trainer.prove.toy_rank TASK.json`."""

from __future__ import annotations

import faulthandler
import json
import os
import sys
from pathlib import Path
from typing import Any

from trainer import schedules
from trainer.backends.opening import open_backend
from trainer.backends.protocol import Knobs
from trainer.checkpoint import store
from trainer.data.plan import DataPlan
from trainer.faults import Ranks, all_ranks, on_first
from trainer.launch import hold_lifeline, reporting
from trainer.prove import uneven
from trainer.prove.mutants import injected
from trainer.prove.toy import LIMIT, Case


def _main(task: Path) -> None:
    faulthandler.dump_traceback_later(LIMIT, exit=True)
    hold_lifeline()
    from torch import distributed

    world = int(os.environ["WORLD_SIZE"])
    if world > 1:
        distributed.init_process_group("gloo")
    ranks = all_ranks()
    for plain in json.loads(task.read_bytes()):
        case = Case(**plain)
        folder = task.parent / "cases" / case.name
        with injected(case.mutant):
            result = _checked(case, task.parent / "run", folder, ranks)
        if ranks.rank == 0:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "result.json").write_text(json.dumps(result))
    if world > 1:
        distributed.destroy_process_group()


def _checked(case: Case, run: Path, folder: Path, ranks: Ranks) -> dict[str, Any]:
    """A case's record; that of a mutant may be the check of ours that stopped it."""
    try:
        return _train(case, run, folder, ranks)
    except Exception as error:
        if not case.mutant:
            raise
        return {"failed": f"{type(error).__name__}: {error}"}


def _train(case: Case, run: Path, folder: Path, ranks: Ranks) -> dict[str, Any]:
    config = case.training()
    plan = DataPlan(config, run)
    backend = open_backend(config, plan.source_names)
    results = []
    try:
        place, optimizer = backend.place, config.optimizer
        if case.start:
            backend.load(store.Checkpoint(Path(case.start)).read)
        if case.resaved:
            _rename(store.save(folder, case.first, backend.tensors(), {}, ranks), folder / "loaded", ranks)
        for step in range(case.first, case.stop):
            mine, trained = uneven.batches(plan, step, place.data_rank, place.data)
            lr = optimizer.lr * schedules.factor(config.schedule, step)
            keep = case.gradients and step == case.first
            knobs = Knobs(step, lr, optimizer.weight_decay, optimizer.clip_norm, trained, keep_gradients=keep)
            results.append(backend.step(mine, knobs))
            if keep:
                path = store.save(folder, step + 1, backend.tensors(gradients=True), {}, ranks)
                _rename(path, folder / "first", ranks)
        mine, _ = uneven.batches(plan, case.stop, place.data_rank, place.data)
        forward = backend.losses(mine)
        _rename(store.save(folder, case.stop, backend.tensors(), {}, ranks), folder / "last", ranks)
    finally:
        backend.close()
    return {
        "losses": [result.loss for result in results],
        "norms": [result.gradient_norm for result in results],
        "by_source": [result.by_source.tolist() for result in results],
        "forward": forward.total / forward.tokens,
    }


def _rename(path: Path, name: Path, ranks: Ranks) -> None:
    on_first(ranks, lambda: path.rename(name))


if __name__ == "__main__":
    with reporting():
        _main(Path(sys.argv[1]))
