"""Whether a run is still what its manifest says: every byte, every count, every document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import pyarrow.parquet as pq

from connectors import storage
from connectors.errors import UserError
from connectors.megatron import ShardReader
from curation.audit.story import Ledger

FATES = ("kept", "removed", "duplicate", "quarantined")


def verify(run: str, progress: Callable[[str], None] = lambda _: None) -> list[str]:
    """All that is wrong with a run, one line each; an empty list if nothing is. `progress` hears of each file.

    Reads every file once as a stream; memory is bounded by a shard's document index.
    """
    ledger = Ledger(run)
    problems = list(_files(ledger, progress))
    if not problems:  # counts of files that are not what they were mean nothing
        problems += _balance(ledger)
        problems += _shards(ledger)
    return problems


def _files(ledger: Ledger, progress: Callable[[str], None]) -> Iterator[str]:
    for path, written in ledger.manifest["files"].items():
        progress(path)
        uri = ledger.folder.uri(path)
        if not storage.exists(uri):
            yield f"{path} is missing"
            continue
        found = storage.digest(uri)
        if found.bytes != written["bytes"]:
            yield f"{path} has {found.bytes:,} bytes, not {written['bytes']:,}"
        elif found.sha256 != written["sha256"]:
            yield f"{path} was changed: its SHA-256 is {found.sha256[:16]}…, not {written['sha256'][:16]}…"


def _balance(ledger: Ledger) -> Iterator[str]:
    """Law 1, counted again from the ledger itself: every record has one fate, and the manifest says the same."""
    folder = ledger.folder.uri("ledger")
    parts = [f"{folder}/{part}/**/*.parquet" for part in ("refine", "finish") if ledger.has(part)]
    rows = duckdb.execute(
        """SELECT r.source, count(*), count(f.doc_id), count(DISTINCT r.doc_id), list(f.fate)
           FROM read_parquet(?) r LEFT JOIN read_parquet(?) f USING (doc_id) GROUP BY r.source""",
        [f"{folder}/records/**/*.parquet", parts],
    ).fetchall()
    fates = duckdb.execute("SELECT count(*) FROM read_parquet(?)", [parts]).fetchone()
    records = sum(row[1] for row in rows)
    if fates is None or fates[0] != records:
        yield f"the ledger has {records:,} records and {fates[0] if fates else 0:,} fates"
    sources: dict[str, dict[str, int]] = ledger.manifest["sources"]
    if sorted(sources) != sorted(row[0] for row in rows if row[1]) and any(s["in"] for s in sources.values()):
        yield f"the ledger has the sources {sorted(row[0] for row in rows)}, the manifest {sorted(sources)}"
    for source, entered, with_fate, distinct, fate_list in rows:
        if not entered == with_fate == distinct:
            yield f"source {source}: {entered:,} records, {distinct:,} of them distinct, {with_fate:,} with a fate"
        counted = {"in": entered, **{fate: fate_list.count(fate) for fate in FATES}}
        if counted != sources.get(source):
            yield f"source {source}: the ledger counts {counted}, the manifest {sources.get(source)}"


def _shards(ledger: Ledger) -> Iterator[str]:
    """Each shard's index against its tokens and its document index."""
    for row in ledger.manifest["shards"]:
        if "dtype" not in row:
            continue
        name = row["shard"]
        try:
            shard = ShardReader(storage.local_path(ledger.folder.uri(f"shards/{name}")))
            shard.check()
        except UserError as error:
            yield f"shard {name}: {error}"
            continue
        index: Any = pq.read_table(ledger.folder.uri(ledger.folder.shard(name, "docs.parquet")))
        if index["tokens"].to_pylist() != shard.lengths.tolist():
            yield f"shard {name}: docs.parquet and .idx disagree on the documents' lengths"
        if (len(shard), shard.tokens) != (row["documents"], row["tokens"]):
            yield f"shard {name}: {len(shard):,} documents, {shard.tokens:,} tokens; the manifest says otherwise"
