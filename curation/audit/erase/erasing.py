"""An erasure from a run, in order: lock, finish what was interrupted, find, write aside, decide, move into place.

The manifest changes with the files: their hashes, the counts by fate, and a row in its list `erasures`, which names the accounts
and the hashes that shards had before. Receipts change with it, so that the run still balances and `verify` holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import TypeAdapter

from connectors import storage
from connectors.errors import UserError
from curation.audit.erase import journal
from curation.audit.erase.account import Checkpoint, write_account
from curation.audit.erase.bookkeeping import ERASURES, Counted, ended, erasure_row, new_receipts, write_new_manifest
from curation.audit.erase.finding import find
from curation.audit.erase.found import Found
from curation.audit.erase.journal import Change, aside
from curation.audit.erase.ledger_rows import rows_of
from curation.audit.erase.matching import Matcher
from curation.audit.erase.requests import Request
from curation.audit.erase.rewriting import Rewriting
from curation.dedup.addresses import canonical
from curation.dedup.shingles import Shingling
from curation.dedup.sketches import SKETCH
from curation.engines.engine import Engine
from curation.erased import tombstones as stones
from curation.erased.likeness import cut
from curation.erased.tombstones import Seal, Tombstones, packed, seal_of
from curation.run.documents import DOC_ID, URL
from curation.run.folder import RunFolder
from curation.run.manifest import read_manifest
from curation.run.parquet_output import ParquetOutput

SIMILAR = 0.8  # Jaccard similarity from which on a document goes with the one that was asked for
REMOVED = ("report", "work")  # what is made again from the rest, or is there only between the passes


@dataclass
class Erasure:
    """Requests to a run. Open it with `erasing`."""

    run: RunFolder
    manifest: dict[str, Any]
    requests: tuple[Request, ...]
    similarity: float = SIMILAR

    @property
    def shingling(self) -> Shingling:
        """How texts become shingles: as the run's own deduplication has them."""
        minhash = (self.manifest["plan"]["recipe"].get("dedup") or {}).get("minhash") or {}
        return TypeAdapter(Shingling).validate_python(minhash.get("shingles") or {})

    @property
    def seal(self) -> Seal:
        """Of the run's tombstones."""
        return seal_of(self.manifest["plan_digest"], self.shingling)

    @property
    def matcher(self) -> Matcher:
        """What finds the requests."""
        redacted = tuple(self.manifest["plan"]["recipe"].get("redact") or ())
        return Matcher(self.requests, self.similarity, self.shingling, redacted)

    def find(self, engine: Engine | None = None) -> Found:
        """All that the requests name. Reading only."""
        return find(self.run, self.matcher, engine)

    def tombstones(self) -> Tombstones:
        """The run's, as they are."""
        uri = self.run.uri(stones.PATH)
        return stones.read_tombstones(uri) if storage.exists(uri) else stones.no_tombstones(self.seal)

    def apply(self, found: Found, date: str, checkpoints: Sequence[Checkpoint] = ()) -> str | None:
        """Erases what was found. Gives the number of the erasure, None where there was nothing to do.

        Raises `UserError` where a file is not what the manifest says, before anything is changed.
        """
        journal.clear(self.run)
        number = f"{len(self.manifest.get(ERASURES, [])) + 1:05d}"
        rewriting = Rewriting(self.run, self.manifest, found, self.matcher)
        changes = list(rewriting.changes())
        known = self.tombstones()
        tombstones = known.with_rows(self._stones(found, known))
        if not changes and tombstones.table.equals(known.table):
            return None
        removed = [name for name in REMOVED if storage.exists(self.run.uri(name))]
        made = [write_tombstones(self.run, tombstones)]
        made += write_account(
            self.run, number, found, self.requests, self.seal, self.similarity, date, changes, removed, checkpoints
        )
        counted = {unit: Counted(count) for unit, count in rewriting.ended.items()}
        receipts = list(new_receipts(self.run, changes, lambda stage, receipt: ended(stage, receipt, counted)))
        row = erasure_row(number, changes, made)
        made += [write_new_manifest(self.run, self.manifest, changes, counted, row)]
        journal.decide(self.run, [*changes, *receipts, *made], removed)
        journal.carry_out(self.run)
        self.manifest = read_manifest(self.run) or {}
        return number

    def _stones(self, found: Found, known: Tombstones) -> Iterator[dict[str, Any]]:
        """A row for each document, and for each request that names more than documents."""
        seal, standing = known.seal, known.named[DOC_ID]
        sketches = packed(cut(found.sketches, SKETCH))
        urls = address_by_id(self.run, found.hidden)
        for doc_id in sorted({*found.hidden, *found.far} - standing):
            row: dict[str, Any] = {DOC_ID: doc_id}
            if canonical(url := urls.get(doc_id, "")) not in found.shared:
                row[stones.URL_HASH] = seal.address(url)
            one = found.documents.get(doc_id)
            if one is not None:
                row[stones.TEXT_HASH] = seal.text(one.text_hash)
                if one.sketch is not None:
                    row |= {stones.SKETCHES: sketches[one.sketch], stones.SIMILARITY: self.similarity}
            yield row
        for request in self.requests:
            if request.kind == "url":
                yield {stones.URL_HASH: seal.address(request.value)}
            elif request.kind == "domain":
                yield {stones.DOMAIN_HASH: seal.domain(request.host)}
        for content, text in zip(packed(cut(found.wanted, SKETCH)), self.matcher.hashes_of_texts, strict=True):
            similar = {stones.SKETCHES: content, stones.SIMILARITY: self.similarity} if content else {}
            yield {stones.TEXT_HASH: seal.text(text), **similar}


@contextmanager
def erasing(run: str, requests: Sequence[Request], similarity: float = SIMILAR, dry: bool = False) -> Iterator[Erasure]:
    """Opens a run for an erasure: nobody else is at work in it, and what was interrupted is finished first.

    dry  it is only looked at. Raises `UserError` for no run, one that is not finished, or one that is in use
    """
    folder = RunFolder(run.rstrip("/"))
    if not storage.exists(folder.uri(folder.manifest)):
        raise UserError(f"{run} holds no run: there is no {folder.manifest}")
    busy = f"Another command is at work in {run}: wait for it, or end it"
    with storage.locked(folder.uri(folder.lock), busy):
        if dry and journal.is_open(folder):
            raise UserError(
                f"An erasure from {run} was interrupted: run it again, without --dry-run, which finishes it"
            )
        journal.carry_out(folder)
        manifest = read_manifest(folder) or {}
        if manifest["status"] != "complete":
            raise UserError(f"The run in {run} is not finished: run the same curate command again, then erase")
        if not manifest["plan"]["recipe"].get("documents", True):
            raise UserError(
                f"The run in {run} keeps no text (its recipe says documents: false) that could be searched: erase from "
                "the run or the files that it was made of, and make it again"
            )
        try:
            yield Erasure(folder, manifest, tuple(requests), similarity)
        finally:
            if not journal.is_open(folder):
                journal.clear(folder)


def address_by_id(run: RunFolder, doc_ids: set[bytes]) -> dict[bytes, str]:
    """The addresses of some records, as the ledger has them."""
    wanted, found = pa.array(list(doc_ids), pa.binary(16)), dict[bytes, str]()
    for _, batch in rows_of(run, "records", (DOC_ID, URL)) if doc_ids else ():
        here = batch.filter(pc.is_in(batch.column(DOC_ID), wanted))
        found |= dict(zip(here.column(DOC_ID).to_pylist(), here.column(URL).to_pylist(), strict=True))
    return found


def write_tombstones(run: RunFolder, tombstones: Tombstones) -> Change:
    """Writes them aside."""
    before = storage.digest(run.uri(stones.PATH)) if storage.exists(run.uri(stones.PATH)) else None
    with ParquetOutput(aside(run, stones.PATH), tombstones.schema) as output:
        for batch in tombstones.table.replace_schema_metadata(tombstones.schema.metadata).to_batches():
            output.write(batch)
    return Change(stones.PATH, before, output.written)
