"""What an erasure did, for the run's own files: never a text or an address, which appear as keyed hashes.

RUN/erasures/00001.json      requests, counts, files with their hashes before and after, checkpoints; the one date in a run
RUN/erasures/00001.parquet   a row a document: id, why, and where its tokens were
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from connectors import storage
from connectors.storage import Written
from curation.audit.erase.found import Found
from curation.audit.erase.journal import FOLDER, Change, aside
from curation.audit.erase.requests import Request
from curation.erased.tombstones import SIMILARITY, Seal
from curation.run.documents import DOC_ID, FATE
from curation.run.folder import RunFolder
from curation.run.ledger import DUPLICATE_OF, SHARD, TOKENS
from curation.run.parquet_output import ParquetOutput
from curation.run.version import VERSION

ROWS = pa.schema(
    [
        pa.field(DOC_ID, pa.binary(16), nullable=False),
        pa.field(FATE, pa.string(), nullable=False),  # that it had: kept, duplicate, or other
        pa.field("how", pa.string(), nullable=False),  # asked, similar, or duplicate
        pa.field("requests", pa.list_(pa.uint32()), nullable=False),  # numbers, in the order of the account
        pa.field(SIMILARITY, pa.float32()),  # of a similar one with what was asked for
        pa.field(DUPLICATE_OF, pa.binary(16)),  # of a duplicate: the document that it was removed for
        pa.field(SHARD, pa.string()),
        pa.field("first_token", pa.uint64()),
        pa.field(TOKENS, pa.uint32()),
    ]
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint whose weights were trained on what was erased. `step`: steps that it has behind it; `first_step`: the first
    of them that held any of it, None where that can't be told any more and the checkpoint is counted to be safe.
    """

    training: str
    step: int
    first_step: int | None


def counts(found: Found, requests: Sequence[Request]) -> list[dict[str, int]]:
    """For each request the documents that it named, those similar to them, removed duplicates, and other records."""
    rows = [dict.fromkeys(("asked", "similar", "duplicates", "records", "tokens"), 0) for _ in requests]
    for one in found.documents.values():
        for number in one.requests:
            rows[number][one.how] += 1
            rows[number]["tokens"] += one.tokens
    for kept in found.duplicates.values():
        for number in found.requests_of(kept):
            rows[number]["duplicates"] += 1
    for numbers in found.records.values():
        for number in numbers:
            rows[number]["records"] += 1
    return rows


def rows_of(found: Found) -> Iterator[dict[str, Any]]:
    """A row a document, by id."""
    for doc_id, one in sorted(found.documents.items()):
        yield {
            DOC_ID: doc_id,
            FATE: "kept",
            "how": one.how,
            "requests": list(one.requests),
            SIMILARITY: one.similarity if one.how == "similar" else None,
            SHARD: one.shard or None,
            "first_token": one.first_token if one.shard else None,
            TOKENS: one.tokens if one.shard else None,
        }
    for doc_id, kept in sorted(found.duplicates.items()):
        requests = list(found.requests_of(kept))
        yield {DOC_ID: doc_id, FATE: "duplicate", "how": "duplicate", "requests": requests, DUPLICATE_OF: kept}
    for doc_id, numbers in sorted(found.records.items()):
        yield {DOC_ID: doc_id, FATE: "other", "how": "asked", "requests": list(numbers)}


def write_account(
    run: RunFolder,
    number: str,
    found: Found,
    requests: Sequence[Request],
    seal: Seal,
    similarity: float,
    date: str,
    changes: Sequence[Change],
    removed: Sequence[str],
    checkpoints: Sequence[Checkpoint],
) -> list[Change]:
    """Writes both files aside."""
    rows_path, path = f"{FOLDER}/{number}.parquet", f"{FOLDER}/{number}.json"
    with ParquetOutput(aside(run, rows_path), ROWS) as output:
        rows = pa.Table.from_pylist(list(rows_of(found)), ROWS)
        for batch in rows.to_batches():
            output.write(batch)
    asked = [
        {"kind": request.kind, "hash": seal.any(request.kind, request.value), **row}
        for request, row in zip(requests, counts(found, requests), strict=True)
    ]
    content = {
        "erasure": number,
        "kind": "erasure",
        "date": date,
        "corpusmill": VERSION,
        "requests": asked,
        SIMILARITY: similarity,
        "documents": len(found.documents),
        "tokens": found.tokens,
        "duplicates": len(found.duplicates),
        "records": len(found.records),
        "elsewhere": found.elsewhere,
        "files": files_of(changes),
        "removed": list(removed),
        "checkpoints": [asdict(checkpoint) for checkpoint in checkpoints],
    }
    written = storage.write_bytes(aside(run, path), as_json(content))
    return [Change(rows_path, None, output.written), Change(path, None, written)]


def files_of(changes: Sequence[Change]) -> dict[str, Any]:
    """Each file with its size and hash before and after."""
    return {
        change.path: {"before": plain(change.before), "after": plain(change.after)}
        for change in sorted(changes, key=lambda change: change.path)
    }


def plain(written: Written | None) -> dict[str, Any] | None:
    """Size and hash as JSON has them."""
    return None if written is None else asdict(written)


def as_json(content: Mapping[str, Any]) -> bytes:
    """The content of a file."""
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()
