"""The second pass: survivors that are nobody's duplicate become documents, tokens and a shard. No shuffle.

A shard is a fixed group of splits of one source, in order, so that its place is known before any work is done.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors import storage
from connectors.megatron import ShardWriter, optimal_dtype
from curation.dedup import cut_spans
from curation.dedup.cut_spans import CutSpans
from curation.dedup.duplicates import EXACT, NEAR
from curation.pipeline.repeated_spans import read_cuts
from curation.pipeline.survivors import Match, read_matches, read_survivors
from curation.pipeline.tally import Tally, in_row_order
from curation.recipes.model import Recipe
from curation.run import ledger
from curation.run.documents import (
    DOC_ID,
    FATE,
    LANG,
    LANG_SCORE,
    META,
    REASON,
    RECORD_FIELDS,
    STEP,
    TEXT,
    Verdict,
    texts,
    with_column,
    with_columns,
    with_verdicts,
)
from curation.run.folder import RunFolder
from curation.run.heartbeat import Heartbeat
from curation.run.parquet_output import ParquetOutput
from curation.run.receipt import Receipt
from curation.tokenize.loading import Engine, load_tokenizer
from curation.tokenize.tokenizer import Lengths, Tokenizer, Tokens

SHOWN = 50  # measured near duplicates of a shard whose beginning is kept, for a person to compare
SHOWN_CHARACTERS = 2000
ADDRESS = "address"
BYTES_PER_TOKEN = 4  # a guess, only to group splits into shards of about the wanted size

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
INDEX = pa.schema(
    [
        pa.field(DOC_ID, pa.binary(16), nullable=False),
        pa.field("first_token", pa.uint64(), nullable=False),
        pa.field(ledger.TOKENS, pa.uint32(), nullable=False),  # end-of-document token included
    ]
)


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard to be: its name `SOURCE/00000`, its splits in order, the bytes of their survivors' text."""

    name: str
    source: str
    units: tuple[str, ...]
    text_bytes: int


def plan_shards(refined: Sequence[Receipt], shard_tokens: float) -> list[Shard]:
    """Groups the splits of each source, in order, until a group promises `shard_tokens` tokens."""
    shards: list[Shard] = []
    for source in dict.fromkeys(receipt.source for receipt in refined):
        groups: list[list[Receipt]] = [[]]
        for receipt in refined:
            if receipt.source == source:
                held = sum(r.facts["text_bytes"] for r in groups[-1])
                if groups[-1] and held + receipt.facts["text_bytes"] > shard_tokens * BYTES_PER_TOKEN:
                    groups.append([])
                groups[-1].append(receipt)
        shards += [
            Shard(f"{source}/{n:05d}", source, tuple(r.unit for r in group), sum(r.facts["text_bytes"] for r in group))
            for n, group in enumerate(groups)
        ]
    return shards


@cache
def opened_tokenizer(location: str, end_of_document: str | None, engine: Engine) -> Tokenizer:
    """The run's tokenizer, once a worker process."""
    return load_tokenizer(location, end_of_document, engine)


@dataclass(frozen=True)
class FinishPass:
    """The pass as a task for an engine: shard in, receipt out. `tokenizer` is where to load it from, "" for none.

    `duplicate_threshold` is what the ledger names as the threshold of near duplicates.
    """

    run: RunFolder
    plan: str
    recipe: Recipe
    tokenizer: str
    duplicate_threshold: float

    def __call__(self, shard: Shard) -> Receipt:
        return self.run.once("finish", shard.name, self.plan, lambda: Finishing(self, shard).work())


class Finishing:
    """One shard on its way through the pass: open outputs, counts and clocks."""

    def __init__(self, task: FinishPass, shard: Shard) -> None:
        self.task, self.shard = task, shard
        settings = task.recipe.tokenize
        self.tokenizer = (
            opened_tokenizer(task.tokenizer, settings.end_of_document, settings.engine)
            if settings and task.tokenizer
            else None
        )
        cutting = (cut_spans.NAME,) if task.recipe.repeated else ()
        self.tally = Tally(("dedup", *cutting, "tokenize"), keep_text=True)
        self.cutter: CutSpans | None = None  # of the split in hand
        self.tokens = self.documents = 0

    def work(self) -> Receipt:
        """Makes the shard and returns its receipt."""
        started = time.perf_counter()
        run, name = self.task.run, self.shard.name
        paths = {
            "fates": (run.ledger("finish", name), ledger.FATES),
            "near": (run.ledger("near_duplicates", name), ledger.NEAR_DUPLICATES),
            "documents": (run.documents(name), DOCUMENTS),
            "index": (run.shard(name, "docs.parquet"), INDEX),
        }
        if self.task.recipe.repeated is not None:
            paths["edits"] = (run.ledger("edits", f"finish/{name}"), ledger.EDITS)
        if self.task.recipe.dedup is not None and self.task.recipe.dedup.against:
            paths["elsewhere"] = (run.ledger("elsewhere", name), ledger.ELSEWHERE)
        if self.tokenizer is None:
            del paths["index"]
        heartbeat, read_bytes = Heartbeat(run.uri(run.heartbeat("finish", name))), 0
        with ExitStack() as stack:
            self.outputs = {
                key: stack.enter_context(ParquetOutput(run.uri(path), schema)) for key, (path, schema) in paths.items()
            }
            self.writer = self._open_shard(stack)
            for unit in self.shard.units:
                matches = read_matches(run, unit)
                self.cutter = self._cutter(unit)
                for first, batch in read_survivors(run, unit):
                    kept_before = self.documents
                    self._process(batch, [matches.get(first + i) for i in range(batch.num_rows)])
                    read_bytes += int(pc.sum(pc.binary_length(batch.column(TEXT))).as_py() or 0)
                    heartbeat.beat(batch.num_rows, self.documents - kept_before, read_bytes)
            if self.writer is not None:
                self.writer.finish()
        written = {path: self.outputs[key].written for key, (path, _) in paths.items()}
        outputs = {path: output for path, output in written.items() if output}
        if self.writer is not None:
            outputs |= {
                path: storage.digest(run.uri(path)) for path in (run.shard(name, "bin"), run.shard(name, "idx"))
            }
        self.tally.check(f"shard {name}")
        return Receipt(
            unit=name,
            plan=self.task.plan,
            source=self.shard.source,
            records=self.tally.counts["dedup"].entered,
            bytes=self.shard.text_bytes,
            counts=self.tally.counts,
            outputs=outputs,
            facts=self._facts(),
            timing={**self.tally.seconds, "wall": time.perf_counter() - started},
        )

    def _facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = {"documents": self.documents, "tokens": self.tokens}
        if self.tokenizer is not None:
            facts |= {
                "dtype": optimal_dtype(self.tokenizer.vocabulary_size).name,
                "vocabulary_size": self.tokenizer.vocabulary_size,
                "end_of_document": self.tokenizer.end_of_document,
                "tokenizer_sha256": self.tokenizer.digest,
            }
        return facts

    def _open_shard(self, stack: ExitStack) -> ShardWriter | None:
        if self.tokenizer is None:
            return None
        run, name = self.task.run, self.shard.name
        bin_path = stack.enter_context(storage.writing(run.uri(run.shard(name, "bin"))))
        idx_path = stack.enter_context(storage.writing(run.uri(run.shard(name, "idx"))))
        return stack.enter_context(ShardWriter(bin_path, idx_path, optimal_dtype(self.tokenizer.vocabulary_size)))

    def _cutter(self, unit: str) -> CutSpans | None:
        settings = self.task.recipe.repeated
        if settings is None:
            return None
        cuts = read_cuts(self.task.run, unit)
        return CutSpans(settings.spans, settings.min_words, settings.min_sentences, cuts)

    def _process(self, batch: pa.RecordBatch, matches: list[Match | None]) -> None:
        """Takes one batch of survivors to its end and writes what comes of it."""
        batch = self.tally.step("dedup", partial(mark_duplicates, matches, self.task.duplicate_threshold), batch)
        if self.cutter is not None:
            batch = self.tally.step(self.cutter.name, self.cutter, batch)
        tokens, lengths = np.zeros(0, np.int32), np.zeros(batch.num_rows, np.int64)
        with self.tally.clock("tokenize"):
            if self.tokenizer is not None and batch.num_rows:
                ids, lengths = self.tokenizer.encode_batch(texts(batch))
                tokens = np.insert(ids, np.cumsum(lengths), self.tokenizer.end_of_document)
                lengths = lengths + 1
        kept = self._with_place(batch, lengths)
        self._count_kept(batch.num_rows)
        with self.tally.clock("write"):
            self._write(kept, tokens, lengths, self.tally.take_ended())

    def _count_kept(self, documents: int) -> None:
        count = self.tally.counts["tokenize"]
        count.entered += documents
        if documents:
            kept = count.ended.setdefault("kept", {"kept": 0})
            kept["kept"] += documents

    def _with_place(self, batch: pa.RecordBatch, lengths: Lengths) -> pa.RecordBatch:
        """The kept documents with their ledger columns: fate, and, where there is a shard, tokens and place in it."""
        rows = batch.num_rows
        columns = {FATE: pa.array(["kept"] * rows, pa.string()), STEP: pa.array(["tokenize"] * rows, pa.string())}
        if self.tokenizer is not None:
            columns[ledger.TOKENS] = pa.array(lengths, pa.uint32())
            columns[ledger.SHARD] = pa.array([self.shard.name] * rows, pa.string())
            columns[ledger.POSITION] = pa.array(self.tokens + np.cumsum(lengths) - lengths, pa.uint64())
        for name, values in columns.items():
            batch = with_column(batch, name, values)
        return batch

    def _write(self, kept: pa.RecordBatch, tokens: Tokens, lengths: Lengths, ended: list[pa.RecordBatch]) -> None:
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
        self.outputs["documents"].write(ledger.conform(kept, DOCUMENTS))
        if self.writer is not None:
            self.writer.add_documents(tokens, lengths)
            columns = [kept.column(name) for name in (DOC_ID, ledger.POSITION, ledger.TOKENS)]
            self.outputs["index"].write(pa.RecordBatch.from_arrays(columns, schema=INDEX))
        self.tokens += int(lengths.sum())
        self.documents += kept.num_rows


def mark_duplicates(matches: Sequence[Match | None], threshold: float, batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with the verdicts of deduplication: `url` for equal addresses, `exact` for equal texts, `minhash` for similar.

    A duplicate's value is its similarity with the document that is kept for it.
    """
    batch = with_verdicts(batch, "dedup", [duplicate_verdict(match, threshold) for match in matches])
    columns = {
        ledger.DUPLICATE_OF: pa.array([match and match.kept for match in matches], pa.binary(16)),
        ledger.SIMILARITY: pa.array([match and match.similarity for match in matches], pa.float32()),
        ADDRESS: pa.array([match and match.address for match in matches], pa.string()),
        ledger.JACCARD: pa.array([match and match.jaccard for match in matches], pa.float32()),
    }
    return with_columns(batch, columns)


def measured_near(rows: pa.RecordBatch) -> pa.Array:
    """Which of the rows are near duplicates whose true similarity was measured."""
    return pc.and_(pc.equal(rows.column(REASON), NEAR), pc.is_valid(rows.column(ledger.JACCARD)))


def duplicate_verdict(match: Match | None, threshold: float) -> Verdict | None:
    """The verdict on a duplicate, None for a document that is none."""
    if match is None:
        return None
    thresholds = {NEAR: threshold, EXACT: 1.0}
    return Verdict("duplicate", match.reason, match.similarity, thresholds.get(match.reason))
