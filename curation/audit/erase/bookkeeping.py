"""Receipts and the manifest after an erasure: the hashes of the new files, and counts that still balance.

An erased document goes on from the step in which it was kept and ends in the step `erase`, removed. So in = kept + removed +
duplicate + quarantined holds as before, and what `verify` makes of the receipts is the manifest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from connectors import erased_spans, storage
from connectors.storage import Written
from curation.audit.erase import journal
from curation.audit.erase.account import plain
from curation.audit.erase.journal import Change, aside
from curation.audit.erase.rewriting import ERASE
from curation.dedup.index import FOLDER as INDEX
from curation.dedup.index import NAME as INDEX_NAME
from curation.erased.step import REASON
from curation.run.folder import RunFolder
from curation.run.manifest import write_manifest
from curation.run.merkle import merkle_root
from curation.run.receipt import Receipt, StepCount

ERASURES, ROOT = "erasures", "merkle_root"  # in the manifest


@dataclass
class Counted:
    """Documents of a finish unit that were erased, and the unit's source once its receipt was seen."""

    documents: int
    source: str = ""
    step: str = ""


def new_receipts(
    run: RunFolder, changes: Sequence[Change], also: Callable[[str, Receipt], Receipt]
) -> Iterator[Change]:
    """Writes aside each receipt whose outputs changed, or its counts by `also(stage, receipt)`.

    They are hashed nowhere: a clock stands in them.
    """
    after = {change.path: change.after for change in changes}
    for name in storage.list_files(run.uri("receipts"), ".json"):
        path = f"receipts/{name}"
        receipt = Receipt.from_json(storage.read_bytes(run.uri(path)))
        outputs = dict(receipt.outputs)
        for output in receipt.outputs:
            if output in after:
                written = after[output]
                outputs.pop(output) if written is None else outputs.update({output: written})
            spans = f"{output.removesuffix('.bin')}.{erased_spans.SUFFIX}"
            if output.endswith(".bin") and (written := after.get(spans)) is not None:
                outputs[spans] = written
        stage = name.partition("/")[0]
        changed = also(stage, replace(receipt, outputs=outputs))
        changed = indexed(run, changed) if stage == INDEX else changed
        if changed != receipt:
            yield Change(path, None, storage.write_bytes(aside(run, path), changed.to_json()))


def ended(stage: str, receipt: Receipt, counted: Mapping[str, Counted]) -> Receipt:
    """A finish receipt with those of its kept documents that were erased: they go on from where they were kept, and end."""
    if stage != "finish" or receipt.unit not in counted:
        return receipt
    erased = counted[receipt.unit]
    step = next(name for name, count in receipt.counts.items() if "kept" in count.ended)
    counts = {name: copied(count) for name, count in receipt.counts.items()}
    counts.setdefault(ERASE, StepCount())
    move(counts[step], counts[ERASE], erased.documents)
    erased.source, erased.step = receipt.source, step
    return replace(receipt, counts=counts)


def move(kept: StepCount, erased: StepCount, documents: int) -> None:
    """Moves documents from the end `kept` of one step to the end `removed` of the step `erase`."""
    kept.went_on += documents
    kept.ended["kept"]["kept"] -= documents
    if not kept.ended["kept"]["kept"]:
        del kept.ended["kept"]
    erased.entered += documents
    removed = erased.ended.setdefault("removed", {})
    removed[REASON] = removed.get(REASON, 0) + documents


def copied(count: StepCount) -> StepCount:
    """A count that may be changed."""
    total = StepCount()
    total.add(count)
    return total


def indexed(run: RunFolder, receipt: Receipt) -> Receipt:
    """A receipt of the index with as many documents as its file has now."""
    description = f"{INDEX}/{INDEX_NAME}"
    if not storage.exists(aside(run, description)):
        return receipt
    files = json.loads(storage.read_bytes(aside(run, description)))["files"]
    held = {f"{INDEX}/{file['path']}": int(file["documents"]) for file in files}
    if description in receipt.outputs:
        documents = sum(held.values())
        return replace(receipt, records=documents, facts={**receipt.facts, "documents": documents})
    return replace(receipt, records=sum(held.get(path, 0) for path in receipt.outputs))


def erasure_row(
    number: str, changes: Sequence[Change], made: Sequence[Change], kind: str = "erasure"
) -> dict[str, Any]:
    """What the manifest says of an erasure: its own files, the tombstones as they are since, shards before and after."""
    shards = {
        change.path.removeprefix("shards/").removesuffix(".bin"): [change.before.sha256, change.after.sha256]
        for change in changes
        if change.path.endswith(".bin") and change.before and change.after
    }
    files = {change.path: plain(change.after) for change in made}
    return {"erasure": number, "kind": kind, "files": files, "shards": shards}


def write_new_manifest(
    run: RunFolder,
    manifest: Mapping[str, Any],
    changes: Sequence[Change],
    counted: Mapping[str, Counted],
    row: Mapping[str, Any],
    shards: Sequence[Mapping[str, Any]] | None = None,
    units: Sequence[Mapping[str, Any]] | None = None,
) -> Change:
    """Writes the manifest that goes with the new files, aside."""
    files = dict(manifest["files"])
    for change in changes:
        files.pop(change.path, None)
        if change.after is not None:
            files[change.path] = plain(change.after)
    sources = {name: dict(counts) for name, counts in manifest["sources"].items()}
    steps = {
        step["step"]: StepCount(*(step[key] for key in ("entered", "went_on", "ended"))) for step in manifest["steps"]
    }
    steps = {name: copied(count) for name, count in steps.items()}
    for erased in counted.values():
        sources[erased.source]["kept"] -= erased.documents
        sources[erased.source]["removed"] += erased.documents
        move(steps[erased.step], steps.setdefault(ERASE, StepCount()), erased.documents)
    content = {
        **manifest,
        "sources": sources,
        "steps": [
            {"step": name, "entered": c.entered, "went_on": c.went_on, "ended": c.ended} for name, c in steps.items()
        ],
        **({"units": list(units)} if units is not None else {}),
        **({"shards": list(shards)} if shards is not None else {}),
        **({ROOT: merkle_root({path: Written(**each) for path, each in files.items()})} if ROOT in manifest else {}),
        "files": dict(sorted(files.items())),
        ERASURES: [*manifest.get(ERASURES, []), dict(row)],
    }
    write_manifest(RunFolder(run.uri(journal.NEW)), content)
    return Change(run.manifest, None, storage.digest(aside(run, run.manifest)))
