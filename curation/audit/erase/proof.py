"""Every document, shard, address and shown text of a run searched once more for what was to be erased.

Searched for are the requests themselves, as they were made, and all tombstones of the run. Shards are searched in two ways: the
spans of erased documents hold the end-of-document token and nothing else, and every other document is decoded and read as text;
none of them has the id of one that was erased.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from connectors import storage
from connectors.storage import Written
from curation.audit.erase.account import as_json
from curation.audit.erase.decoding import ShardTexts
from curation.audit.erase.documents import document_units, read_documents
from curation.audit.erase.erasing import Erasure
from curation.audit.erase.finding import in_order
from curation.audit.erase.journal import FOLDER
from curation.audit.erase.ledger_rows import ADDRESS, rows_of, with_language
from curation.audit.erase.matching import Matcher, found_together, matches
from curation.audit.erase.requests import of_kind
from curation.engines.engine import Engine
from curation.erased.step import verdicts_of
from curation.erased.tombstones import Tombstones
from curation.run.documents import DOC_ID, TEXT, URL
from curation.run.folder import RunFolder
from curation.run.manifest import read_manifest, write_manifest
from curation.tokenize.huggingface import from_json_bytes


@dataclass
class Proof:
    """What was searched, and where something was found. `vocabulary` are tokens that a pattern finds: they are no hits, since a
    vocabulary is of words that many documents share, and stay.
    """

    scanned: Counter[str] = field(default_factory=Counter)
    hits: Counter[str] = field(default_factory=Counter)
    vocabulary: int = 0

    @property
    def holds(self) -> bool:
        """Whether nothing was found."""
        return not self.hits.total()

    def add(self, other: Proof) -> None:
        """Adds what another part of the search found."""
        self.scanned.update(other.scanned)
        self.hits.update(other.hits)

    def to_json(self) -> bytes:
        """As a file of the run: counts only."""
        plain = asdict(self) | {"scanned": dict(self.scanned), "hits": {k: n for k, n in self.hits.items() if n}}
        return as_json({**plain, "total_hits": self.hits.total()})


def prove(erasure: Erasure, engine: Engine | None = None) -> Proof:
    """Searches the whole run. Reading only."""
    run, matcher, tombstones = erasure.run, erasure.matcher, erasure.tombstones()
    proof = Proof()
    for part in in_order(engine, SearchDocuments(run, matcher, tombstones), document_units(run)):
        proof.add(part)
    shards = ShardTexts(run, erasure.manifest)
    search = SearchShard(run, erasure.manifest, matcher, tombstones.named[DOC_ID])
    for part in in_order(engine, search, shards.shards):
        proof.add(part)
    proof.add(search_ledger(run, matcher, tombstones))
    proof.vocabulary = in_vocabulary(run, matcher)
    return proof


@dataclass(frozen=True)
class SearchDocuments:
    """A task: a file of curated text."""

    run: RunFolder
    matcher: Matcher
    tombstones: Tombstones

    def __call__(self, unit: str) -> Proof:
        proof = Proof()
        for batch in read_documents(self.run, unit):
            hits = {row for row, _ in self.matcher.documents(batch)}
            hits |= {row for row, verdict in enumerate(verdicts_of(self.tombstones, batch)) if verdict}
            proof.scanned["documents"] += batch.num_rows
            proof.scanned["bytes of text"] += pc.sum(pc.binary_length(batch.column(TEXT))).as_py() or 0
            proof.hits["documents"] += len(hits)
        return proof


@dataclass(frozen=True)
class SearchShard:
    """A task: a shard. `erased` are the ids of what was erased."""

    run: RunFolder
    manifest: dict[str, Any]
    matcher: Matcher
    erased: frozenset[bytes]

    def __call__(self, shard: dict[str, Any]) -> Proof:
        proof, texts = Proof(), ShardTexts(self.run, self.manifest)
        spans = texts.spans(shard)
        proof.scanned.update({"shards": 1, "tokens": int(shard["tokens"]), "erased tokens": spans.tokens})
        proof.hits["erased spans"] += not texts.overwritten(shard)
        for batch in texts.texts(shard):
            proof.scanned["documents decoded"] += batch.num_rows
            named = [*self.matcher.texts(batch), *self.matcher.ids(batch[DOC_ID])]
            proof.hits["shards"] += len({row for row, _ in named})
            proof.hits["ids in shards"] += sum(one in self.erased for one in batch[DOC_ID].to_pylist())
        return proof


def search_ledger(run: RunFolder, matcher: Matcher, tombstones: Tombstones) -> Proof:
    """Addresses and shown texts of the ledger."""
    proof = Proof()
    for name, column, addresses in address_columns(run):
        proof.scanned["addresses"] += len(addresses)
        hits = {row for row, _ in matcher.addresses(addresses)}
        hits |= set(named_by_tombstones(tombstones, addresses)) if column == URL else set()
        proof.hits[name] += len(hits)
    for _, batch in rows_of(run, "removal_rates", ("kind", "name")):
        names = batch.filter(pc.equal(batch.column("kind"), "domain")).column("name")
        proof.scanned["names of domains"] += len(names)
        proof.hits["names of domains"] += len({row for row, _ in matcher.addresses(names)})
    for _, batch in rows_of(run, "near_duplicates", (DOC_ID, TEXT)):
        proof.scanned["beginnings of texts"] += batch.num_rows
        proof.hits["beginnings of texts"] += len({row for row, _ in matcher.texts(with_language(batch))})
    return proof


def address_columns(run: RunFolder) -> Iterator[tuple[str, str, pa.Array]]:
    """All addresses that the ledger shows: of records, and of documents of earlier runs."""
    for part, column in (("records", URL), ("elsewhere", ADDRESS)):
        for _, batch in rows_of(run, part, (column,)):
            yield f"addresses of {part}", column, batch.column(column)


def named_by_tombstones(tombstones: Tombstones, addresses: pa.Array) -> Iterator[int]:
    """Which addresses are of an erased domain. One of an erased page may stand where another capture was kept."""
    domains = tombstones.named["domain_hash"]
    for row, url in enumerate(addresses.to_pylist()) if domains else ():
        if url and not domains.isdisjoint(tombstones.seal.domains(url)):
            yield row


def in_vocabulary(run: RunFolder, matcher: Matcher) -> int:
    """Tokens of a vocabulary that was trained on the run's text in which a pattern finds something."""
    patterns = [(number, request.value) for number, request in of_kind(matcher.requests, "pattern")]
    if not patterns or not storage.exists(run.uri(run.tokenizer)):
        return 0
    tokenizer = from_json_bytes(storage.read_bytes(run.uri(run.tokenizer)), "run", None)
    return len({row for row, _ in found_together(pa.array(tokenizer.spellings()), patterns, matches)})


def record_proof(erasure: Erasure, number: str, proof: Proof) -> None:
    """Puts a proof beside the account of its erasure, and its hash into the manifest."""
    run = erasure.run
    path = f"{FOLDER}/{number}.proof.json"
    written: Written = storage.write_bytes(run.uri(path), proof.to_json())
    manifest = read_manifest(run) or {}
    for row in manifest["erasures"]:
        if row["erasure"] == number:
            row["files"][path] = asdict(written)
    write_manifest(run, manifest)
