"""The only loop: plan → prefetch → knobs → `backend.step` → metrics → checkpoint, if due or asked.

What a step does belongs to the backend; when things happen belongs here. The state of a run is one integer, the step, and what
the backend holds, so the same command goes on where it stopped: from the latest checkpoint that verifies, with the samples that
come next, to the same bits as a run that never stopped.

    RUN/train/NAME/config.yaml       the resolved configuration
    RUN/train/NAME/packing.json      how full the sequences are, where documents are packed
    RUN/train/NAME/metrics.jsonl     a line a step
    RUN/train/NAME/checkpoints/…     see `trainer.checkpoint`
    RUN/train/NAME/perplexity.json   of held-out sequences, after the last step
"""

from __future__ import annotations

import fcntl
import json
import platform
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from rich.console import Console

from connectors import storage
from connectors.errors import UserError
from trainer import schedules
from trainer.backends.opening import open_backend
from trainer.backends.protocol import Knobs, StepResult, TrainerBackend
from trainer.checkpoint import store
from trainer.checkpoint.retention import retain
from trainer.config import Training
from trainer.data.erased import only_erased
from trainer.data.plan import DataPlan, difference
from trainer.data.prefetch import prefetched
from trainer.evaluate.perplexity import held_out
from trainer.faults import Ranks, StopRequest, Watchdog, all_ranks, on_first, stop_request
from trainer.load_config import DELIBERATE, FREE, first_difference, settled, to_plain, to_yaml
from trainer.metrics import MetricsLog, step_record
from trainer.progress import TrainingProgress

NOT_FINITE = 20  # steps in a row without an update, after which a run stops


@dataclass(frozen=True)
class Outcome:
    """What a call of `train` did: the step that it came to, of how many, and the signal that stopped it, if one did."""

    folder: Path
    step: int
    steps: int
    stopped_by: str
    loss: float | None
    perplexity: dict[str, Any] | None


def train(
    configuration: Training,
    run: str | Path,
    console: Console | None = None,
    change: bool = False,
    command: str = "",
    shortest_watch: float = 300.0,
) -> Outcome:
    """Trains, or goes on training, on one rank of the run; torchrun's environment says which. Every rank calls this.

    run             folder of the curation run; what is made lies in `run/train/NAME`
    console         where rank 0 says how far it is
    change          optimizer and schedule may differ from the checkpoint's
    command         what the user types to go on, for the message of a run that was stopped
    shortest_watch  seconds that a step may take at least, before the watchdog ends the process

    Raises `UserError`, on every rank, for what the user can put right.
    """
    config, plan = settled(configuration, Path(run))
    backend = _opened(config, plan)
    with ExitStack() as stack:
        stack.callback(backend.close)
        ranks = all_ranks()
        folder = Path(run) / "train" / config.name
        stack.enter_context(_only_run(folder, ranks))
        progress = TrainingProgress(console if ranks.rank == 0 else None, config.name, config.schedule.steps)
        session = _Session(config, plan, backend, ranks, folder, progress, change)
        stopped_by = session.run(shortest_watch)
        if stopped_by:
            again = f"The same command goes on{': ' + command if command else '.'}"
            progress.say(f"Stopped by {stopped_by} after step {session.step}/{plan.steps}; saved. {again}")
        return Outcome(folder, session.step, plan.steps, stopped_by, session.loss, session.evaluate())


def _opened(config: Training, plan: DataPlan) -> TrainerBackend:
    """The backend, its rendezvous told in a line where it fails."""
    try:
        return open_backend(config, plan.source_names)
    except RuntimeError as error:  # torch's DistNetworkError and DistStoreError among them
        if not type(error).__name__.startswith("Dist"):
            raise
        if "EADDRINUSE" in str(error):
            raise UserError("The port of the ranks' rendezvous is in use: set MASTER_PORT to a free one") from None
        raise UserError(f"The ranks did not find each other: {str(error).splitlines()[0]}") from None


@contextmanager
def _only_run(folder: Path, ranks: Ranks) -> Iterator[None]:
    """Holds the run's lock, on rank 0. Raises `UserError` where another process holds it, or the folder can't be written."""
    with ExitStack() as stack:

        def lock() -> None:
            storage.require_writable(str(folder))
            file = stack.enter_context((folder / ".lock").open("ab"))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise UserError(
                    f"{folder} is being trained by another process: wait for it, or choose another name"
                ) from None

        on_first(ranks, lock)
        yield


class _Session:
    """A run on one rank, from the step that it goes on from."""

    def __init__(
        self,
        config: Training,
        plan: DataPlan,
        backend: TrainerBackend,
        ranks: Ranks,
        folder: Path,
        progress: TrainingProgress,
        change: bool,
    ) -> None:
        self.config, self.plan, self.backend, self.ranks, self.folder = config, plan, backend, ranks, folder
        self.progress, self.checkpoints = progress, folder / "checkpoints"
        self.step, self.saved, self.not_finite = 0, -1, 0
        self.loss: float | None = None
        self.lineage: list[dict[str, Any]] = []
        found = on_first(ranks, lambda: self._latest(change))
        if found is not None:
            checkpoint = store.Checkpoint(found.path)
            self.backend.load(checkpoint.read)
            self.step = self.saved = found.step
            self.lineage, self.loss = checkpoint.state["lineage"], checkpoint.state["loss"]
        wrote = self._writer()
        if not self.lineage or {**self.lineage[-1], "from_step": 0} != {**wrote, "from_step": 0}:
            self.lineage = [*self.lineage, wrote]
        on_first(ranks, lambda: storage.write_bytes(str(folder / "config.yaml"), to_yaml(config).encode()))
        on_first(ranks, self._write_packing)

    def _write_packing(self) -> None:
        """How full each source's sequences are. Where nothing is packed, there is no file."""
        if fills := self.plan.fills():
            plain = {
                "sequence_length": self.plan.sequence_length,
                "by_source": {n: asdict(f) for n, f in fills.items()},
            }
            storage.write_bytes(str(self.folder / "packing.json"), (json.dumps(plain, indent=1) + "\n").encode())

    def _latest(self, change: bool) -> store.Latest | None:
        """The checkpoint to go on from, once it has been held against this configuration."""
        found = store.latest(self.checkpoints)
        if found is None:
            return None
        for broken in found.broken:
            self.progress.say(f"Broken checkpoint {broken}; going on from {found.path.name}.")
        state = store.Checkpoint(found.path).state
        problem = self._other_than(state, change)
        if problem:
            raise UserError(
                f"{self.folder} was trained so far with another configuration: {problem}. Put it back, or choose another name."
            )
        if found.step > self.plan.steps:
            raise UserError(f"{self.folder} has {found.step} steps already; schedule.steps is {self.plan.steps}")
        if found.step < self.plan.steps:
            self.progress.say(f"Going on after step {found.step}/{self.plan.steps}.")
        return found

    def _other_than(self, state: dict[str, Any], change: bool) -> str | None:
        """The first difference that makes this another run than the checkpoint's, as half a sentence."""
        tokenizer = self.plan.rows_of_shards[0].tokenizer
        if state["tokenizer"] != tokenizer:
            return f"the tokenizer's digest was {state['tokenizer'][:12]}, is {tokenizer[:12]}"
        allowed = (*FREE, *(DELIBERATE if change else ()))
        problem = first_difference(state["config"], to_plain(self.config), allowed)
        other = state["plan_digest"] != self.plan.digest() and not only_erased(state["plan"], self.plan)
        if problem is None and other:
            problem = f"the data's plan differs: {difference(state['plan'], self.plan.description())}"
        elif problem is not None and not change and problem.startswith(DELIBERATE):
            problem += " (--change allows it)"
        return problem

    def _writer(self) -> dict[str, Any]:
        """What trains from this step on: an entry of the lineage where it differs from the last one."""
        return {
            "from_step": self.step,
            "backend": self.config.backend,
            "world": self.ranks.world,
            "layout": self.config.layout.model_dump(),
            "micro": self.config.batch.micro,
            "optimizer": self.config.optimizer.model_dump(mode="json"),
            "schedule": self.config.schedule.model_dump(),
            "versions": {"python": platform.python_version(), "torch": metadata.version("torch")},
        }

    def run(self, shortest_watch: float) -> str:
        """Trains to the last step, or to the end of the step in which a signal came: its name, else the empty string."""
        place = self.backend.place
        asked = ""
        with ExitStack() as stack:
            stop = stack.enter_context(stop_request())
            metrics = self._metrics(stack)
            stack.enter_context(self.progress)
            self.progress.begin(self.step)
            watchdog = stack.enter_context(Watchdog(shortest=shortest_watch))
            steps = prefetched(self.plan, self.step, self.plan.steps, place.data_rank, place.data)
            for made in stack.enter_context(steps):
                result = self.backend.step(made.batches, self._knobs(made.step, made.trained_tokens))
                self._account(result, metrics)
                watchdog.beat()
                asked = self._asked(stop)
                if asked or self.step == self.plan.steps or self.step % self.config.checkpoint.every == 0:
                    self._save(metrics)
                    watchdog.rest()
                if asked:
                    break
        return asked if self.step < self.plan.steps else ""

    def _metrics(self, stack: ExitStack) -> MetricsLog | None:
        """The log, on rank 0."""
        if self.ranks.rank != 0:
            return None
        return stack.enter_context(MetricsLog(self.folder / "metrics.jsonl", self.step))

    def _knobs(self, step: int, trained_tokens: int) -> Knobs:
        optimizer = self.config.optimizer
        lr = optimizer.lr * schedules.factor(self.config.schedule, step)
        return Knobs(step, lr, optimizer.weight_decay, optimizer.clip_norm, trained_tokens)

    def _account(self, result: StepResult, metrics: MetricsLog | None) -> None:
        """Counts the step and writes its line. Raises `UserError` when nothing has been learned for long."""
        lr = self.config.optimizer.lr * schedules.factor(self.config.schedule, self.step)
        samples = self.plan.first_sample(self.step + 1)
        tokens = samples * self.plan.sequence_length
        record = step_record(self.step, samples, tokens, lr, result, self.plan.source_names)
        self.step, self.loss = self.step + 1, record["loss"]
        if metrics is not None:
            metrics.write(record)
        self.progress.update(record)
        self.not_finite = 0 if result.updated else self.not_finite + 1
        if self.not_finite == NOT_FINITE:
            raise UserError(
                f"Loss or gradient was not finite in {NOT_FINITE} steps up to {self.step}: lower optimizer.lr, or lengthen "
                "schedule.warmup"
            )

    def _asked(self, stop: StopRequest) -> str:
        """The signal that any rank was sent: all ranks stop after the same step."""
        if not self.ranks.any(bool(stop.asked)):
            return ""
        return str(next(name for name in self.ranks.gather(stop.asked) if name))

    def _save(self, metrics: MetricsLog | None) -> None:
        if self.step == self.saved:
            return
        if metrics is not None:
            metrics.sync()
        state = {
            "samples": self.plan.first_sample(self.step),
            "loss": self.loss,
            "tokenizer": self.plan.rows_of_shards[0].tokenizer,
            "plan": self.plan.description(),
            "plan_digest": self.plan.digest(),
            "config": to_plain(self.config),
            "lineage": self.lineage,
        }
        store.save(self.checkpoints, self.step, self.backend.tensors(), state, self.ranks)
        self.saved = self.step
        on_first(self.ranks, lambda: retain(self.checkpoints, self.config.checkpoint.keep_last))

    def evaluate(self) -> dict[str, Any] | None:
        """Perplexity of held-out sequences after the last step, once; None before it, or where nothing is held out."""
        if self.step < self.plan.steps:
            return None
        path = self.folder / "perplexity.json"
        known = on_first(self.ranks, lambda: json.loads(path.read_bytes()) if path.exists() else None)
        if known is not None and known["step"] == self.step:
            return dict(known)
        measured = held_out(self.plan, self.backend)
        if measured is None:
            return None
        report = {"step": self.step, **measured.to_json()}
        on_first(self.ranks, lambda: storage.write_bytes(str(path), (json.dumps(report, indent=1) + "\n").encode()))
        return report
