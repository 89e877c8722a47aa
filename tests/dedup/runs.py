"""Composed documents as the first pass leaves them, deduplicated, and what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.dedup.banding import Banding
from curation.dedup.homes import Part
from curation.dedup.keys import Keys, Signing
from curation.dedup.policy import Policy
from curation.dedup.shingles import Shingling
from curation.engines.engine import Engine
from curation.engines.local import LocalEngine
from curation.engines.spark import SparkEngine
from curation.pipeline import deduplicate as stage
from curation.pipeline.deduplicate import deduplicate, settings_of
from curation.pipeline.refine import SURVIVORS
from curation.run import ledger
from curation.run.arrow_output import ArrowOutput
from curation.run.documents import MEASURE
from curation.run.folder import RunFolder
from curation.run.parquet_output import ParquetOutput
from curation.run.receipt import Receipt
from tests.dedup.planted import words

PLAN = "plan"
VERIFIED = Signing(Shingling(), 112, Banding(16, 6), Banding(28, 4))
UNVERIFIED = Signing(Shingling(), 112, Banding(14, 8), None)
TARGET = 0.8
FIRST = Policy()
LENGTH = 104  # words of a composed text, which make 100 shingles


@dataclass(frozen=True)
class Page:
    """A document."""

    text: str
    url: str = ""
    source: str = "web"
    date: str = ""
    score: float | None = None


@dataclass(frozen=True)
class Found:
    """Why a document is a duplicate, and the number of the one that stays for it."""

    reason: str
    kept: int
    similarity: float | None
    jaccard: float | None
    elsewhere: bool


class Here:
    """An engine in this process; `backwards` it does and gives everything in the opposite order."""

    name = "here"
    few = few_light = 4

    def __init__(self, backwards: bool = False) -> None:
        self.step = -1 if backwards else 1

    def map(self, task: Callable[[Any], Any], items: Sequence[Any], alike: bool = False) -> Iterator[tuple[int, Any]]:
        for number in range(len(items))[:: self.step]:
            yield number, task(items[number])

    def shuffle(
        self, emit: Callable[[Any], Any], items: Sequence[Any], reduce: Callable[[int, Any], bytes], partitions: int
    ) -> Iterator[bytes]:
        blobs: dict[int, list[bytes]] = {}
        for item in items[:: self.step]:
            for partition, blob in emit(item):
                assert 0 <= partition < partitions
                blobs.setdefault(partition, []).append(blob)
        for partition in sorted(blobs)[:: self.step]:
            yield reduce(partition, blobs[partition][:: self.step])

    def close(self) -> None:
        pass


@pytest.fixture
def always_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few homes there are, the engine gets them: what is done here in their place is another test's matter."""
    for engine in (Here, LocalEngine, SparkEngine):
        monkeypatch.setattr(engine, "few", 0)
        monkeypatch.setattr(engine, "few_light", 0)
    monkeypatch.setattr(stage, "HOMES_LOOKED_THROUGH", 0)


def text(seed: int, changed: int = 0) -> str:
    """A text of its own for each seed; with its last words changed it has (100 - n) / (100 + n) in common with the first."""
    own = words(LENGTH, seed)
    return " ".join(own[: LENGTH - changed] + words(changed, 1_000_000 + 1_000 * seed + changed))


def similarity(changed: int) -> float:
    """Of a text with so many words changed to the same with none."""
    return (100 - changed) / (100 + changed)


def batch_of(pages: Sequence[Page], first: int = 0) -> pa.RecordBatch:
    """Documents in front of the step that signs them; an id is the document's number."""
    count = len(pages)
    columns = {
        "doc_id": pa.array([(first + place).to_bytes(16, "big") for place in range(count)], pa.binary(16)),
        "row": pa.array(range(count), pa.uint32()),
        "source": pa.array([page.source for page in pages], pa.string()),
        "url": pa.array([page.url for page in pages], pa.string()),
        "archive": pa.array(["a"] * count, pa.string()),
        "offset": pa.array(range(count), pa.uint64()),
        "date": pa.array([page.date for page in pages], pa.string()),
        "lang": pa.array(["en"] * count, pa.string()),
        "text": pa.array([page.text for page in pages], pa.string()),
        "meta": pa.array(["{}"] * count, pa.string()),
        f"{MEASURE}score": pa.array([page.score for page in pages], pa.float64()),
    }
    return pa.RecordBatch.from_pydict(columns)


def write_split(run: RunFolder, unit: str, pages: Sequence[Page], first: int, keys: Keys) -> Part:
    """The signatures and survivors of a split whose first document has this number."""
    signed = keys(batch_of(pages, first))
    with ArrowOutput(run.uri(run.signatures(unit)), keys.schema) as output:
        output.write(ledger.conform(signed, keys.schema))
    with ParquetOutput(run.uri(run.survivors(unit)), SURVIVORS) as output:
        output.write(ledger.conform(signed, SURVIVORS))
    return Part(unit, run.uri(run.signatures(unit)), run.uri(run.survivors(unit)), first, len(pages))


def write_splits(run: RunFolder, splits: Sequence[Sequence[Page]], keys: Keys) -> list[Part]:
    """Splits one behind the other."""
    parts: list[Part] = []
    for number, pages in enumerate(splits):
        first = parts[-1].first + parts[-1].documents if parts else 0
        parts.append(write_split(run, f"web/{number}", pages, first, keys))
    return parts


@dataclass
class Deduplicated:
    """A run behind the stage: what it found, by the numbers of the documents."""

    run: RunFolder
    receipt: Receipt
    found: dict[int, Found]

    @property
    def reasons(self) -> dict[int, tuple[str, int]]:
        """Reason and kept document of each duplicate."""
        return {number: (found.reason, found.kept) for number, found in self.found.items()}

    @property
    def lists(self) -> dict[str, bytes]:
        """The lists of duplicates, byte for byte."""
        folder = Path(self.run.uri("work/duplicates"))
        return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.parquet"))}


def deduplicated(
    folder: Path,
    splits: Sequence[Sequence[Page]],
    *,
    url: bool = True,
    exact: bool = True,
    near: Signing | None = VERIFIED,
    policy: Policy = FIRST,
    home: int = 1000,
    engine: Engine | None = None,
) -> Deduplicated:
    """The stage over composed splits; `near` with finer bands is verified."""
    run = RunFolder(str(folder))
    keys = Keys(url=url, exact=exact, near=near, policy=policy)
    parts = write_splits(run, splits, keys)
    target = TARGET if near is not None and near.finer is not None else None
    return go_on(run, parts, keys, target, home, engine)


def go_on(
    run: RunFolder, parts: Sequence[Part], keys: Keys, target: float | None, home: int, engine: Engine | None = None
) -> Deduplicated:
    """The stage over signatures that are there, from wherever it stands."""
    settings = settings_of(keys.url, keys.exact, keys.near, target)
    receipt = deduplicate(engine or Here(), run, PLAN, settings, parts, home)
    return Deduplicated(run, receipt, read_found(run, parts))


def read_found(run: RunFolder, parts: Sequence[Part]) -> dict[int, Found]:
    """What the lists of duplicates say."""
    found: dict[int, Found] = {}
    for part in parts:
        path = Path(run.uri(run.duplicates(part.unit)))
        for row in pq.read_table(path).to_pylist() if path.exists() else []:
            kept = int.from_bytes(row["kept"], "big")
            found[part.first + row["ordinal"]] = Found(
                row["reason"], kept, row["similarity"], row["jaccard"], row["elsewhere"]
            )
    return found
