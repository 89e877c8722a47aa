"""`prove resume`: a run that was killed inside a save, resumed, stopped by a signal and resumed again has the same bits.

Twenty steps without a stop against: trained to a save after step 7, killed with SIGKILL inside the save after step 14, begun
again at 7, stopped by SIGTERM after step 13, and begun again to the end. Compared are every line of the metrics (times left
out) and every tensor of the last checkpoint, parameters and optimizer, bit for bit. The commands are the same each time.
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from rich.console import Console
from rich.table import Table

from connectors.errors import UserError
from trainer.checkpoint import store
from trainer.config import Layout, Training
from trainer.launch import hold_lifeline, reporting
from trainer.metrics import read_metrics
from trainer.prove.mutants import injected
from trainer.prove.toy import LIMIT, STEPS, start, toy_folder, toy_training

SAVE_EVERY, KILLED_IN_SAVE, STOPPED_AFTER = 7, 14, 13
TIMES = ("seconds", "tokens_per_second")


@dataclass(frozen=True)
class Resumed:
    """A layout that was stopped and resumed: lines of metrics that differ, whether all tensors are equal, and what befell it."""

    name: str
    lines_that_differ: int
    tensors_equal: bool
    story: str

    @property
    def holds(self) -> bool:
        return self.lines_that_differ == 0 and self.tensors_equal


LAYOUTS: tuple[tuple[str, int, dict[str, Any]], ...] = (
    ("reference, one process", 1, {}),
    ("megatron, tp2+sp", 2, {"backend": "megatron", "layout": Layout(tensor=2, sequence_parallel=True)}),
    ("megatron, dp2 (optimizer state sharded)", 2, {"backend": "megatron"}),
)


def prove(console: Console) -> bool:
    """Runs each layout; prints the table and how many have the same bits. Whether all have."""
    with toy_folder() as folder:
        rows = [stopped_and_resumed(folder, name, ranks, parts) for name, ranks, parts in LAYOUTS]
    table = Table(title=f"{STEPS} steps without a stop against killed, resumed, stopped, resumed", title_justify="left")
    for column in ("", "lines that differ", "tensors", "what befell it", ""):
        table.add_column(column)
    for row in rows:
        equal = "bit-equal" if row.tensors_equal else "differ"
        table.add_row(row.name, str(row.lines_that_differ), equal, row.story, "✓" if row.holds else "✗")
    console.print(table)
    held = sum(row.holds for row in rows)
    console.print(f"{held} of {len(rows)} layouts resume to the same bits", highlight=False)
    return held == len(rows)


def stopped_and_resumed(folder: Path, name: str, ranks: int, parts: dict[str, Any], mutant: str = "") -> Resumed:
    """One layout's two runs, compared. The mutant, if any, is in the parts that resume."""
    label = "".join(letter if letter.isalnum() else "-" for letter in f"{name}-{mutant}")
    config = toy_training(**parts, checkpoint={"every": SAVE_EVERY, "keep_last": 9})
    straight = _Run(folder, config.model_copy(update={"name": f"straight-{label}"}), ranks)
    stopped = _Run(folder, config.model_copy(update={"name": f"stopped-{label}"}), ranks)
    straight.train()
    story = [stopped.train(kill_in_save=KILLED_IN_SAVE)]
    story.append(stopped.train(stop_after=STOPPED_AFTER, mutant=mutant))
    story.append(stopped.train(mutant=mutant))
    one, other = straight.lines(), stopped.lines()
    differ = sum(a != b for a, b in zip(one, other)) + abs(len(one) - len(other))
    last = [store.Checkpoint(run.folder / "checkpoints" / store.folder_name(STEPS)) for run in (straight, stopped)]
    return Resumed(name, differ, store.equal_tensors(*last), ", ".join(story))


class _Run:
    """A training run on the toy run's shards, as the command starts it."""

    def __init__(self, folder: Path, config: Training, ranks: int) -> None:
        self._root, self._config, self._ranks = folder, config, ranks
        self.folder = folder / "run" / "train" / config.name

    def train(self, **events: Any) -> str:
        """Trains until the end or until something befalls it; says how far it came."""
        task = self._root / "resume-task.json"
        task.write_text(json.dumps({"run": str(self._root / "run"), "config": self._config.model_dump(), **events}))
        before = self._step()
        try:
            start(self._root, ["-m", "trainer.prove.resume", str(task)], self._ranks)
            ended = "stopped" if self._step() < STEPS else "done"
        except UserError as error:
            if "SIGKILL" not in str(error):
                raise
            ended = "killed"
        return f"{before} → {ended} at {KILLED_IN_SAVE if ended == 'killed' else self._step()}"

    def _step(self) -> int:
        found = store.latest(self.folder / "checkpoints")
        return found.step if found else 0

    def lines(self) -> list[dict[str, Any]]:
        """The metrics without their times."""
        records = read_metrics(self.folder / "metrics.jsonl")
        return [{key: value for key, value in record.items() if key not in TIMES} for record in records]


# ---- on each rank


@contextmanager
def _events(kill_in_save: int = 0, stop_after: int = 0) -> Iterator[None]:
    """SIGKILL just before a checkpoint's manifest would be written; SIGTERM at the end of a step."""
    from trainer.loop import _Session

    manifest, account = store._manifest, _Session._account

    def killing(content: dict[str, Any]) -> bytes:
        if content["step"] == kill_in_save:
            os.kill(os.getpid(), signal.SIGKILL)
        return manifest(content)

    def stopping(session: _Session, *arguments: Any) -> None:
        account(session, *arguments)
        if session.step == stop_after and session.ranks.rank == 0:
            os.kill(os.getpid(), signal.SIGTERM)

    with mock.patch.object(store, "_manifest", killing), mock.patch.object(_Session, "_account", stopping):
        yield


def _main(task: Path) -> None:
    faulthandler.dump_traceback_later(LIMIT, exit=True)
    hold_lifeline()
    from trainer.loop import train

    plain = json.loads(task.read_bytes())
    events = {key: plain[key] for key in ("kill_in_save", "stop_after") if key in plain}
    with injected(plain.get("mutant", "")), _events(**events):
        train(Training.model_validate(plain["config"]), plain["run"])


if __name__ == "__main__":
    with reporting():
        _main(Path(sys.argv[1]))
