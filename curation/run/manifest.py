"""The manifest: what a run is made from and what it made. `open` while there is work to do, `complete` when all is done."""

from __future__ import annotations

import json
from typing import Any

from connectors import storage
from connectors.errors import UserError
from curation.run.folder import RunFolder

FIELDS = {
    "open": ("plan_digest", "plan"),
    "complete": ("plan_digest", "plan", "inputs", "sources", "steps", "shards", "files"),
}


def write_manifest(run: RunFolder, content: dict[str, Any]) -> None:
    """Writes the manifest, whole."""
    storage.write_bytes(run.uri(run.manifest), (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())


def read_manifest(run: RunFolder) -> dict[str, Any] | None:
    """A run's manifest, None where there is none. Raises `UserError` for a file that is no manifest of a run."""
    uri = run.uri(run.manifest)
    if not storage.exists(uri):
        return None
    try:
        content = json.loads(storage.read_bytes(uri))
        whole = all(name in content for name in FIELDS[content["status"]])
    except (OSError, ValueError, TypeError, KeyError):
        whole = False
    if not whole:
        raise UserError(f"{uri} is damaged, or not the manifest of a run: name another folder, or bring back the file")
    return dict(content)
