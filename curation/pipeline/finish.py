"""The second pass: survivors that are nobody's duplicate become documents and tokens. No shuffle.

survivors ─► duplicates ─► repeated spans ─► documents (in the order of the records)
                │               │        └─► tokens (a sorted run, see `shards`)
                └───────────────┴──────────► fates: into the ledger, or, where there are tokens, to wait for their places
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors import storage
from curation.dedup import cut_spans
from curation.dedup.cut_spans import CutSpans
from curation.pipeline.duplicate_verdicts import ADDRESS, mark_duplicates, measured_near
from curation.pipeline.repeated_spans import read_cuts
from curation.pipeline.segments import Values
from curation.pipeline.survivors import Match, read_matches, read_survivors
from curation.pipeline.tally import Tally, in_row_order
from curation.pipeline.token_runs import TokenRun, opened_tokenizer
from curation.pipeline.units import Unit
from curation.recipes.model import Recipe
from curation.run import ledger
from curation.run.documents import (
    FATE,
    LANG,
    LANG_SCORE,
    META,
    RECORD_FIELDS,
    ROW,
    STEP,
    TEXT,
    with_column,
    with_columns,
)
from curation.run.folder import RunFolder
from curation.run.heartbeat import Heartbeat
from curation.run.parquet_output import ParquetOutput
from curation.run.receipt import Receipt
from curation.tokenize.tokenizer import Lengths

SHOWN = 50  # measured near duplicates of a unit whose beginning is kept, for a person to compare
SHOWN_CHARACTERS = 2000

DOCUMENTS = pa.schema(
    [
        *RECORD_FIELDS,
        pa.field(LANG, pa.string()),
        pa.field(LANG_SCORE, pa.float32()),
        pa.field(TEXT, pa.string(), nullable=False),
        pa.field(META, pa.string(), nullable=False),
        pa.field(ledger.TOKENS, pa.uint32()),
    ]
)


@dataclass(frozen=True)
class FinishPass:
    """The pass as a task for an engine: unit in, receipt out. `tokenizer` is where to load it from, "" for none.

    `duplicate_threshold` is what the ledger names as the threshold of near duplicates.
    """

    run: RunFolder
    plan: str
    recipe: Recipe
    tokenizer: str
    duplicate_threshold: float

    def __call__(self, unit: Unit) -> Receipt:
        return self.run.once("finish", unit.name, self.plan, lambda: Finishing(self, unit).work())


class Finishing:
    """One unit on its way through the pass: open outputs, counts and clocks."""

    def __init__(self, task: FinishPass, unit: Unit) -> None:
        self.task, self.unit = task, unit
        cutting = (cut_spans.NAME,) if task.recipe.repeated else ()
        self.tally = Tally(("dedup", *cutting, "tokenize"), keep_text=True)
        self.started = time.perf_counter()
        self.documents = 0
        self.facts: dict[str, Any] = {}  # of its tokens
        # Of the split in hand: its number, what is cut out of it, the measure that buckets are made by.
        self.split = 0
        self.cutter: CutSpans | None = None
        self.quality: Callable[[pa.RecordBatch], Values] | None = None

    def work(self) -> Receipt:
        """Does the unit and returns its receipt."""
        run, name = self.task.run, self.unit.name
        heartbeat, read_bytes = Heartbeat(run.uri(run.heartbeat("finish", name))), 0
        with self.opened():
            for number, split in enumerate(self.unit.splits):
                matches = read_matches(run, split)
                self.split, self.cutter, self.quality = number, self._cutter(split), self._quality(split)
                for first, batch in read_survivors(run, split):
                    kept_before = self.documents
                    self.take(batch, [matches.get(first + i) for i in range(batch.num_rows)])
                    read_bytes += int(pc.sum(pc.binary_length(batch.column(TEXT))).as_py() or 0)
                    heartbeat.beat(batch.num_rows, self.documents - kept_before, read_bytes)
        return self.receipt(self.unit.text_bytes)

    @contextmanager
    def opened(self) -> Iterator[None]:
        """The outputs, which are in place when the block ends."""
        paths = self._paths()
        with ExitStack() as stack:
            self.outputs = {
                key: stack.enter_context(ParquetOutput(self.task.run.uri(path), schema))
                for key, (path, schema) in paths.items()
            }
            tokens = self._tokens()
            self.tokens = stack.enter_context(tokens) if tokens else None
            yield
            with self.tally.clock("write"):
                self.facts = self.tokens.finish() if self.tokens else {}

    def receipt(self, text_bytes: int) -> Receipt:
        """Of the unit, once its outputs are in place; `text_bytes` are those of its survivors."""
        written = {path: self.outputs[key].written for key, (path, _) in self._paths().items()}
        outputs = {path: output for path, output in written.items() if output}
        self.tally.check(f"unit {self.unit.name}")
        return Receipt(
            unit=self.unit.name,
            plan=self.task.plan,
            source=self.unit.source,
            records=self.tally.counts["dedup"].entered,
            bytes=text_bytes,
            counts=self.tally.counts,
            outputs=outputs | (self.tokens.written if self.tokens else {}),
            facts=self._facts() | self.facts,
            timing={**self.tally.seconds, "wall": time.perf_counter() - self.started},
        )

    def _paths(self) -> dict[str, tuple[str, pa.Schema]]:
        run, name, recipe = self.task.run, self.unit.name, self.task.recipe
        paths = {
            "fates": (run.fates(name) if self.task.tokenizer else run.ledger("finish", name), ledger.FATES),
            "near": (run.ledger("near_duplicates", name), ledger.NEAR_DUPLICATES),
        }
        if recipe.documents:
            paths["documents"] = (run.documents(name), DOCUMENTS)
        if recipe.repeated is not None:
            paths["edits"] = (run.ledger("edits", f"finish/{name}"), ledger.EDITS)
        if recipe.dedup is not None and recipe.dedup.against:
            paths["elsewhere"] = (run.ledger("elsewhere", name), ledger.ELSEWHERE)
        return paths

    def _facts(self) -> dict[str, Any]:
        tokens = self.tokens.tokens if self.tokens else 0
        return {"splits": list(self.unit.splits), "documents": self.documents, "tokens": tokens}

    def _tokens(self) -> TokenRun | None:
        settings = self.task.recipe.tokenize
        if settings is None or not self.task.tokenizer:
            return None
        tokenizer = opened_tokenizer(self.task.tokenizer, settings.end_of_document, settings.engine)
        return TokenRun(self.task.run, self.unit.name, tokenizer, settings)

    def _cutter(self, split: str) -> CutSpans | None:
        settings = self.task.recipe.repeated
        if settings is None:
            return None
        cuts = read_cuts(self.task.run, split)
        return CutSpans(settings.spans, settings.min_words, settings.min_sentences, cuts)

    def _quality(self, split: str) -> Callable[[pa.RecordBatch], Values] | None:
        settings = self.task.recipe.tokenize
        buckets = settings.groups.quality if settings else None
        return Measured(self.task.run, split, buckets.measure).of if buckets else None

    def take(self, batch: pa.RecordBatch, matches: Sequence[Match | None]) -> None:
        """Takes one batch of survivors to its end and writes what comes of it."""
        batch = self.tally.step("dedup", partial(mark_duplicates, matches, self.task.duplicate_threshold), batch)
        if self.cutter is not None:
            batch = self.tally.step(self.cutter.name, self.cutter, batch)
        lengths = np.zeros(batch.num_rows, np.int64)
        with self.tally.clock("tokenize"):
            if self.tokens is not None and batch.num_rows:
                values = self.quality(batch) if self.quality else None
                lengths = self.tokens.add(batch, self.split, values)
        self._count_kept(batch.num_rows)
        with self.tally.clock("write"):
            self._write(self._with_fate(batch, lengths), self.tally.take_ended())

    def _count_kept(self, documents: int) -> None:
        count = self.tally.counts["tokenize"]
        count.entered += documents
        self.documents += documents
        if documents:
            kept = count.ended.setdefault("kept", {"kept": 0})
            kept["kept"] += documents

    def _with_fate(self, batch: pa.RecordBatch, lengths: Lengths) -> pa.RecordBatch:
        """The kept documents with their ledger columns: fate, and their tokens if there are any."""
        rows = batch.num_rows
        columns = {FATE: pa.repeat("kept", rows), STEP: pa.repeat("tokenize", rows)}
        if self.tokens:
            columns[ledger.TOKENS] = pa.array(lengths.astype(np.uint32))
        return with_columns(batch, columns)

    def _write(self, kept: pa.RecordBatch, ended: list[pa.RecordBatch]) -> None:
        for fates in in_row_order([ledger.conform(rows, ledger.FATES) for rows in [*ended, kept]]):
            self.outputs["fates"].write(fates)
        for rows in ended:
            near = rows.filter(measured_near(rows)).slice(0, SHOWN - self.outputs["near"].rows)
            near = with_column(near, TEXT, pc.utf8_slice_codeunits(near.column(TEXT), 0, SHOWN_CHARACTERS))
            self.outputs["near"].write(ledger.conform(near, ledger.NEAR_DUPLICATES))
            if "elsewhere" in self.outputs:
                far = rows.filter(pc.is_valid(rows.column(ADDRESS)))
                self.outputs["elsewhere"].write(ledger.conform(far, ledger.ELSEWHERE))
        if self.cutter is not None:
            for edits in in_row_order([ledger.edits_of(rows) for rows in [*ended, kept]]):
                self.outputs["edits"].write(edits)
        if "documents" in self.outputs:
            self.outputs["documents"].write(ledger.conform(kept, DOCUMENTS))


class Measured:
    """A measure of a split's documents, as the refine pass wrote it into the ledger: 12 bytes a document."""

    def __init__(self, run: RunFolder, split: str, measure: str) -> None:
        with storage.open_input(run.uri(run.ledger("measures", split))) as file:
            table = pq.read_table(file, columns=[ROW, measure], use_threads=False)
        self._rows = table[ROW].to_numpy()
        self._values: Values = pc.fill_null(table[measure], np.nan).to_numpy()

    def of(self, batch: pa.RecordBatch) -> Values:
        """The values of a batch of the split's documents, NaN where one was not measured."""
        rows = batch.column(ROW).to_numpy()
        places = np.minimum(np.searchsorted(self._rows, rows), max(0, len(self._rows) - 1))
        if not len(self._rows):
            return np.full(len(rows), np.nan)
        values: Values = np.where(self._rows[places] == rows, self._values[places], np.nan)
        return values
