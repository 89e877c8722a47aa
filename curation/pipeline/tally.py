"""Counts and clocks of the steps of a pass, and the documents whose way ended: in = on + ended, at every step."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.compute as pc

from connectors.errors import UserError
from curation.run.documents import (
    CONTENT,
    DOC_ID,
    FATE,
    REASON,
    ROW,
    TEXT,
    VERDICT_FIELDS,
    Verdict,
    with_verdicts,
)
from curation.run.ledger import conform
from curation.run.receipt import StepCount

_VERDICT = [field.name for field in VERDICT_FIELDS]


class Tally:
    """Takes batches through steps. `counts` by step, `seconds` of CPU by step and by whatever else is clocked."""

    def __init__(self, steps: Sequence[str], keep_text: bool = False) -> None:
        self.counts = {step: StepCount() for step in steps}
        self.seconds = dict.fromkeys(steps, 0.0)
        self._unwanted = (CONTENT,) if keep_text else (CONTENT, TEXT)  # of documents that ended
        self._ended: list[pa.RecordBatch] = []

    @contextmanager
    def clock(self, name: str) -> Iterator[None]:
        """Adds the block's CPU seconds to a name."""
        started = time.process_time()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.process_time() - started

    def step(
        self, name: str, step: Callable[[pa.RecordBatch], pa.RecordBatch], batch: pa.RecordBatch
    ) -> pa.RecordBatch:
        """Does a step; gives the documents that go on, without verdict columns, and puts aside those that ended."""
        count = self.counts[name]
        count.entered += batch.num_rows
        if not batch.num_rows:
            return batch
        with self.clock(name):
            batch = self._done(name, step, batch)
            if FATE in batch.schema.names:
                if batch.column(FATE).null_count < batch.num_rows:
                    over = pc.is_valid(batch.column(FATE))
                    self._put_aside(count, batch.filter(over))
                    batch = batch.filter(pc.invert(over))
                batch = batch.drop_columns(_VERDICT)
        count.went_on += batch.num_rows
        return batch

    def _done(
        self, name: str, step: Callable[[pa.RecordBatch], pa.RecordBatch], batch: pa.RecordBatch
    ) -> pa.RecordBatch:
        """The step's result. A document that the step fails on goes to quarantine; what the error says, of it, nowhere.

        Raises `UserError` for a step that drops or reorders rows.
        """
        try:
            done = step(batch)
        except (OSError, MemoryError, UserError):
            raise
        except Exception:
            if batch.num_rows > 1:
                rows = [self._done(name, step, batch.slice(row, 1)) for row in range(batch.num_rows)]
                return pa.Table.from_batches(unified(rows)).combine_chunks().to_batches()[0]
            done = with_verdicts(batch, name, [Verdict("quarantined", "step_error")])
        if not done.column(DOC_ID).equals(batch.column(DOC_ID)):
            raise UserError(f"The step '{name}' dropped or reordered documents: it must write verdicts instead")
        return done

    def _put_aside(self, count: StepCount, ended: pa.RecordBatch) -> None:
        if ended.num_rows:
            self._ended.append(ended.drop_columns([name for name in self._unwanted if name in ended.schema.names]))
            for fate, reason in zip(ended.column(FATE).to_pylist(), ended.column(REASON).to_pylist(), strict=True):
                reasons = count.ended.setdefault(fate, {})
                reasons[reason] = reasons.get(reason, 0) + 1

    def take_ended(self) -> list[pa.RecordBatch]:
        """The documents that ended since this was last asked, step by step, without their text."""
        ended, self._ended = self._ended, []
        return ended

    def check(self, where: str) -> None:
        """Raises `Unbalanced` unless every step gave on or ended all that entered it."""
        for name, count in self.counts.items():
            count.check(f"{where}, step {name}")


def unified(batches: Sequence[pa.RecordBatch]) -> list[pa.RecordBatch]:
    """The batches with the columns of all of them, null where one had none."""
    schema = pa.unify_schemas([batch.schema for batch in batches])
    return [conform(batch, schema) for batch in batches]


def in_row_order(batches: Sequence[pa.RecordBatch]) -> list[pa.RecordBatch]:
    """Batches of one schema as one, its rows in the order of the split."""
    if not batches:
        return []
    if len(batches) == 1 and is_in_row_order(batches[0]):
        return list(batches)
    table = pa.Table.from_batches(batches)
    keys = [(name, "ascending") for name in (ROW, "step", "kind") if name in table.schema.names]
    ordered: list[pa.RecordBatch] = table.sort_by(keys).combine_chunks().to_batches()
    return ordered


def is_in_row_order(batch: pa.RecordBatch) -> bool:
    """Whether each row is a later one of the split than the row before."""
    rows = batch.column(ROW).to_numpy()
    return bool((rows[1:] > rows[:-1]).all())
