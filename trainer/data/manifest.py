"""What a finished curation run hands to training: its shards, by source, and the hashes that name them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.errors import UserError
from connectors.megatron import ShardReader


@dataclass(frozen=True)
class ShardRow:
    """A shard's row in the manifest; `bin_sha256` and `idx_sha256` name its bytes."""

    source: str
    name: str  # SOURCE/00000
    documents: int
    tokens: int
    vocabulary: int
    tokenizer: str  # SHA-256 of the tokenizer file
    bin_sha256: str
    idx_sha256: str


def read_shards(shards: Path) -> list[ShardRow]:
    """The shards of the run that the folder `RUN/shards` belongs to, in the manifest's order.

    Raises `UserError` for a missing, unfinished or damaged run, and for one whose recipe does not tokenize.
    """
    run = shards.parent
    path = run / "manifest.json"
    if not path.is_file():
        raise UserError(
            f"'{run}' holds no run: there is no manifest.json in it. Set data.shards to RUN/shards of a curated run."
        )
    try:
        manifest = json.loads(path.read_bytes())
        if manifest["status"] != "complete":
            raise UserError(
                f"The run in '{run}' is not finished: run the same curate command again, it goes on where it stopped."
            )
        rows = [_row(shard, manifest["files"]) for shard in manifest["shards"] if "dtype" in shard]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(f"'{path}' is no manifest of a run, or is damaged. Curate the run again.") from None
    if not sum(row.tokens for row in rows):
        raise UserError(
            f"The run in '{run}' has no tokens to train on: curate with a recipe that has a `tokenize` part and keeps "
            "documents."
        )
    return rows


def _row(shard: dict[str, Any], files: dict[str, dict[str, Any]]) -> ShardRow:
    name = str(shard["shard"])
    return ShardRow(
        source=name.rpartition("/")[0],
        name=name,
        documents=int(shard["documents"]),
        tokens=int(shard["tokens"]),
        vocabulary=int(shard["vocabulary_size"]),
        tokenizer=str(shard["tokenizer_sha256"]),
        bin_sha256=str(files[f"shards/{name}.bin"]["sha256"]),
        idx_sha256=str(files[f"shards/{name}.idx"]["sha256"]),
    )


def open_shard(shards: Path, row: ShardRow) -> ShardReader:
    """A shard's reader. Raises `UserError` where its files are missing, cut short, or not what the manifest says."""
    reader = ShardReader(shards / row.name)
    if (len(reader), reader.tokens) != (row.documents, row.tokens):
        raise UserError(
            f"Shard {row.name} of '{shards.parent}' has {len(reader):,} documents and {reader.tokens:,} tokens, the "
            f"manifest says {row.documents:,} and {row.tokens:,}. Run: corpusmill verify {shards.parent}"
        )
    return reader
