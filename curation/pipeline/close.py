"""The end of a run: its balance, and the manifest that says what it is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from connectors import storage
from connectors.storage import Written
from curation.pipeline.plan import Plan, plan_digest
from curation.run.folder import RunFolder
from curation.run.manifest import write_manifest
from curation.run.merkle import merkle_root
from curation.run.receipt import Receipt, StepCount, Unbalanced, total_counts

FATES = ("kept", "removed", "duplicate", "quarantined")
UNIT_FACTS = ("splits", "documents", "tokens")


def balance(refined: Sequence[Receipt], finished: Sequence[Receipt]) -> dict[str, dict[str, int]]:
    """Documents in and by fate, for each source. Raises `Unbalanced` unless in = kept + removed + duplicate + quarantined."""
    sources: dict[str, dict[str, int]] = {}
    for receipt in [*refined, *finished]:
        row = sources.setdefault(receipt.source, dict.fromkeys(("in", *FATES), 0))
        for count in receipt.counts.values():
            for fate, reasons in count.ended.items():
                row[fate] += sum(reasons.values())
    for receipt in refined:
        sources[receipt.source]["in"] += receipt.records
    for source, row in sources.items():
        if row["in"] != sum(row[fate] for fate in FATES):
            raise Unbalanced(f"source {source}: {row}")
    return sources


def all_counts(refined: Sequence[Receipt], finished: Sequence[Receipt]) -> dict[str, StepCount]:
    """The run's counts, step by step, in order."""
    counts = total_counts(list(refined)) | total_counts(list(finished))
    for step, count in counts.items():
        count.check(f"step {step}")
    return counts


def require_all_in_shards(finished: Sequence[Receipt], sharded: Sequence[Receipt]) -> None:
    """Raises `Unbalanced` unless each source's tokens and their documents are all in its shards."""
    for fact in ("documents", "tokens"):
        for source in dict.fromkeys(receipt.source for receipt in finished):
            held = sum(r.facts[fact] for r in finished if r.source == source and "segments" in r.facts)
            in_shards = sum(r.facts[fact] for r in sharded if r.source == source)
            if held != in_shards:
                raise Unbalanced(f"source {source}: {held} {fact}, {in_shards} of them in shards")


def close_manifest(
    run: RunFolder,
    plan: Plan,
    refined: Sequence[Receipt],
    between: Sequence[Receipt],
    finished: Sequence[Receipt],
    sharded: Sequence[Receipt],
) -> None:
    """Checks the balance and writes the manifest of the complete run."""
    recipe = {run.recipe: storage.digest(run.uri(run.recipe))}
    write_manifest(run, complete_manifest(run, plan.content, recipe, refined, between, finished, sharded))


def complete_manifest(
    run: RunFolder,
    plan: dict[str, Any],
    files: Mapping[str, Written],
    refined: Sequence[Receipt],
    between: Sequence[Receipt],
    finished: Sequence[Receipt],
    sharded: Sequence[Receipt],
) -> dict[str, Any]:
    """The manifest that a plan's receipts give, in the order of the plan; `files` are those that no receipt names.

    between  receipts of stages that only name files

    Holds no clock and no path of a machine. Raises `Unbalanced` where documents or tokens were lost.
    """
    sources = balance(refined, finished)
    counts = all_counts(refined, finished)
    kept_files = dict(files)
    require_all_in_shards(finished, sharded)
    for receipt in [*refined, *between, *finished, *sharded]:
        kept_files |= {path: w for path, w in receipt.outputs.items() if not path.startswith(f"{run.work}/")}
    return {
        "status": "complete",
        "plan_digest": plan_digest(plan),
        "plan": plan,
        "inputs": [
            {"split": r.unit, "bytes": r.bytes, "sha256": r.facts["input_sha256"], "records": r.records}
            for r in refined
        ],
        "sources": sources,
        "steps": [{"step": step, **asdict(count)} for step, count in counts.items()],
        "units": [{"unit": r.unit, **{fact: r.facts[fact] for fact in UNIT_FACTS}} for r in finished],
        "shards": [{"shard": r.unit, **r.facts} for r in sharded],
        "merkle_root": merkle_root(kept_files),
        "files": {path: asdict(written) for path, written in sorted(kept_files.items())},
    }


def close(run: RunFolder, keep_work: bool) -> None:
    """Removes what only the passes needed."""
    storage.remove_partial_files(run.root)
    if not keep_work:
        storage.remove_tree(run.uri(run.work))
