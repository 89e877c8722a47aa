"""The first pass: one split, read once. Records in; survivors, their keys and the ledger's rows out. No shuffle.

records ─► batch ─► url ─► extract ─► language ─► filters ─► decontaminate ─► keys ─► redact ─► survivors
             └────────┴────────┴──────────┴──────────┴───────────┴────────────────────┴──► ledger: fate, step, reason, value
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from connectors import storage
from connectors.records import Limits
from curation.pipeline.at_risk import AtRisk
from curation.pipeline.reading import BATCH_DOCUMENTS, read_batches
from curation.pipeline.tally import Tally, in_row_order
from curation.recipes.model import Recipe
from curation.run import ledger
from curation.run.arrow_output import ArrowOutput
from curation.run.documents import EDIT, LANG, LANG_SCORE, MEASURE, META, RECORD_FIELDS, TEXT, Step
from curation.run.folder import RunFolder
from curation.run.heartbeat import Heartbeat
from curation.run.parquet_output import ParquetOutput
from curation.run.receipt import Receipt
from curation.run.split import Split

SURVIVORS = pa.schema(
    [
        *RECORD_FIELDS,
        pa.field(LANG, pa.string()),
        pa.field(LANG_SCORE, pa.float32()),
        pa.field(TEXT, pa.string(), nullable=False),
        pa.field(META, pa.string(), nullable=False),
    ]
)


@dataclass(frozen=True)
class RefinePass:
    """The pass as a task for an engine: split in, receipt out. A split that has its receipt is not done again."""

    run: RunFolder
    plan: str
    recipe: Recipe
    session: str  # names the command: deaths of workers add up within one, see `at_risk`
    batch_documents: int = BATCH_DOCUMENTS

    def __call__(self, split: Split) -> Receipt:
        return self.run.once("refine", split.name, self.plan, lambda: Refinement(self, split).work())


class Refinement:
    """One split on its way through the pass: open outputs, counts and clocks. `step_names` are the steps in order."""

    def __init__(self, task: RefinePass, split: Split, take: Callable[[pa.RecordBatch], None] | None = None) -> None:
        """`take` gets the survivors; without it they are written, for a later pass."""
        self.task, self.split, self.take = task, split, take
        self.steps: list[Step] = task.recipe.refine_steps
        self.tally = Tally(["read", *[step.name for step in self.steps]])
        measures = [measure for step in self.steps for measure in getattr(step, "measures", ())]
        self.measures = ledger.measures_schema(list(dict.fromkeys(measures)))
        self.signatures = task.recipe.keys.schema
        self.survivors = self.text_bytes = 0

    def work(self) -> Receipt:
        """Does the split and returns its receipt."""
        started = time.perf_counter()
        run, name = self.task.run, self.split.name
        paths = {
            "records": (run.ledger("records", name), ledger.RECORDS),
            "fates": (run.ledger("refine", name), ledger.FATES),
            "measures": (run.ledger("measures", name), self.measures),
            "edits": (run.ledger("edits", name), ledger.EDITS),
            **self._contamination_path(),
        }
        if self.take is None:
            paths["survivors"] = (run.survivors(name), SURVIVORS)
            paths["signatures"] = (run.signatures(name), self.signatures)
        with ExitStack() as stack:
            self.outputs = {
                key: stack.enter_context((ArrowOutput if key == "signatures" else ParquetOutput)(run.uri(path), schema))
                for key, (path, schema) in paths.items()
            }
            self._process_all()
        self.tally.check(name)
        written = {path: self.outputs[key].written for key, (path, _) in paths.items()}
        whole = storage.digest(self.split.uri).sha256 if self.split.first == 0 else ""  # once a file
        return Receipt(
            unit=name,
            plan=self.task.plan,
            source=self.split.source,
            records=self.outputs["records"].rows,
            bytes=self.split.size,
            counts=self.tally.counts,
            outputs={path: output for path, output in written.items() if output},
            facts={
                "survivors": self.survivors,
                "text_bytes": self.text_bytes,
                "input_sha256": whole,
            },
            timing={**self.tally.seconds, "wall": time.perf_counter() - started},
        )

    def _contamination_path(self) -> dict[str, tuple[str, pa.Schema]]:
        """Of the list of evaluation items found, if the recipe looks for any."""
        if self.task.recipe.decontaminate is None:
            return {}
        return {"contamination": (self.task.run.ledger("contamination", self.split.name), ledger.CONTAMINATIONS)}

    def _process_all(self) -> None:
        task, split = self.task, self.split
        run, documents = task.run, task.batch_documents
        note = run.uri(run.at_risk("refine", split.name))
        risk = AtRisk.of_earlier_attempt(note, task.session, documents)
        heartbeat = Heartbeat(run.uri(run.heartbeat("refine", split.name)))
        limits = Limits(task.recipe.read.record_bytes)
        batches = read_batches(split, limits, risk, documents, "email" in task.recipe.redact)
        try:
            while True:
                with self.tally.clock("read"):
                    taken = next(batches, None)
                if taken is None:
                    break
                batch, offset = taken
                survivors = self._process(batch)
                heartbeat.beat(batch.num_rows, survivors, min(offset, split.size))
        except Exception:
            risk.release()
            raise
        storage.local_path(note).unlink(missing_ok=True)

    def _process(self, batch: pa.RecordBatch) -> int:
        """Takes one batch through all steps and writes what comes of it. Returns how many survived."""
        self.outputs["records"].write(ledger.conform(batch, ledger.RECORDS))
        batch = self.tally.step("read", lambda read: read, batch)
        for step in self.steps:
            batch = self.tally.step(step.name, step, batch)
        with self.tally.clock("write"):
            self._write(batch, self.tally.take_ended())
        if self.take is not None:
            self.take(batch)
        return int(batch.num_rows)

    def _write(self, survivors: pa.RecordBatch, ended: list[pa.RecordBatch]) -> None:
        measured = [batch for batch in [*ended, survivors] if any(map(is_finding, batch.schema.names))]
        tables = {
            "fates": [ledger.conform(batch, ledger.FATES) for batch in ended],
            "measures": [ledger.measures_of(batch, self.measures) for batch in measured],
            "edits": [ledger.edits_of(batch) for batch in measured],
        }
        if "contamination" in self.outputs:
            tables["contamination"] = [ledger.contamination_of(batch) for batch in [*ended, survivors]]
        for name, batches in tables.items():
            for batch in in_row_order(batches):
                self.outputs[name].write(batch)
        if survivors.num_rows:
            if self.take is None:
                self.outputs["survivors"].write(ledger.conform(survivors, SURVIVORS))
                self.outputs["signatures"].write(ledger.conform(survivors, self.signatures))
            self.survivors += survivors.num_rows
            self.text_bytes += int(pc.sum(pc.binary_length(survivors.column(TEXT))).as_py() or 0)


def is_finding(column: str) -> bool:
    """Whether a column holds what a step found out about a document: a language, a measure, a count of edits."""
    return column == LANG or column.startswith((MEASURE, EDIT))
