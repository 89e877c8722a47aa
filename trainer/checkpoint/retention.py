"""Which checkpoints stay: the latest whole ones. An older one goes only when enough later ones are durable."""

from __future__ import annotations

import shutil
from pathlib import Path

from trainer.checkpoint.store import GONE, list_checkpoints, looks_whole


def retain(folder: Path, keep_last: int) -> list[int]:
    """Removes checkpoints that are older than the `keep_last` latest whole ones; the steps removed.

    A checkpoint that is not whole counts for nothing and hides nothing: with three kept, three whole ones stay. What goes is
    renamed first, so that a kill in between leaves no half of one under its name.
    """
    steps = list_checkpoints(folder)
    kept = [step for step, path in sorted(steps.items(), reverse=True) if looks_whole(path)][:keep_last]
    removed = sorted(step for step in steps if len(kept) == keep_last and step < kept[-1])
    for step in removed:
        gone = steps[step].with_name(f".{steps[step].name}{GONE}")
        shutil.rmtree(gone, ignore_errors=True)
        steps[step].rename(gone)
        shutil.rmtree(gone)
    return removed
