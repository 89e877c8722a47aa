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
from connectors.records import Limits, Record
from curation.dedup.keys import SIGNATURES, document_keys
from curation.pipeline.at_risk import AtRisk
from curation.recipes.model import Recipe
from curation.redact.urls import redact_url
from curation.run import ledger
from curation.run.documents import (
    CONTENT,
    FATE,
    LANG,
    LANG_SCORE,
    META,
    READ_SCHEMA,
    REASON,
    RECORD_FIELDS,
    ROW,
    TEXT,
    VERDICT_FIELDS,
    Step,
    Verdict,
    document_id,
    with_verdicts,
)
from curation.run.folder import RunFolder
from curation.run.heartbeat import Heartbeat
from curation.run.parquet_output import ParquetOutput
from curation.run.receipt import Receipt, StepCount, valid_receipt
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
        self.counts = {name: StepCount() for name in ["read", *[step.name for step in self.steps]]}
        self.seconds = dict.fromkeys([*self.counts, "keys", "write"], 0.0)
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
        for step, count in self.counts.items():
            count.check(f"{name}, step {step}")
        written = {path: self.outputs[key].written for key, (path, _) in paths.items()}
        read = storage.digest(self.split.uri)
        return Receipt(
            unit=name,
            plan=self.task.plan,
            source=self.split.source,
            records=self.outputs["records"].rows,
            bytes=self.split.size,
            counts=self.counts,
            outputs={path: output for path, output in written.items() if output},
            facts={
                "survivors": self.outputs["survivors"].rows,
                "text_bytes": self.text_bytes,
                "input_sha256": read.sha256,
            },
            timing={**self.seconds, "wall": time.perf_counter() - started},
        )

    def _process_all(self) -> None:
        run, name = self.task.run, self.split.name
        risk = AtRisk.of_earlier_attempt(run.uri(run.at_risk("refine", name)))
        heartbeat = Heartbeat(run.uri(run.heartbeat("refine", name)))
        started = time.process_time()
        for first, records in self._batches(risk):
            risk.take(first, first + len(records))
            batch = self._read_batch(first, records, risk)
            self.seconds["read"] += time.process_time() - started
            survivors = self._process(batch)
            heartbeat.beat(len(records), survivors, min(records[-1].offset, self.split.size))
            started = time.process_time()
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
        verdicts = [
            Verdict("quarantined", "killed_worker")
            if first + i in risk.blamed
            else record.refusal
            and Verdict(record.refusal.fate, record.refusal.reason, record.refusal.value, record.refusal.threshold)
            for i, record in enumerate(records)
        ]
        return with_verdicts(batch, "read", verdicts)

    def _process(self, batch: pa.RecordBatch) -> int:
        """Takes one batch through all steps and writes what comes of it. Returns how many survived."""
        self.outputs["records"].write(ledger.conform(batch, ledger.RECORDS))
        ended: list[pa.RecordBatch] = []
        batch = self._take_ended("read", batch, ended)
        for step in self.steps:
            started = time.process_time()
            if batch.num_rows:
                batch = step(batch)
            batch = self._take_ended(step.name, batch, ended)
            self.seconds[step.name] += time.process_time() - started
        started = time.process_time()
        keys = document_keys(batch, self.task.recipe.dedup is not None and self.task.recipe.dedup.minhash is not None)
        self.seconds["keys"] += time.process_time() - started
        started = time.process_time()
        self._write(batch, keys, ended)
        self.seconds["write"] += time.process_time() - started
        return int(batch.num_rows)

    def _take_ended(self, step: str, batch: pa.RecordBatch, ended: list[pa.RecordBatch]) -> pa.RecordBatch:
        """Counts a step's verdicts, puts the documents that ended aside and gives the others, without verdict columns."""
        count = self.counts[step]
        count.entered += batch.num_rows
        if FATE in batch.schema.names:
            over = pc.is_valid(batch.column(FATE))
            gone = batch.filter(over)
            batch = batch.filter(pc.invert(over)).drop_columns([field.name for field in VERDICT_FIELDS])
            if gone.num_rows:
                ended.append(gone.drop_columns([c for c in (CONTENT, TEXT) if c in gone.schema.names]))
                for fate, reason in zip(gone.column(FATE).to_pylist(), gone.column(REASON).to_pylist(), strict=True):
                    reasons = count.ended.setdefault(fate, {})
                    reasons[reason] = reasons.get(reason, 0) + 1
        count.went_on += batch.num_rows
        return batch

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


def in_row_order(batches: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
    """Batches of one schema as one, its rows in the order of the split."""
    if not batches:
        return []
    table = pa.Table.from_batches(batches)
    keys = [(name, "ascending") for name in (ROW, "step", "kind") if name in table.schema.names]
    ordered: list[pa.RecordBatch] = table.sort_by(keys).combine_chunks().to_batches()
    return ordered
