"""Whether every file of a run is what the manifest says, byte by byte; exchanged files are told of as what they are."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from connectors import storage
from connectors.storage import Written
from curation.audit.finding import Finding, Progress
from curation.audit.story import Ledger

PIECE = 1 << 20  # bytes that a thread holds
THREADS = min(8, os.cpu_count() or 1)  # hashing lets go of Python's lock
OWNED = ("shards", "documents", "ledger")  # folders in which nothing lies that the manifest does not name


def hashed(uri: str, path: str, progress: Progress) -> Written | None:
    """Size and SHA-256 of a file, read as a stream; None where there is none."""
    digest, size, piece = hashlib.sha256(), 0, bytearray(PIECE)
    try:
        with storage.open_input(uri) as file:
            while count := file.readinto(piece):  # type: ignore[attr-defined]
                digest.update(memoryview(piece)[:count])
                size += count
                progress(path, count)
    except FileNotFoundError:
        return None
    return Written(size, digest.hexdigest())


def check_files(ledger: Ledger, progress: Progress) -> Iterator[Finding]:
    """Every file of the manifest, in its order, then those that it does not name."""
    run, files = ledger.folder, files_of(ledger.manifest) | erasure_files(ledger.manifest)
    with ThreadPoolExecutor(THREADS) as threads:
        found = dict(zip(files, threads.map(lambda path: hashed(run.uri(path), path, progress), files)))
    belongs: dict[str, list[str]] = {}
    for path, written in files.items():
        belongs.setdefault(written.sha256, []).append(path)
    for path, written in files.items():
        here = found[path]
        if here is None:
            yield Finding(path, "is missing")
        elif here != written:
            yield changed(path, written, here, belongs, found)
    for folder in OWNED:
        for name in storage.list_files(run.uri(folder), ""):
            if f"{folder}/{name}" not in files:
                yield Finding(f"{folder}/{name}", "is no file of this run: the manifest does not name it")


def files_of(manifest: dict[str, Any]) -> dict[str, Written]:
    """The files that a manifest names."""
    return {path: Written(**written) for path, written in manifest["files"].items()}


def erasure_files(manifest: dict[str, Any]) -> dict[str, Written]:
    """The accounts and tombstones of a run's erasures; of a file that several wrote, as the last one left it."""
    rows: list[dict[str, Any]] = manifest.get("erasures", [])
    return {path: Written(**written) for row in rows for path, written in row["files"].items()}


def changed(
    path: str, written: Written, here: Written, belongs: dict[str, list[str]], found: dict[str, Written | None]
) -> Finding:
    """What a file that is another than it was holds instead, as far as the manifest can tell."""
    for other in belongs.get(here.sha256, []):
        exchanged = found[other] == written
        return Finding(path, f"was exchanged with {other}" if exchanged else f"holds what belongs in {other}")
    if here.bytes != written.bytes:
        return Finding(path, f"has {here.bytes:,} bytes, not {written.bytes:,}", is_damage=True)
    told = f"was changed: its SHA-256 is {here.sha256[:16]}…, not {written.sha256[:16]}…"
    return Finding(path, told, is_damage=True)
