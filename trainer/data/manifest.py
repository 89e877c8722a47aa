"""What a finished curation run hands to training: its shards, by source, and the hashes that name them.

A source is a folder of shards: `web`; of its groups `web/en`; of what is held out `validation/web`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.erased_spans import SUFFIX
from connectors.errors import UserError
from connectors.megatron import ShardReader

TRAIN = "train"
INTERRUPTED = "erasures/journal.json"  # in a run from which something is being erased
COMPACTION = "compaction"


@dataclass(frozen=True)
class ShardRow:
    """A shard's row in the manifest; `bin_sha256` and `idx_sha256` name its bytes.

    erased_sha256  of the file of its erased spans, "" where nothing was erased
    earlier        what `bin_sha256` was before each erasure: tokens in the same places, some of which were erased since
    """

    source: str
    part: str  # train, validation or test
    name: str  # SOURCE/00000
    documents: int
    tokens: int
    vocabulary: int
    tokenizer: str  # SHA-256 of the tokenizer file
    bin_sha256: str
    idx_sha256: str
    language: str = ""  # of the group, where the run tells languages apart
    end_of_document: int = 0
    erased_sha256: str = ""
    earlier: tuple[str, ...] = ()

    def description(self) -> list[Any]:
        """What a plan depends on of the shard."""
        return [self.name, self.tokens, self.bin_sha256, self.idx_sha256, *filter(None, (self.erased_sha256,))]


def read_shards(shards: Path) -> list[ShardRow]:
    """The shards of the run that the folder `RUN/shards` belongs to, in the manifest's order.

    Raises `UserError` for a missing, unfinished or damaged run, and for one whose recipe does not tokenize.
    """
    run = shards.parent
    path = run / "manifest.json"
    if (run / INTERRUPTED).exists():
        raise UserError(
            f"An erasure from '{run}' was interrupted. Finish it first: run the same corpusmill erase again."
        )
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
        erasures = manifest.get("erasures", [])
        rows = [_row(shard, manifest["files"], erasures) for shard in manifest["shards"] if "dtype" in shard]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(f"'{path}' is no manifest of a run, or is damaged. Curate the run again.") from None
    if not sum(row.tokens for row in rows if row.part == TRAIN):
        raise UserError(
            f"The run in '{run}' has no tokens to train on: curate with a recipe that has a `tokenize` part and keeps "
            "documents."
        )
    return rows


def _row(shard: dict[str, Any], files: dict[str, dict[str, Any]], erasures: list[dict[str, Any]]) -> ShardRow:
    name = str(shard["shard"])
    return ShardRow(
        source=name.rpartition("/")[0],
        part=str(shard.get("part", TRAIN)),
        name=name,
        documents=int(shard["documents"]),
        tokens=int(shard["tokens"]),
        vocabulary=int(shard["vocabulary_size"]),
        tokenizer=str(shard["tokenizer_sha256"]),
        bin_sha256=str(files[f"shards/{name}.bin"]["sha256"]),
        idx_sha256=str(files[f"shards/{name}.idx"]["sha256"]),
        language=str(shard.get("language", "")),
        end_of_document=int(shard["end_of_document"]),
        erased_sha256=str(files.get(f"shards/{name}.{SUFFIX}", {}).get("sha256", "")),
        earlier=_earlier(name, erasures),
    )


def _earlier(name: str, erasures: list[dict[str, Any]]) -> tuple[str, ...]:
    """What the shard's tokens were, since they have the places that they have: compaction gives them new ones."""
    earlier: list[str] = []
    for erasure in erasures:
        if name in erasure["shards"]:
            earlier = [] if erasure["kind"] == COMPACTION else [*earlier, str(erasure["shards"][name][0])]
    return tuple(earlier)


def erased_file(shards: Path, row: ShardRow) -> Path:
    """Where a shard's erased spans are."""
    return shards / f"{row.name}.{SUFFIX}"


def open_shard(shards: Path, row: ShardRow) -> ShardReader:
    """A shard's reader. Raises `UserError` where its files are missing, cut short, or not what the manifest says."""
    reader = ShardReader(shards / row.name)
    if (len(reader), reader.tokens) != (row.documents, row.tokens):
        raise UserError(
            f"Shard {row.name} of '{shards.parent}' has {len(reader):,} documents and {reader.tokens:,} tokens, the "
            f"manifest says {row.documents:,} and {row.tokens:,}. Run: corpusmill verify {shards.parent}"
        )
    return reader
