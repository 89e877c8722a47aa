"""`prove mutants`: known bugs of trainers, injected one at a time. A proof that can't fail proves nothing: each must be caught.

Each bug was met in the field, or is what a slip in this code would be. A mutant is caught where the comparison that is meant
for it fails, or where a check stops the run.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest import mock

from rich.console import Console
from rich.table import Table


@contextmanager
def _mean_over_micro_batches() -> Iterator[None]:
    """Each micro-batch's mean loss counts alike, however many tokens it trains (and as if there were as many in each)."""
    from trainer.backends import reference

    def objective(nll: Any, weights: Any, trained_tokens: int) -> Any:
        return (nll * weights).sum() / weights.sum().clamp(min=1) * nll.numel() / (8 * nll.shape[1])

    with mock.patch.object(reference, "objective", objective):
        yield


@contextmanager
def _gradients_averaged_over_ranks() -> Iterator[None]:
    """What is divided by the trained tokens of all ranks is averaged over ranks once more. Adam does not see it."""
    from trainer.backends.reference import ReferenceBackend

    summed = ReferenceBackend._sum_over_ranks

    def averaged(self: Any, values: Any) -> None:
        summed(self, values)
        if values is self._flat:
            values /= self.place.world

    with mock.patch.object(ReferenceBackend, "_sum_over_ranks", averaged):
        yield


@contextmanager
def _norm_gradients_unreduced() -> Iterator[None]:
    """Under sequence parallel each tensor rank keeps the norms' gradients of its own part of the sequence."""
    importlib.import_module("trainer.backends.megatron")  # which makes upstream fit to be imported
    upstream = sys.modules["megatron.core.distributed.finalize_model_grads"]  # a function of its name hides it
    with mock.patch.object(upstream, "_allreduce_non_tensor_model_parallel_grads", lambda *given, **named: None):
        yield


@contextmanager
def _weights_from_token_values() -> Iterator[None]:
    """Labels that are the end-of-document token are taken for padding."""
    from trainer.prove import uneven

    masked = uneven.masked

    def by_value(batch: Any) -> Any:
        batch = masked(batch)
        return replace(batch, weights_BS=batch.weights_BS * (batch.labels_BS != 0))

    with mock.patch.object(uneven, "masked", by_value):
        yield


@contextmanager
def _documents_leak() -> Iterator[None]:
    """Attention crosses documents that were to be isolated."""
    from trainer.data import batch

    made = batch.micro_batch
    with mock.patch.object(batch, "micro_batch", lambda *given: replace(made(*given), isolated=False)):
        yield


@contextmanager
def _one_draw_lost() -> Iterator[None]:
    """After a resume the data are one sample ahead."""
    from trainer.data.plan import DataPlan

    first = DataPlan.first_sample
    with mock.patch.object(DataPlan, "first_sample", lambda self, step: first(self, step) + 1):
        yield


@contextmanager
def _optimizer_begins_anew() -> Iterator[None]:
    """A resume restores the parameters and forgets the optimizer's moments."""
    from trainer.checkpoint.store import Checkpoint

    read = Checkpoint.read

    def forgetful(self: Any, name: str, role: Any, region: Any) -> Any:
        values = read(self, name, role, region)
        return values.zero_() if role in ("exp_avg", "exp_avg_sq") else values

    with mock.patch.object(Checkpoint, "read", forgetful):
        yield


@contextmanager
def _adam_step_begins_anew() -> Iterator[None]:
    """A resume restores the moments and forgets how many updates they have seen: the bias correction is another."""
    from trainer.checkpoint.store import Checkpoint

    read = Checkpoint.read

    def forgetful(self: Any, name: str, role: Any, region: Any) -> Any:
        values = read(self, name, role, region)
        return values.zero_() if role == "step" else values

    with mock.patch.object(Checkpoint, "read", forgetful):
        yield


@contextmanager
def _slice_written_twice() -> Iterator[None]:
    """Two ranks that hold the same part both write it."""
    from trainer.backends.reference import ReferenceBackend

    tensors = ReferenceBackend.tensors

    def owned(self: Any, gradients: bool = False) -> Iterator[Any]:
        for piece in tensors(self, gradients):
            yield replace(piece, owner=True)

    with mock.patch.object(ReferenceBackend, "tensors", owned):
        yield


@contextmanager
def _slice_written_nowhere() -> Iterator[None]:
    """A part that every rank takes for another's is in no file."""
    from trainer.backends.reference import ReferenceBackend

    tensors = ReferenceBackend.tensors

    def disowned(self: Any, gradients: bool = False) -> Iterator[Any]:
        for piece in tensors(self, gradients):
            yield replace(piece, owner=piece.owner and piece.name != "layers.1.query")

    with mock.patch.object(ReferenceBackend, "tensors", disowned):
        yield


MUTANTS: dict[str, Callable[[], Any]] = {
    "mean over micro-batches": _mean_over_micro_batches,
    "gradients averaged over ranks": _gradients_averaged_over_ranks,
    "norm gradients unreduced under sequence parallel": _norm_gradients_unreduced,
    "weights from token values": _weights_from_token_values,
    "documents leak": _documents_leak,
    "one draw lost at resume": _one_draw_lost,
    "optimizer begins anew at resume": _optimizer_begins_anew,
    "adam's step begins anew at resume": _adam_step_begins_anew,
    "a slice written twice": _slice_written_twice,
    "a slice written nowhere": _slice_written_nowhere,
}


@contextmanager
def injected(name: str) -> Iterator[None]:
    """The bug of this name in this process, while the block lasts; none for the empty name."""
    if not name:
        yield
        return
    with MUTANTS[name]():
        yield


def prove(console: Console) -> bool:
    """Injects each bug into the proof that is meant for it; prints what caught it. Whether all were caught."""
    from trainer.prove.toy import toy_folder

    with toy_folder() as folder:
        caught = catch(folder)
    table = Table(title="Known bugs, each injected into a proof", title_justify="left")
    for column in ("bug", "caught by", ""):
        table.add_column(column)
    for name in MUTANTS:
        table.add_row(name, caught[name] or "nothing", "✓" if caught[name] else "✗")
    console.print(table)
    count = sum(bool(by) for by in caught.values())
    console.print(f"{count} of {len(MUTANTS)} known bugs caught", highlight=False)
    return count == len(MUTANTS)


def catch(folder: Any) -> dict[str, str]:
    """What caught each bug, the empty string for nothing."""
    from trainer.prove.compare import difference
    from trainer.prove.toy import Case, run_cases

    base, sequence_parallel, last = (
        Case("sound", gradients=True, stop=5),
        Case("sound sp", backend="megatron", ranks=2, tensor=2, sequence_parallel=True, gradients=True, stop=5),
        Case("sound, goes on", first=5, stop=8, start=str(folder / "cases" / "sound" / "last"), gradients=True),
    )
    of_base = dict.fromkeys(("mean over micro-batches", "weights from token values", "documents leak"), base)
    of_base |= {name: replace(base, ranks=2) for name in ("gradients averaged over ranks", "a slice written twice")}
    of_base |= {"a slice written nowhere": replace(base, gradients=False)}
    of_last = {name: last for name in MUTANTS if name.endswith("at resume")}
    of_parallel = {"norm gradients unreduced under sequence parallel": sequence_parallel}
    mutated = {
        name: replace(case, name=f"mutant {name}", mutant=name)
        for name, case in (of_base | of_last | of_parallel).items()
    }
    sound = dict.fromkeys(of_base, base.name) | dict.fromkeys(of_last, last.name)
    sound |= dict.fromkeys(of_parallel, sequence_parallel.name)
    results = run_cases(folder, [base, last, sequence_parallel, *mutated.values()])
    caught = {}
    for name, case in mutated.items():
        one, other = results[sound[name]], results[case.name]
        if other.failed:
            caught[name] = f"a check: {other.failed}"
            continue
        apart = difference(one, other) if case.gradients else None
        found = "" if apart is None or apart.holds else f"gradient of {apart.gradient_name} {apart.gradient:.1e}"
        if apart is not None and found and apart.gradient <= 1e-5:
            found = f"loss {apart.loss:.1e}"
        caught[name] = found
    return caught
