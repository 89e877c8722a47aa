"""Where everything lies in a run folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from connectors import storage
from curation.run.receipt import Receipt, valid_receipt


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The paths of a run. Methods give a path relative to the folder; `uri` makes it absolute.

    A unit is what a pass works on: a split in `refine`, a fixed group of splits of one source in `finish`.
    """

    root: str

    def uri(self, path: str) -> str:
        """The URI of a path in the run folder."""
        return f"{self.root}/{path}"

    manifest = "manifest.json"
    recipe = "recipe.yaml"
    tokenizer = "tokenizer.json"
    work = "work"
    lock = ".lock"
    span_decisions = "work/span_decisions"  # what partitions decide about repeated spans, until each split has its own

    def receipt(self, stage: str, unit: str) -> str:
        """The receipt of a unit in a stage."""
        return f"receipts/{stage}/{unit}.json"

    def ledger(self, part: str, unit: str) -> str:
        """A part of the ledger: `records`, `refine`, `finish`, `measures`, `edits`, `near_duplicates`."""
        return f"ledger/{part}/{unit}.parquet"

    def documents(self, unit: str) -> str:
        """The curated text of the documents that a finish unit keeps, in the order of their records."""
        return f"documents/{unit}.parquet"

    def shard(self, shard: str, suffix: str) -> str:
        """A file of a shard: `bin`, `idx` or `docs.parquet`."""
        return f"shards/{shard}.{suffix}"

    def survivors(self, unit: str) -> str:
        """Documents that a split's refine pass let through, with their text; gone when the run closes."""
        return f"work/survivors/{unit}.parquet"

    def signatures(self, unit: str) -> str:
        """Their text hashes and MinHash signatures, in the same order."""
        return f"work/signatures/{unit}.arrow"

    def duplicates(self, unit: str) -> str:
        """Which of them are duplicates, and of which document."""
        return f"work/duplicates/{unit}.parquet"

    def span_hashes(self, unit: str) -> str:
        """Hashes of the spans of a split's survivors that are no duplicates."""
        return f"work/span_hashes/{unit}.parquet"

    def spans(self, unit: str) -> str:
        """Which spans of them are repeated, and are cut out."""
        return f"work/spans/{unit}.parquet"

    def fates(self, unit: str) -> str:
        """What the finish pass says of a unit's documents, until they have a place in a shard."""
        return f"work/fates/{unit}.parquet"

    def run_tokens(self, unit: str) -> str:
        """The tokens of a finish unit, sorted; see `curation/tokenize/sorted_runs.py`."""
        return f"work/tokens/{unit}.bin"

    def run_entries(self, unit: str) -> str:
        """Which documents they are."""
        return f"work/tokens/{unit}.entries"

    def places(self, shard: str) -> str:
        """Where the documents of a shard came to stand, for each unit that they are from."""
        return f"work/places/{shard}.sections"

    def heartbeat(self, stage: str, unit: str) -> str:
        """How far a unit has come."""
        return f"work/heartbeats/{stage}/{unit}.json"

    def at_risk(self, stage: str, unit: str) -> str:
        """The rows that a worker had in hand: what it died of, if it died."""
        return f"work/at_risk/{stage}/{unit}.json"

    def once(self, stage: str, unit: str, plan: str, work: Callable[[], Receipt]) -> Receipt:
        """A unit's receipt: the one that is there, if it counts, else the one that `work` gives, written last of all."""
        uri = self.uri(self.receipt(stage, unit))
        receipt = valid_receipt(uri, self.root, plan)
        if receipt is None:
            receipt = work()
            storage.write_bytes(uri, receipt.to_json())
        return receipt

    def receipts(self, stage: str) -> Iterator[Receipt]:
        """All receipts of a stage, by name."""
        folder = self.uri(f"receipts/{stage}")
        for name in storage.list_files(folder, ".json"):
            yield Receipt.from_json(storage.read_bytes(f"{folder}/{name}"))
