"""Compaction: shards without what was erased from them. Their documents move up, so this starts a new order.

An erasure leaves every token where it was, so that a training goes on; a compacted run is for trainings that begin. The ledger's
positions, the counts of shards and units, and their receipts follow; what is left of a document is its row in the ledger.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors import erased_spans, storage
from connectors.erased_spans import ErasedSpans
from connectors.megatron import ShardReader, ShardWriter
from curation.audit.erase import journal
from curation.audit.erase.account import as_json, files_of
from curation.audit.erase.bookkeeping import ERASURES, erasure_row, new_receipts, write_new_manifest
from curation.audit.erase.decoding import ShardTexts
from curation.audit.erase.erasing import Erasure
from curation.audit.erase.found import Found
from curation.audit.erase.journal import FOLDER, Change, aside
from curation.audit.erase.rewriting import Rewriting, schema_of
from curation.run import ledger
from curation.run.documents import DOC_ID, with_columns
from curation.run.manifest import read_manifest
from curation.run.parquet_output import ROWS, ParquetOutput
from curation.run.receipt import Receipt
from curation.run.version import VERSION

KIND = "compaction"
FIRST_TOKEN = "first_token"
_PIECE = 1 << 20  # tokens copied at a time

Positions = npt.NDArray[np.int64]


@dataclass
class Freed:
    """What a shard, or a finish unit, loses."""

    documents: int = 0
    tokens: int = 0
    by_group: dict[tuple[str, str, str], list[int]] = field(default_factory=dict)


def compact(erasure: Erasure, date: str) -> str | None:
    """Compacts every shard from which something was erased. Gives the number of its account, None where there is none."""
    run, manifest = erasure.run, erasure.manifest
    journal.clear(run)
    compaction = Compaction(erasure)
    changes = list(compaction.changes())
    if not changes:
        return None
    number = f"{len(manifest.get(ERASURES, [])) + 1:05d}"
    path = f"{FOLDER}/{number}.json"
    freed = list(compaction.shards.values())
    content = {
        "erasure": number,
        "kind": KIND,
        "date": date,
        "corpusmill": VERSION,
        "documents": sum(each.documents for each in freed),
        "tokens": sum(each.tokens for each in freed),
        "files": files_of(changes),
    }
    made = [Change(path, None, storage.write_bytes(aside(run, path), as_json(content)))]
    receipts = list(new_receipts(run, changes, compaction.receipt))
    row = erasure_row(number, changes, made, KIND)
    shards = [lessened(each, compaction.shards.get(each["shard"])) for each in manifest["shards"]]
    units = [lessened(each, compaction.units.get(each["unit"])) for each in manifest.get("units", [])]
    known_units = units if "units" in manifest else None
    made += [write_new_manifest(run, manifest, changes, {}, row, shards, known_units)]
    journal.decide(run, [*changes, *receipts, *made], [])
    journal.carry_out(run)
    erasure.manifest = read_manifest(run) or {}
    return number


class Compaction:
    """The new files of a run, written aside, and what shards and units lose."""

    def __init__(self, erasure: Erasure) -> None:
        self.run, self.manifest = erasure.run, erasure.manifest
        self.texts = ShardTexts(self.run, self.manifest)
        self.rewriting = Rewriting(self.run, self.manifest, Found(), erasure.matcher)
        self.spans: dict[str, ErasedSpans] = {}
        self.shards: dict[str, Freed] = {}
        self.units: dict[str, Freed] = {}
        self._rows = {row["shard"]: row for row in self.texts.shards}

    def changes(self) -> Iterator[Change]:
        """Writes every file that changes."""
        for name, row in self._rows.items():
            spans = self.texts.spans(row)
            if len(spans):
                self.spans[name] = spans
                yield from self._shard(name, row, spans)
        if self.spans:
            for name in storage.list_files(self.run.uri("ledger/finish"), ".parquet"):
                self._count(name.removesuffix(".parquet"))
                yield from self.rewriting.rewritten(f"ledger/finish/{name}", self._moved)

    def _shard(self, name: str, row: Mapping[str, Any], spans: ErasedSpans) -> Iterator[Change]:
        run = self.run
        paths = [run.shard(name, suffix) for suffix in ("bin", "idx", "docs.parquet")]
        before = [self.rewriting.before(path) for path in paths]
        with storage.open_input(run.uri(paths[2])) as file:
            documents = pq.read_table(file, use_threads=False)
        stays = ~spans.holds(documents[FIRST_TOKEN].to_numpy().astype(np.int64))
        kept = documents.filter(pa.array(stays))
        self._copy(name, spans, kept[ledger.TOKENS].to_numpy().astype(np.int64))
        self._write_index(paths[2], kept)
        self.shards[name] = Freed(int((~stays).sum()), spans.tokens)
        for path, old in zip(paths, before, strict=True):
            yield Change(path, old, storage.digest(aside(run, path)))
        path = run.shard(name, erased_spans.SUFFIX)
        yield Change(path, self.rewriting.before(path), None)

    def _copy(self, name: str, spans: ErasedSpans, lengths: Positions) -> None:
        """The tokens between the spans, end to end."""
        reader = ShardReader(storage.local_path(self.run.uri(f"shards/{name}")))
        stops, documents = np.cumsum(lengths), 0
        with ExitStack() as stack:
            bin_path, idx_path = (
                stack.enter_context(storage.writing(aside(self.run, self.run.shard(name, suffix))))
                for suffix in ("bin", "idx")
            )
            writer = stack.enter_context(ShardWriter(bin_path, idx_path, reader.dtype))
            for first, stop in between(spans, reader.tokens):
                while first < stop:
                    end = int(np.searchsorted(stops, writer.tokens + min(_PIECE, stop - first), side="right"))
                    end = max(end, documents + 1)
                    tokens = int(lengths[documents:end].sum())
                    writer.add_documents(reader.range(first, first + tokens), lengths[documents:end])
                    first, documents = first + tokens, end
            writer.finish()

    def _write_index(self, path: str, kept: pa.Table) -> None:
        lengths = kept[ledger.TOKENS].to_numpy().astype(np.uint64)
        place = kept.schema.get_field_index(FIRST_TOKEN)
        moved = kept.set_column(place, kept.schema.field(place), pa.array(np.cumsum(lengths) - lengths, pa.uint64()))
        schema = schema_of(self.run, path)
        with ParquetOutput(aside(self.run, path), schema) as output:
            for first in range(0, moved.num_rows, ROWS):
                group = [own_dictionary(column, each.type) for column, each in zip(moved.slice(first, ROWS), schema)]
                output.write(pa.RecordBatch.from_arrays(group, schema=schema))

    def _moved(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The ledger's rows with the positions that they have now; none for what was erased."""
        concerned = pc.is_in(batch.column(ledger.SHARD), pa.array(list(self.spans), pa.string()))
        if not pc.any(concerned).as_py():
            return batch
        position = pc.fill_null(batch.column(ledger.POSITION), 0).to_numpy().astype(np.int64)
        gone, names = np.zeros(batch.num_rows, np.bool_), np.array(batch.column(ledger.SHARD).to_pylist(), object)
        for name, spans in self.spans.items():
            here = np.flatnonzero(names == name)
            gone[here] = spans.holds(position[here])
            position[here] -= spans.before(position[here])
        places = pa.array(position, pa.uint64())
        missing = pa.array(gone)
        tokens = batch.column(ledger.TOKENS)
        columns = {
            ledger.POSITION: pc.if_else(batch.column(ledger.POSITION).is_valid(), places, None),
            ledger.SHARD: batch.column(ledger.SHARD),
            ledger.TOKENS: tokens,
        }
        cleared = {name: pc.if_else(missing, pa.scalar(None, column.type), column) for name, column in columns.items()}
        return with_columns(batch, cleared)

    def _count(self, unit: str) -> None:
        """What a unit loses, by the group that its shards are of."""
        lost = self.units.setdefault(unit, Freed())
        columns = [DOC_ID, ledger.SHARD, ledger.POSITION, ledger.TOKENS]
        with storage.open_input(self.run.uri(self.run.ledger("finish", unit))) as file:
            table = pq.read_table(file, columns=columns, use_threads=False)
        for name, spans in self.spans.items():
            here = table.filter(pc.fill_null(pc.equal(table[ledger.SHARD], name), False))
            gone = here.filter(pa.array(spans.holds(here[ledger.POSITION].to_numpy().astype(np.int64))))
            documents, tokens = gone.num_rows, int(pc.sum(gone[ledger.TOKENS]).as_py() or 0)
            held = lost.by_group.setdefault(group_of(self._rows[name]), [0, 0])
            held[0], held[1] = held[0] + documents, held[1] + tokens
            lost.documents, lost.tokens = lost.documents + documents, lost.tokens + tokens

    def receipt(self, stage: str, receipt: Receipt) -> Receipt:
        """A receipt of a shard or a unit with as much as is left."""
        if stage not in ("finish", "shards"):
            return receipt
        freed = self.shards.get(receipt.unit) if self._is_of_shard(receipt) else self.units.get(receipt.unit)
        if freed is None or not freed.documents or "documents" not in receipt.facts:
            return receipt
        facts = lessened(receipt.facts, freed)
        if "segments" in facts:
            facts["segments"] = [
                lessened(row, Freed(*freed.by_group.get(group_of(row), (0, 0)))) for row in facts["segments"]
            ]
        if not self._is_of_shard(receipt):
            return replace(receipt, facts=facts)
        path = self.run.shard(receipt.unit, "bin")
        size = storage.size(aside(self.run, path))
        return replace(receipt, facts=facts, records=receipt.records - freed.documents, bytes=size)

    def _is_of_shard(self, receipt: Receipt) -> bool:
        return self.run.shard(receipt.unit, "bin") in receipt.outputs


def group_of(row: Mapping[str, Any]) -> tuple[str, str, str]:
    """By which a unit counts what it gave to shards: part, language, quality."""
    return str(row.get("part") or "train"), str(row.get("language") or ""), str(row.get("quality") or "")


def between(spans: ErasedSpans, tokens: int) -> Iterator[tuple[int, int]]:
    """The stretches of a shard that lie between spans."""
    starts, stops = [0, *spans.stop.tolist()], [*spans.first.tolist(), tokens]
    yield from ((start, stop) for start, stop in zip(starts, stops, strict=True) if start < stop)


def lessened(row: Mapping[str, Any], freed: Freed | None) -> dict[str, Any]:
    """A row of counts less what was lost."""
    if freed is None:
        return dict(row)
    return {**row, "documents": row["documents"] - freed.documents, "tokens": row["tokens"] - freed.tokens}


def own_dictionary(column: pa.ChunkedArray, kind: pa.DataType) -> pa.Array:
    """A column as one array; of a dictionary only the values that occur."""
    if pa.types.is_dictionary(kind):
        return column.cast(kind.value_type).combine_chunks().dictionary_encode().cast(kind)
    return column.combine_chunks()
