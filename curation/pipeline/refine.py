"""The first pass: one split, read once. Records in; survivors, their keys and the ledger's rows out. No shuffle.

records ─► batch ─► url ─► extract ─► language ─► filters ─► survivors ─► text hash, signature
             └────────┴────────┴──────────┴──────────┴────► ledger: fate, step, reason, value, threshold
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from connectors import storage
from connectors.readers import reader_for
from connectors.records import Limits, Record, Refusal
from curation.dedup.keys import SIGNATURES, document_keys
from curation.pipeline.at_risk import AtRisk
from curation.pipeline.tally import Tally, in_row_order
from curation.recipes.model import Recipe
from curation.redact.urls import redact_url
from curation.run import ledger
from curation.run.documents import (
    LANG,
    LANG_SCORE,
    META,
    READ_SCHEMA,
    RECORD_FIELDS,
    TEXT,
    Step,
    Verdict,
    document_id,
    with_verdicts,
)
from curation.run.folder import RunFolder
from curation.run.heartbeat import Heartbeat
from curation.run.parquet_output import ParquetOutput
from curation.run.receipt import Receipt, valid_receipt
from curation.run.split import Split

BATCH_BYTES = 16 << 20  # of page bytes; bounds a worker's memory whatever the number of documents in a batch
BATCH_DOCUMENTS = 256

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
    batch_documents: int = BATCH_DOCUMENTS

    def __call__(self, split: Split) -> Receipt:
        receipt_uri = self.run.uri(self.run.receipt("refine", split.name))
        done = valid_receipt(receipt_uri, self.run.root, self.plan)
        if done is None:
            done = Refinement(self, split).work()
            storage.write_bytes(receipt_uri, done.to_json())
        return done


class Refinement:
    """One split on its way through the pass: open outputs, counts and clocks. `step_names` are the steps in order."""

    def __init__(self, task: RefinePass, split: Split) -> None:
        self.task, self.split = task, split
        self.steps: list[Step] = task.recipe.refine_steps
        self.tally = Tally(["read", *[step.name for step in self.steps]])
        self.measures = ledger.measures_schema([m for step in self.steps for m in getattr(step, "measures", ())])
        self.text_bytes = 0

    def work(self) -> Receipt:
        """Does the split and returns its receipt."""
        started = time.perf_counter()
        run, name = self.task.run, self.split.name
        paths = {
            "records": (run.ledger("records", name), ledger.RECORDS),
            "fates": (run.ledger("refine", name), ledger.FATES),
            "measures": (run.ledger("measures", name), self.measures),
            "edits": (run.ledger("edits/refine", name), ledger.EDITS),
            "survivors": (run.survivors(name), SURVIVORS),
            "signatures": (run.signatures(name), SIGNATURES),
        }
        with ExitStack() as stack:
            self.outputs = {
                key: stack.enter_context(ParquetOutput(run.uri(path), schema)) for key, (path, schema) in paths.items()
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
                "survivors": self.outputs["survivors"].rows,
                "text_bytes": self.text_bytes,
                "input_sha256": whole,
            },
            timing={**self.tally.seconds, "wall": time.perf_counter() - started},
        )

    def _process_all(self) -> None:
        run, name = self.task.run, self.split.name
        risk = AtRisk.of_earlier_attempt(run.uri(run.at_risk("refine", name)))
        heartbeat = Heartbeat(run.uri(run.heartbeat("refine", name)))
        batches = self._batches(risk)
        while True:
            with self.tally.clock("read"):
                taken = next(batches, None)
                if taken is None:
                    break
                first, records = taken
                risk.take(first, first + len(records))
                batch = self._read_batch(first, records, risk)
            survivors = self._process(batch)
            heartbeat.beat(len(records), survivors, min(records[-1].offset, self.split.size))
        storage.local_path(risk.uri).unlink(missing_ok=True)

    def _batches(self, risk: AtRisk) -> Iterator[tuple[int, list[Record]]]:
        """The split's records in batches, with the row of the first; suspects come alone."""
        split = self.split
        read = reader_for(split.uri)
        limits = Limits(self.task.recipe.read.record_bytes)
        batch: list[Record] = []
        held = first = 0
        for row, record in enumerate(read(split.uri, limits, split.first, split.stop)):
            full = len(batch) >= self.task.batch_documents or held + len(record.content) > BATCH_BYTES
            if batch and (full or risk.is_suspect(row) or risk.is_suspect(row - 1)):
                yield first, batch
                batch, held, first = [], 0, row
            batch.append(record)
            held += len(record.content)
        if batch:
            yield first, batch

    def _read_batch(self, first: int, records: list[Record], risk: AtRisk) -> pa.RecordBatch:
        """The document batch of some records, with the verdicts of reading."""
        split = self.split
        hide_addresses = "email" in self.task.recipe.redact
        columns = [
            [document_id(split.source, split.archive, record.offset) for record in records],
            list(range(first, first + len(records))),
            [split.source] * len(records),
            [redact_url(record.url) if hide_addresses else record.url for record in records],
            [split.archive] * len(records),
            [record.offset for record in records],
            [record.date for record in records],
            [record.media for record in records],
            [record.charset for record in records],
            [record.content for record in records],
            [record.meta for record in records],
        ]
        arrays = [pa.array(column, field.type) for column, field in zip(columns, READ_SCHEMA, strict=True)]
        batch = pa.RecordBatch.from_arrays(arrays, schema=READ_SCHEMA)
        killed = Verdict("quarantined", "killed_worker")
        verdicts = [
            killed if first + i in risk.blamed else verdict_of(record.refusal) for i, record in enumerate(records)
        ]
        return with_verdicts(batch, "read", verdicts)

    def _process(self, batch: pa.RecordBatch) -> int:
        """Takes one batch through all steps and writes what comes of it. Returns how many survived."""
        self.outputs["records"].write(ledger.conform(batch, ledger.RECORDS))
        batch = self.tally.step("read", lambda read: read, batch)
        for step in self.steps:
            batch = self.tally.step(step.name, step, batch)
        dedup = self.task.recipe.dedup
        with self.tally.clock("keys"):
            keys = document_keys(batch, near=dedup is not None and dedup.minhash is not None)
        with self.tally.clock("write"):
            self._write(batch, keys, self.tally.take_ended())
        return int(batch.num_rows)

    def _write(self, survivors: pa.RecordBatch, keys: pa.RecordBatch, ended: list[pa.RecordBatch]) -> None:
        measured = [batch for batch in [*ended, survivors] if LANG in batch.schema.names]
        tables = {
            "fates": [ledger.conform(batch, ledger.FATES) for batch in ended],
            "measures": [ledger.measures_of(batch, self.measures) for batch in measured],
            "edits": [ledger.edits_of(batch) for batch in measured],
        }
        for name, batches in tables.items():
            for batch in in_row_order(batches):
                self.outputs[name].write(batch)
        if survivors.num_rows:
            self.outputs["survivors"].write(ledger.conform(survivors, SURVIVORS))
            self.outputs["signatures"].write(keys)
            self.text_bytes += int(pc.sum(pc.binary_length(survivors.column(TEXT))).as_py() or 0)


def verdict_of(refusal: Refusal | None) -> Verdict | None:
    """A reader's refusal as the verdict of step `read`."""
    if refusal is None:
        return None
    return Verdict(refusal.fate, refusal.reason, refusal.value, refusal.threshold)
