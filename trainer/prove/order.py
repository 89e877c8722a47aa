"""`prove order`: the plan is what a slow, obvious one says, its inverse is what a search finds, and no layout changes it.

The toy run has two stages and up to seven epochs of a source. Mutants have to be caught, each by the comparison that is
meant for it.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from trainer.config import Stage, Training
from trainer.data.batch import micro_batch, step_batches
from trainer.data.blend import Blend
from trainer.data.permutation import Permutation, key
from trainer.data.plan import DataPlan
from trainer.data.source import Source
from trainer.data.trace import documents_of_step, steps_of_document
from trainer.prove.obvious_plan import Dealer, ObviousPlan, obvious_permutation
from trainer.prove.toy_run import toy_training, write_toy_run

RESUMES = (7, 13)
LAYOUTS = [(data, micro) for data in (1, 2, 3, 4, 6) for micro in (1, 2, 4) if 24 % (data * micro) == 0]
Open = Callable[[Training, Path], DataPlan]


class Row(NamedTuple):
    """A line of the table: what was compared, how many values, and how many of them differ."""

    what: str
    compared: int
    differences: int


@dataclass(frozen=True)
class Proof:
    """The table. It holds where nothing differs and every mutant was caught."""

    rows: list[Row]

    @property
    def holds(self) -> bool:
        return all(row.compared and not row.differences for row in self.rows)


def prove(console: Console) -> bool:
    """Runs the proof and prints its table. Whether it holds."""
    proof = prove_order()
    table = Table(title="The plan against a slow, obvious one", title_justify="left")
    for heading in Row._fields:
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for row in proof.rows:
        style = "red" if row.differences or not row.compared else ""
        table.add_row(row.what, f"{row.compared:,}", f"{row.differences:,}", style=style)
    console.print(table)
    compared, differences = (sum(figures) for figures in zip(*(row[1:] for row in proof.rows)))
    console.print(f"{differences:,} of {compared:,} comparisons differ", highlight=False)
    return proof.holds


def prove_order() -> Proof:
    """Makes a toy run in a temporary folder and compares, in a few seconds."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder)
        write_toy_run(run)
        rows = [_permutations(), _blends()]
        for documents in ("continuous", "isolated"):
            rows += list(compare(toy_training(documents), run))
            rows += list(compare(toy_training(documents, packing="best_fit"), run))
        rows += list(_mutants(toy_training("isolated"), run))
    return Proof(rows)


def compare(training: Training, run: Path, opened: Open = DataPlan, resumed: Open = DataPlan) -> Iterator[Row]:
    """The plan's table. `opened` and `resumed` make the plan at the start of a run and at a resume."""
    plan, slow = opened(training, run), ObviousPlan(training, run)
    kind = training.data.documents + (", packed" if plan.packed else "")
    steps = range(training.schedule.steps)
    expected = [slow.step(step) for step in steps]
    fields = [row for step in steps for row in _fields(plan, step)]
    yield _row(f"{kind}: every field of the batch", fields, [row for rows in expected for row in rows])
    trained = [sum(sum(row["weights"]) for row in rows) for rows in expected]
    yield _row(f"{kind}: trained tokens of a step", [plan.trained_tokens(step) for step in steps], trained)
    yield _row(f"{kind}: document to steps", *_inverse(plan, slow, expected))
    yield _row(f"{kind}: step to documents", *_forward(plan, expected))
    yield _row(f"{kind}: rows of every layout", *_layouts(plan, training))
    yield _row(f"{kind}: stopped twice, resumed", *_resumes(training, run, opened, resumed))


def _row(what: str, found: list[Any], expected: list[Any]) -> Row:
    differences = sum(a != b for a, b in zip(found, expected)) + abs(len(found) - len(expected))
    return Row(what, len(expected), differences)


def _permutations() -> Row:
    found: list[Any] = []
    expected: list[Any] = []
    for size in (1, 2, 3, 5, 16, 97, 1000):
        fast, slow = Permutation(size, key("proof", size)), obvious_permutation(size, key("proof", size))
        found += [*fast(range(size)).tolist(), *fast.inverse(range(size)).tolist(), sorted(slow)]
        expected += [*slow, *(slow.index(item) for item in range(size)), list(range(size))]
    return _row("permutation and inverse, seven sizes", found, expected)


def _blends() -> Row:
    found: list[Any] = []
    expected: list[Any] = []
    for weights in ([1.0], [3, 1], [0.8, 0.15, 0.05], [0.5, 0.2, 0.1, 0.1, 0.05, 0.03, 0.01, 0.01, 1e-9]):
        blend, dealer = Blend(weights), Dealer(Blend(weights).weights)
        dealt = [dealer.deal() for _ in range(2000)]
        found += list(zip(*(array.tolist() for array in blend.locate(range(2000)))))
        found += [blend.number(source, index) for source, index in dealt]
        expected += [*dealt, *range(2000)]
    return _row("blend and inverse, four blends", found, expected)


def _fields(plan: DataPlan, step: int) -> list[dict[str, Any]]:
    """The rows of a step's micro-batches in the form of the slow plan."""
    rows = []
    for batch in step_batches(plan, step).batches:
        for row in range(len(batch.tokens_BS)):
            owners = batch.spans[batch.segments_BS[row]]
            assert (owners["row"] == row).all()
            firsts = [span for span in batch.spans.tolist() if span[1] == row]
            assert [span[4] for span in firsts] == list(np.cumsum([0, *(span[5] for span in firsts)])[:-1])
            rows.append(
                {
                    "source": plan.source_names[owners["source"][0]],
                    "tokens": [*batch.tokens_BS[row].tolist(), int(batch.labels_BS[row, -1])],
                    "labels": batch.labels_BS[row].tolist(),
                    "documents": owners["document"].tolist(),
                    "weights": batch.weights_BS[row].tolist(),
                    "positions": batch.positions_BS[row].tolist(),
                    "sample": int(firsts[0][0]),
                }
            )
    return rows


def _inverse(plan: DataPlan, slow: ObviousPlan, expected: list[list[dict[str, Any]]]) -> tuple[list[Any], list[Any]]:
    """For every document of the run, the (sample, trained labels) that it has; searched for in the slow plan's rows."""
    searched: dict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
    for row in (row for rows in expected for row in rows):
        counts: dict[int, int] = defaultdict(int)
        for document, weight in zip(row["documents"], row["weights"]):
            counts[document] += int(weight)
        for document, count in counts.items():
            if count:
                searched[row["source"], document].append((row["sample"], count))
    found, brute = [], []
    for at, source in enumerate(plan.sources):
        for document in range(len(slow.lengths[source.name])):
            seen = steps_of_document(plan, at, document)
            found.append([(one.sample, one.trained) for one in seen if one.step == one.sample // slow.sequences])
            brute.append(searched[source.name, document])
    return found, brute


def _forward(plan: DataPlan, expected: list[list[dict[str, Any]]]) -> tuple[list[Any], list[Any]]:
    """For every step, the document of each label, and how many labels are trained."""
    found: list[Any] = []
    brute: list[Any] = []
    for step, rows in enumerate(expected):
        parts = list(documents_of_step(plan, step))
        found.append([(part.sample, part.source, part.document) for part in parts for _ in range(part.tokens)])
        brute.append(
            [(row["sample"], row["source"], document) for row in rows for document in row["documents"] if document >= 0]
        )
        found.append(sum(part.trained for part in parts))
        brute.append(sum(sum(row["weights"]) for row in rows))
    return found, brute


def _resumes(training: Training, run: Path, opened: Open, resumed: Open) -> tuple[list[Any], list[Any]]:
    """The samples of a run that was stopped twice, each part by a plan of its own, and those of a run that was not."""

    def trained(plan: DataPlan, first: int, stop: int) -> list[Any]:
        samples = [plan.samples(plan.rows(step)) for step in range(first, stop)]
        return [(one.number.tolist(), one.source.tolist(), one.start.tolist()) for one in samples]

    steps = training.schedule.steps
    parts = trained(opened(training, run), 0, RESUMES[0])
    for first, stop in zip(RESUMES, [*RESUMES[1:], steps]):
        parts += trained(resumed(training, run), first, stop)
    return parts, trained(opened(training, run), 0, steps)


def _layouts(plan: DataPlan, training: Training) -> tuple[list[Any], list[Any]]:
    """Each layout's rows, gathered from all its ranks and sorted, and the tokens under each sample's number."""
    found, expected = [], []
    for data, micro in LAYOUTS:
        same = DataPlan.__new__(type(plan))
        same.__dict__.update(plan.__dict__, micro=micro)
        for step in range(0, training.schedule.steps, 7):
            dealt = [same.rows(step, rank, data) for rank in range(data)]
            found.append(sorted(np.concatenate([numbers.ravel() for numbers in dealt]).tolist()))
            expected.append(plan.numbers(step).tolist())
            batch = micro_batch(same, same.samples(dealt[-1][0]))
            whole = np.concatenate([batch.tokens_BS for batch in step_batches(plan, step).batches])
            found.append(batch.tokens_BS.tolist())
            expected.append(whole[dealt[-1][0] - plan.first_sample(step)].tolist())
    return found, expected


class _OneDrawLost(DataPlan):
    def numbers(self, step: int) -> Any:
        return super().numbers(step) + 1


class _StageStartsOver(DataPlan):
    def _work_out(self, stages: tuple[Stage, ...]) -> Any:
        return [dataclasses.replace(stage, base=stage.base * 0) for stage in super()._work_out(stages)]


class _SameCutsEveryEpoch(DataPlan):
    def _open(self, shards: Path, name: str) -> Source:
        source = super()._open(shards, name)
        source.offset = lambda epoch: 0  # type: ignore[assignment]
        return source


class _FirstTokensTrained(DataPlan):
    def trained(self, samples: Any) -> int:
        return self.sequence_length * len(samples)


MUTANTS: list[tuple[str, Open, Open, str]] = [  # what is wrong, plan at the start, plan at a resume, what must differ
    ("one draw is lost at resume", DataPlan, _OneDrawLost, "stopped twice, resumed"),
    ("a stage starts its sources over", _StageStartsOver, _StageStartsOver, "every field of the batch"),
    ("every epoch is cut at the same places", _SameCutsEveryEpoch, _SameCutsEveryEpoch, "every field of the batch"),
    ("first tokens of documents are counted", _FirstTokensTrained, _FirstTokensTrained, "trained tokens of a step"),
]


def _mutants(training: Training, run: Path) -> Iterator[Row]:
    """Known mistakes. A row's difference is 1 where the comparison that is meant for the mistake did not find it."""
    for name, opened, resumed, comparison in MUTANTS:
        row = next(row for row in compare(training, run, opened, resumed) if row.what.endswith(comparison))
        yield Row(f"mutant caught: {name}", row.compared, int(row.differences == 0))
