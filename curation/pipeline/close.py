"""The end of a run: its balance, and the manifest that says what it is made of."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from connectors import storage
from connectors.storage import Written
from curation.pipeline.plan import Plan
from curation.run.folder import RunFolder
from curation.run.receipt import Receipt, StepCount, Unbalanced, total_counts

FATES = ("kept", "removed", "duplicate", "quarantined")


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


def write_manifest(
    run: RunFolder, plan: Plan, refined: Sequence[Receipt], between: Sequence[Receipt], finished: Sequence[Receipt]
) -> dict[str, Any]:
    """Checks the balance, hashes and all, and closes the manifest. Holds no clock and no path of a machine."""
    sources = balance(refined, finished)
    counts = all_counts(refined, finished)
    kept_files: dict[str, Written] = {}
    for receipt in [*refined, *between, *finished]:
        kept_files |= {path: w for path, w in receipt.outputs.items() if not path.startswith(f"{run.work}/")}
    manifest = {
        "status": "complete",
        "plan_digest": plan.digest,
        "plan": plan.content,
        "inputs": [
            {"split": r.unit, "bytes": r.bytes, "sha256": r.facts["input_sha256"], "records": r.records}
            for r in refined
        ],
        "sources": sources,
        "steps": [{"step": step, **asdict(count)} for step, count in counts.items()],
        "shards": [{"shard": r.unit, **r.facts} for r in finished],
        "files": {path: asdict(written) for path, written in sorted(kept_files.items())},
    }
    storage.write_bytes(run.uri(run.manifest), (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode())
    return manifest


def close(run: RunFolder, keep_work: bool) -> None:
    """Removes what only the passes needed."""
    storage.remove_partial_files(run.root)
    if not keep_work:
        storage.remove_tree(run.uri(run.work))
