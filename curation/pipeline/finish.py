"""The second pass: survivors that are nobody's duplicate become redacted text, tokens and a shard. No shuffle.

A shard is a fixed group of splits of one source, in order, so that its place is known before any work is done.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from connectors import storage
from connectors.megatron import ShardWriter, optimal_dtype
from curation.pipeline.survivors import Match, read_matches, read_survivors
from curation.recipes.model import Recipe
from curation.redact import Redact, redact_json
from curation.run import ledger
from curation.run.documents import (
    DOC_ID,
    FATE,
    LANG,
    LANG_SCORE,
    META,
    REASON,
    RECORD_FIELDS,
    ROW,
    STEP,
    TEXT,
    THRESHOLD,
    VALUE,
    texts,
    with_column,
)
from curation.run.folder import RunFolder
from curation.run.heartbeat import Heartbeat
from curation.run.parquet_output import ParquetOutput
from curation.run.receipt import Receipt, StepCount, valid_receipt
from curation.tokenize.loading import load_tokenizer
from curation.tokenize.tokenizer import Tokenizer

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
def opened_tokenizer(location: str, end_of_document: str | None) -> Tokenizer:
    """The run's tokenizer, once a worker process."""
    return load_tokenizer(location, end_of_document)


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
        receipt_uri = self.run.uri(self.run.receipt("finish", shard.name))
        done = valid_receipt(receipt_uri, self.run.root, self.plan)
        if done is None:
            done = Finishing(self, shard).work()
            storage.write_bytes(receipt_uri, done.to_json())
        return done


class Finishing:
    """One shard on its way through the pass: open outputs, counts and clocks."""

    def __init__(self, task: FinishPass, shard: Shard) -> None:
        self.task, self.shard = task, shard
        self.redact = Redact(kinds=task.recipe.redact) if task.recipe.redact else None
        settings = task.recipe.tokenize
        self.tokenizer = opened_tokenizer(task.tokenizer, settings.end_of_document) if settings and task.tokenizer else None
        self.counts = {name: StepCount() for name in ("dedup", "redact", "tokenize")}
        self.seconds = dict.fromkeys(("dedup", "redact", "tokenize", "write"), 0.0)
        self.tokens = self.documents = 0

    def work(self) -> Receipt:
        """Makes the shard and returns its receipt."""
        started = time.perf_counter()
        run, name = self.task.run, self.shard.name
        paths = {
            "fates": (run.ledger("finish", name), ledger.FATES),
            "edits": (run.ledger("edits/finish", name), ledger.EDITS),
            "documents": (run.documents(name), DOCUMENTS),
            "index": (run.shard(name, "docs.parquet"), INDEX),
        }
        if self.tokenizer is None:
            del paths["index"]
        heartbeat = Heartbeat(run.uri(run.heartbeat("finish", name)))
        with ExitStack() as stack:
            self.outputs = {
                key: stack.enter_context(ParquetOutput(run.uri(path), schema)) for key, (path, schema) in paths.items()
            }
            self.writer = self._open_shard(stack)
            for unit in self.shard.units:
                matches = read_matches(run, unit)
                for first, batch in read_survivors(run, unit):
                    self._process(batch, [matches.get(first + i) for i in range(batch.num_rows)])
                    heartbeat.beat(batch.num_rows, 0, 0)
            if self.writer is not None:
                self.writer.finish()
        written = {path: self.outputs[key].written for key, (path, _) in paths.items()}
        outputs = {path: output for path, output in written.items() if output}
        if self.writer is not None:
            outputs |= {path: storage.digest(run.uri(path)) for path in (run.shard(name, "bin"), run.shard(name, "idx"))}
        for step, count in self.counts.items():
            count.check(f"shard {name}, step {step}")
        return Receipt(
            unit=name,
            plan=self.task.plan,
            source=self.shard.source,
            records=self.counts["dedup"].entered,
            bytes=self.shard.text_bytes,
            counts=self.counts,
            outputs=outputs,
            facts=self._facts(),
            timing={**self.seconds, "wall": time.perf_counter() - started},
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
        paths = [stack.enter_context(storage.writing(run.uri(run.shard(name, suffix)))) for suffix in ("bin", "idx")]
        return stack.enter_context(ShardWriter(*paths, optimal_dtype(self.tokenizer.vocabulary_size)))

    def _process(self, batch: pa.RecordBatch, matches: list[Match | None]) -> None:
        """Takes one batch of survivors to its end and writes what comes of it."""
        started = time.process_time()
        is_kept = pa.array([match is None for match in matches])
        kept = batch.filter(is_kept)
        self._count(batch.num_rows, kept.num_rows, [match for match in matches if match])
        self.seconds["dedup"] += time.process_time() - started

        started = time.process_time()
        if self.redact is not None and kept.num_rows:
            kept = self._redacted(kept)
        self.seconds["redact"] += time.process_time() - started

        started = time.process_time()
        tokens, lengths = self._tokens(kept)
        self.seconds["tokenize"] += time.process_time() - started

        started = time.process_time()
        self._write(batch, matches, kept, tokens, lengths)
        self.seconds["write"] += time.process_time() - started

    def _count(self, entered: int, kept: int, matches: list[Match]) -> None:
        for step in self.counts:
            self.counts[step].entered += entered if step == "dedup" else kept
            self.counts[step].went_on += 0 if step == "tokenize" else kept
        for match in matches:
            reasons = self.counts["dedup"].ended.setdefault("duplicate", {})
            reason = duplicate_reason(match)
            reasons[reason] = reasons.get(reason, 0) + 1
        if kept:
            reasons = self.counts["tokenize"].ended.setdefault("kept", {})
            reasons["kept"] = reasons.get("kept", 0) + kept

    def _redacted(self, kept: pa.RecordBatch) -> pa.RecordBatch:
        assert self.redact is not None
        kinds = self.redact.kinds
        kept = self.redact(kept)
        metas = [redact_json(meta, kinds) if meta else meta for meta in kept.column(META).to_pylist()]
        return with_column(kept, META, pa.array(metas, pa.string()))

    def _tokens(self, kept: pa.RecordBatch) -> tuple[np.ndarray, np.ndarray]:
        """The documents' tokens end to end, each document closed by the end-of-document token, and their lengths."""
        if self.tokenizer is None or not kept.num_rows:
            return np.zeros(0, np.int32), np.zeros(kept.num_rows, np.int64)
        ids, lengths = self.tokenizer.encode_batch(texts(kept))
        return np.insert(ids, np.cumsum(lengths), self.tokenizer.end_of_document), lengths + 1

    def _write(
        self,
        batch: pa.RecordBatch,
        matches: list[Match | None],
        kept: pa.RecordBatch,
        tokens: np.ndarray,
        lengths: np.ndarray,
    ) -> None:
        first_tokens = self.tokens + np.cumsum(lengths) - lengths
        counted = pa.array(lengths, pa.uint32()) if self.tokenizer else pa.nulls(kept.num_rows, pa.uint32())
        self.outputs["fates"].write(self._fates(batch, matches, lengths, first_tokens))
        self.outputs["edits"].write(ledger.edits_of(kept))
        self.outputs["documents"].write(ledger.conform(with_column(kept, ledger.TOKENS, counted), DOCUMENTS))
        if self.writer is not None:
            self.writer.add_documents(tokens, lengths)
            columns = [kept.column(DOC_ID), pa.array(first_tokens, pa.uint64()), counted]
            self.outputs["index"].write(pa.RecordBatch.from_arrays(columns, schema=INDEX))
        self.tokens += int(lengths.sum())
        self.documents += kept.num_rows

    def _fates(
        self, batch: pa.RecordBatch, matches: list[Match | None], lengths: np.ndarray, first_tokens: np.ndarray
    ) -> pa.RecordBatch:
        """The ledger's rows of a batch: duplicates with what they duplicate, all others kept, with their place."""
        is_kept = np.array([match is None for match in matches])
        place = np.cumsum(is_kept) - 1
        sharded = self.tokenizer is not None
        threshold = self.task.duplicate_threshold
        columns = {
            FATE: ["duplicate" if match else "kept" for match in matches],
            STEP: ["dedup" if match else "tokenize" for match in matches],
            REASON: [duplicate_reason(match) if match else None for match in matches],
            VALUE: [match.similarity if match else None for match in matches],
            THRESHOLD: [(1.0 if match.exact else threshold) if match else None for match in matches],
            ledger.DUPLICATE_OF: [match.kept if match else None for match in matches],
            ledger.SIMILARITY: [match.similarity if match else None for match in matches],
            ledger.TOKENS: [int(lengths[p]) if k and sharded else None for k, p in zip(is_kept, place, strict=True)],
            ledger.SHARD: [self.shard.name if k and sharded else None for k in is_kept],
            ledger.POSITION: [int(first_tokens[p]) if k and sharded else None for k, p in zip(is_kept, place, strict=True)],
        }
        arrays = [batch.column(DOC_ID), batch.column(ROW)]
        arrays += [pa.array(columns[field.name], field.type) for field in ledger.FATES if field.name in columns]
        return pa.RecordBatch.from_arrays(arrays, schema=ledger.FATES)


def duplicate_reason(match: Match) -> str:
    """`exact` for equal texts, `minhash` for similar ones."""
    return "exact" if match.exact else "minhash"
