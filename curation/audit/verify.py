"""Whether a run is still what its manifest says: every byte, every count, every document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import pyarrow.parquet as pq

from connectors import storage
from connectors.errors import UserError
from connectors.megatron import ShardReader
from curation.audit.story import Ledger, as_pattern
from curation.pipeline.close import complete_manifest
from curation.pipeline.plan import first_difference
from curation.run.receipt import Receipt, Unbalanced

FATES = ("kept", "removed", "duplicate", "quarantined")


def verify(run: str, progress: Callable[[str], None] = lambda _: None) -> list[str]:
    """All that is wrong with a run, one line each; an empty list if nothing is. `progress` hears of each file.

    Reads every file once as a stream; memory is bounded by a shard's document index.
    """
    ledger = Ledger(run)
    problems = list(_files(ledger, progress))
    problems += _receipts(ledger)
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


def _receipts(ledger: Ledger) -> Iterator[str]:
    """The manifest once more, made from the receipts as at the end of the run."""
    run, manifest = ledger.folder, ledger.manifest
    units = {
        "refine": [split["split"] for split in manifest["inputs"]],
        "dedup": ["duplicates"],
        "removal_rates": ["removal_rates"] if (manifest["plan"]["recipe"]["dedup"] or {}).get("alarm") else [],
        "index": index_units(manifest),
        "vocabulary": ["vocabulary"] if manifest["plan"]["recipe"]["tokenize"] else [],
        "finish": [shard["shard"] for shard in manifest["shards"]],
    }
    receipts: dict[str, list[Receipt]] = {stage: [] for stage in units}
    for stage, unit in [(stage, unit) for stage, names in units.items() for unit in names]:
        path = run.receipt(stage, unit)
        try:
            receipts[stage].append(Receipt.from_json(storage.read_bytes(run.uri(path))))
        except FileNotFoundError:
            yield f"{path} is missing"
        except ValueError:
            yield f"{path} was changed: it is no receipt any more"
    if all(len(receipts[stage]) == len(units[stage]) for stage in units):
        yield from _differences(ledger, receipts)


def index_units(manifest: dict[str, Any]) -> list[str]:
    """The receipts of a run's index, if it has one."""
    if not (manifest["plan"]["recipe"]["dedup"] or {}).get("index"):
        return []
    return [*(f"splits/{split['split']}" for split in manifest["inputs"]), "index"]


def _differences(ledger: Ledger, receipts: dict[str, list[Receipt]]) -> Iterator[str]:
    run, manifest = ledger.folder, ledger.manifest
    for stage in receipts:
        for receipt in receipts[stage]:
            if receipt.plan != manifest["plan_digest"]:
                yield f"{run.receipt(stage, receipt.unit)} is of another plan than {run.manifest}"
    files = {run.recipe: storage.digest(run.uri(run.recipe))} if storage.exists(run.uri(run.recipe)) else {}
    between = receipts["dedup"] + receipts["removal_rates"] + receipts["index"] + receipts["vocabulary"]
    try:
        made = complete_manifest(run, manifest["plan"], files, receipts["refine"], between, receipts["finish"])
    except Unbalanced as error:
        yield f"the receipts do not balance: {error}"
        return
    for key in made:
        if key != "files" and made[key] != manifest[key]:
            yield f"{run.manifest} and the receipts disagree: {first_difference(manifest[key], made[key], key)}"
    for path in sorted(made["files"].keys() | manifest["files"].keys()):
        if path != run.recipe and made["files"].get(path) != manifest["files"].get(path):
            yield f"{run.manifest} and the receipts disagree about {path}"


def _balance(ledger: Ledger) -> Iterator[str]:
    """Law 1, counted again from the ledger itself: every record has one fate, and the manifest says the same."""
    folder = as_pattern(ledger.folder.uri("ledger"))
    parts = [f"{folder}/{part}/**/*.parquet" for part in ("refine", "finish") if ledger.has(part)]
    counts = ", ".join(f"count(*) FILTER (f.fate = '{fate}')" for fate in FATES)
    rows = duckdb.execute(
        f"""SELECT r.source, count(*), count(f.doc_id), count(DISTINCT r.doc_id),
                  {counts}
           FROM read_parquet(?) r LEFT JOIN read_parquet(?) f USING (doc_id) GROUP BY r.source""",
        [f"{folder}/records/**/*.parquet", parts],
    ).fetchall()
    fates = duckdb.execute("SELECT count(*) FROM read_parquet(?)", [parts]).fetchall()[0]
    records = sum(row[1] for row in rows)
    if fates[0] != records:
        yield f"the ledger has {records:,} records and {fates[0]:,} fates"
    sources: dict[str, dict[str, int]] = ledger.manifest["sources"]
    if sorted(sources) != sorted(row[0] for row in rows if row[1]) and any(s["in"] for s in sources.values()):
        yield f"the ledger has the sources {sorted(row[0] for row in rows)}, the manifest {sorted(sources)}"
    for source, entered, with_fate, distinct, *by_fate in rows:
        if not entered == with_fate == distinct:
            yield f"source {source}: {entered:,} records, {distinct:,} of them distinct, {with_fate:,} with a fate"
        counted = {"in": entered, **dict(zip(FATES, by_fate, strict=True))}
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
