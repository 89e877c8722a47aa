"""The new files of a run: without the documents that are to go, without their addresses, their tokens overwritten. Written aside.

Only files in which something changes are written, and nothing of the run itself is touched here. See `places` for what becomes
of each kind of file, and `journal` for how they get there.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors import erased_spans, storage
from connectors.erased_spans import ErasedSpans
from connectors.errors import UserError
from connectors.megatron import ShardReader
from connectors.storage import Written
from curation.audit.erase.found import Erased, Found
from curation.audit.erase.journal import Change, aside
from curation.audit.erase.ledger_rows import ADDRESS, rows_of
from curation.audit.erase.matching import Hit, Matcher, matches
from curation.dedup.index import FOLDER as INDEX
from curation.dedup.index import NAME as INDEX_NAME
from curation.dedup.index import IndexFile, read_index, write_description
from curation.dedup.signature_files import PLAIN, SKETCH
from curation.erased.step import REASON
from curation.pipeline.removal_rates import domains_of
from curation.run.documents import DOC_ID, FATE, STEP, TEXT, THRESHOLD, URL, VALUE, with_column
from curation.run.documents import REASON as REASON_COLUMN
from curation.run.folder import RunFolder
from curation.run.parquet_output import ParquetOutput

ERASE = "erase"  # the step in which an erased document's way ended
_PIECE = 1 << 20  # tokens that are overwritten at a time

Rewrite = Callable[[pa.RecordBatch], pa.RecordBatch]  # gives the very batch where nothing changes


@dataclass
class Rewriting:
    """The files of one erasure. `manifest` is the run's; `ended` counts erased documents by ledger unit."""

    run: RunFolder
    manifest: Mapping[str, Any]
    found: Found
    matcher: Matcher
    ended: dict[str, int] = field(default_factory=dict)

    def changes(self) -> Iterator[Change]:
        """Writes every file that changes."""
        for unit in sorted({one.unit for one in self.found.documents.values()}):
            yield from self.rewritten(self.run.documents(unit), self._without_documents)
        yield from self._shards()
        for unit in sorted({one.ledger for one in self.found.documents.values()}):
            yield from self.rewritten(self.run.ledger("finish", unit), self._with_fates)
            self.ended[unit] = sum(one.ledger == unit for one in self.found.documents.values())
        yield from self._all("records", self._without_addresses)
        yield from self._all("near_duplicates", self._without_beginnings)
        yield from self._all("elsewhere", self._without_far_addresses)
        yield from self._all("removal_rates", self._without_domains)
        yield from self._index()

    def _all(self, part: str, rewrite: Rewrite) -> Iterator[Change]:
        for name in storage.list_files(self.run.uri(f"ledger/{part}"), ".parquet"):
            yield from self.rewritten(f"ledger/{part}/{name}", rewrite)

    def rewritten(self, path: str, rewrite: Rewrite, plain: tuple[str, ...] = ()) -> Iterator[Change]:
        """A Parquet file batch by batch; none where no batch changes."""
        if all(rewrite(batch) is batch for batch in batches_of(self.run, path)):
            return
        before = self.before(path)
        with ParquetOutput(aside(self.run, path), schema_of(self.run, path), plain) as output:
            for batch in batches_of(self.run, path):
                output.write(rewrite(batch).cast(output.schema))
        yield Change(path, before, output.written)

    def before(self, path: str) -> Written:
        """A file as it is. Raises `UserError` where it is not what the manifest says."""
        known = self.manifest["files"].get(path)
        found = storage.digest(self.run.uri(path))
        if known is None or found != Written(**known):
            raise UserError(
                f"{path} is not what the manifest says: nothing was erased. See corpusmill verify {self.run.root}"
            )
        return found

    # ---- documents and shards

    def _without_documents(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        gone = pc.is_in(batch.column(DOC_ID), self._gone)
        return batch.filter(pc.invert(gone)) if pc.any(gone).as_py() else batch

    @cached_property
    def _gone(self) -> pa.Array:
        return pa.array(list(self.found.documents), pa.binary(16))

    @cached_property
    def _hidden(self) -> pa.Array:
        return pa.array(list(self.found.hidden), pa.binary(16))

    def _shards(self) -> Iterator[Change]:
        """Tokens overwritten by the end-of-document token, and the spans beside them."""
        by_shard: dict[str, list[Erased]] = {}
        for one in self.found.documents.values():
            if one.shard:
                by_shard.setdefault(one.shard, []).append(one)
        rows = {row["shard"]: row for row in self.manifest["shards"]}
        for name in sorted(by_shard):
            first = np.array([one.first_token for one in by_shard[name]], np.int64)
            spans = erased_spans.of_lengths(first, np.array([one.tokens for one in by_shard[name]], np.int64))
            yield self._overwritten(name, spans, int(rows[name]["end_of_document"]))
            yield self._spans(name, spans)

    def _overwritten(self, shard: str, spans: ErasedSpans, end_of_document: int) -> Change:
        path = self.run.shard(shard, "bin")
        before = self.before(path)
        reader = ShardReader(storage.local_path(self.run.uri(f"shards/{shard}")))
        if spans.stop[-1] > reader.tokens:
            raise UserError(
                f"The ledger names tokens that shard {shard} has not: see corpusmill verify {self.run.root}"
            )
        ends = np.full(min(_PIECE, spans.tokens), end_of_document, reader.dtype)
        with storage.writing(aside(self.run, path)) as new:
            shutil.copyfile(storage.local_path(self.run.uri(path)), new)
            with new.open("r+b") as file:
                for start, stop in zip(spans.first.tolist(), spans.stop.tolist()):
                    file.seek(start * reader.dtype.itemsize)
                    for place in range(start, stop, _PIECE):
                        file.write(ends[: min(_PIECE, stop - place)].data)
        return Change(path, before, storage.digest(aside(self.run, path)))

    def _spans(self, shard: str, spans: ErasedSpans) -> Change:
        path = self.run.shard(shard, erased_spans.SUFFIX)
        before = self.before(path) if storage.exists(self.run.uri(path)) else None
        if before is not None:
            known = erased_spans.read_erased(storage.local_path(self.run.uri(path)), int(spans.stop[-1]) + (1 << 62))
            first = np.concatenate([known.first, spans.first])
            spans = erased_spans.of_lengths(first, np.concatenate([known.stop, spans.stop]) - first)
        with ParquetOutput(aside(self.run, path), erased_spans.SCHEMA) as output:
            output.write(erased_spans.table_of(spans))
        return Change(path, before, output.written)

    # ---- the ledger

    def _with_fates(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Kept becomes removed, by the step `erase`; tokens and place stay: there is where they were."""
        gone = pc.is_in(batch.column(DOC_ID), self._gone)
        if not pc.any(gone).as_py():
            return batch
        nothing = pa.scalar(None, pa.float64())
        for name, value in (
            (FATE, "removed"),
            (STEP, ERASE),
            (REASON_COLUMN, REASON),
            (VALUE, nothing),
            (THRESHOLD, nothing),
        ):
            batch = with_column(batch, name, pc.if_else(gone, value, batch.column(name)))
        return batch

    def _without_addresses(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        hidden = pc.or_(pc.is_in(batch.column(DOC_ID), self._hidden), pc.is_in(batch.column(URL), self._urls))
        hidden = pc.and_(hidden, pc.invert(pc.is_in(batch.column(DOC_ID), self._others_kept)))
        return blanked(batch, URL, hidden, "")

    @cached_property
    def _urls(self) -> pa.Array:
        return pa.array(sorted(self.found.urls), pa.string())

    @cached_property
    def _others_kept(self) -> pa.Array:
        """Documents that stay and have an address of one that goes: other captures of the page, with another text."""
        sharing: set[bytes] = set()
        for _, batch in rows_of(self.run, "records", (DOC_ID, URL)):
            alike = batch.filter(pc.is_in(batch.column(URL), self._urls)).column(DOC_ID)
            sharing |= {*alike.to_pylist()} - self.found.hidden
        wanted = pa.array(list(sharing), pa.binary(16))
        kept: list[bytes] = []
        for _, batch in rows_of(self.run, "finish", (DOC_ID, FATE)) if sharing else ():
            here = pc.and_(pc.equal(batch.column(FATE), "kept"), pc.is_in(batch.column(DOC_ID), wanted))
            kept += batch.filter(here).column(DOC_ID).to_pylist()
        return pa.array(kept, pa.binary(16))

    def _without_beginnings(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        return blanked(batch, TEXT, pc.is_in(batch.column(DOC_ID), self._hidden), "")

    def _without_far_addresses(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        column = batch.column(ADDRESS)
        hidden = pc.or_(pc.is_in(batch.column(DOC_ID), self._hidden), pc.is_in(column, self._urls))
        hidden = pc.or_(hidden, mask_of(self.matcher.addresses(column), len(column)))
        return blanked(batch, ADDRESS, hidden, None)

    def _without_domains(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        names = batch.column("name")
        patterns = [request.value for request in self.matcher.requests if request.kind == "pattern"]
        gone = pc.is_in(names, self._domains)
        for pattern in patterns:
            gone = pc.or_(gone, pa.array(matches(names, pattern)))
        gone = pc.and_(gone, pc.equal(batch.column("kind"), "domain"))
        return batch.filter(pc.invert(gone)) if pc.any(gone).as_py() else batch

    @cached_property
    def _domains(self) -> pa.Array:
        """Registered domains of which no address is left in the ledger."""
        names = set(domains_of(self._urls).to_pylist()) - {""}
        for _, batch in rows_of(self.run, "records", (DOC_ID, URL)):
            left = self._without_addresses(batch).column(URL)
            if any(pc.any(pc.match_substring(left, name, ignore_case=True)).as_py() for name in names):
                names -= set(domains_of(left).to_pylist())
        return pa.array(sorted(names), pa.string())

    # ---- the index for later runs

    def _index(self) -> Iterator[Change]:
        """An index without the documents: what it holds is what the run keeps."""
        if not storage.exists(self.run.uri(f"{INDEX}/{INDEX_NAME}")):
            return
        index = read_index(self.run.uri(INDEX))
        files: list[IndexFile] = []
        for file in index.files:
            change = next(self.rewritten(f"{INDEX}/{file.path}", self._without_documents, (*PLAIN, SKETCH)), None)
            if change is None or change.after is None:
                files.append(file)
                continue
            yield change
            with storage.open_input(aside(self.run, change.path)) as opened:
                documents = pq.ParquetFile(opened).metadata.num_rows
            files.append(IndexFile(file.path, documents, change.after.bytes, change.after.sha256))
        if files != list(index.files):
            path = f"{INDEX}/{INDEX_NAME}"
            before = self.before(path)
            yield Change(path, before, write_description(aside(self.run, INDEX), index.signing, files))


def batches_of(run: RunFolder, path: str) -> Iterator[pa.RecordBatch]:
    """A Parquet file of the run, a bounded batch at a time."""
    with storage.open_input(run.uri(path)) as file:
        yield from pq.ParquetFile(file).iter_batches(1024)


def schema_of(run: RunFolder, path: str) -> pa.Schema:
    """A file's schema as it was given to whoever wrote it."""
    with storage.open_input(run.uri(path)) as file:
        found = pq.ParquetFile(file).schema_arrow
    return pa.schema([each.remove_metadata() for each in found]).remove_metadata()


def blanked(batch: pa.RecordBatch, column: str, hidden: pa.Array, value: str | None) -> pa.RecordBatch:
    """The batch with a column's value in place of those that are hidden; the very batch where they are that already."""
    old = batch.column(column)
    shown = old.is_valid() if value is None else pc.fill_null(pc.not_equal(old, value), False)
    hidden = pc.and_(pc.fill_null(hidden, False), shown)
    if not pc.any(hidden).as_py():
        return batch
    return with_column(batch, column, pc.if_else(hidden, pa.scalar(value, old.type), old))


def mask_of(hits: list[Hit], rows: int) -> pa.Array:
    """Rows that some request names."""
    mask = np.zeros(rows, np.bool_)
    mask[[row for row, _ in hits]] = True
    return pa.array(mask)
