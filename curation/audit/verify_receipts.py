"""The manifest once more, made from the receipts as at the end of the run, and held against the one that is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connectors import storage
from curation.audit.finding import Finding
from curation.audit.story import Ledger
from curation.pipeline.close import complete_manifest
from curation.pipeline.one_pass import is_one_pass
from curation.pipeline.plan import first_difference
from curation.run.receipt import Receipt, Unbalanced


def check_receipts(ledger: Ledger) -> Iterator[Finding]:
    """Every receipt that the manifest promises, and whether together they give the same manifest."""
    run = ledger.folder
    units = receipts_of(ledger.manifest)
    receipts: dict[str, list[Receipt]] = {stage: [] for stage in units}
    for stage, unit in [(stage, unit) for stage, names in units.items() for unit in names]:
        path = run.receipt(stage, unit)
        try:
            receipts[stage].append(Receipt.from_json(storage.read_bytes(run.uri(path))))
        except FileNotFoundError:
            yield Finding(path, "is missing")
        except ValueError:
            yield Finding(path, "was changed: it is no receipt any more")
    if all(len(receipts[stage]) == len(units[stage]) for stage in units):
        yield from _differences(ledger, receipts)


def receipts_of(manifest: dict[str, Any]) -> dict[str, list[str]]:
    """The receipts that a run has, by stage."""
    recipe, units = manifest["plan"]["recipe"], [unit["unit"] for unit in manifest["units"]]
    splits = [split["split"] for split in manifest["inputs"]]
    dedup = recipe["dedup"] or {}
    return {
        "refine": splits,
        "dedup": [] if is_one_pass(recipe) else ["duplicates"],
        "removal_rates": ["removal_rates"] if dedup.get("alarm") else [],
        "index": [*(f"splits/{split}" for split in splits), "index"] if dedup.get("index") else [],
        "vocabulary": ["vocabulary"] if recipe["tokenize"] else [],
        "finish": units,
        "shards": [shard["shard"] for shard in manifest["shards"]],
        "places": units if recipe["tokenize"] else [],
    }


def _differences(ledger: Ledger, receipts: dict[str, list[Receipt]]) -> Iterator[Finding]:
    run, manifest = ledger.folder, ledger.manifest
    for stage in receipts:
        for receipt in receipts[stage]:
            if receipt.plan != manifest["plan_digest"]:
                yield Finding(run.receipt(stage, receipt.unit), f"is of another plan than {run.manifest}")
    files = {run.recipe: storage.digest(run.uri(run.recipe))} if storage.exists(run.uri(run.recipe)) else {}
    between = [each for stage in receipts if stage not in ("refine", "finish", "shards") for each in receipts[stage]]
    by_pass = receipts["refine"], between, receipts["finish"], receipts["shards"]
    try:
        made = complete_manifest(run, manifest["plan"], files, *by_pass)
    except Unbalanced as error:
        yield Finding("receipts", f"do not balance: {error}")
        return
    for key in made:
        if key not in ("files", "merkle_root") and made[key] != manifest.get(key):
            told = first_difference(manifest.get(key), made[key], key)
            yield Finding(run.manifest, f"and the receipts disagree: {told}")
    for path in sorted(made["files"].keys() | manifest["files"].keys()):
        if path != run.recipe and made["files"].get(path) != manifest["files"].get(path):
            yield Finding(run.manifest, f"and the receipts disagree about {path}")
