"""A run folder as the first pass leaves it, made of texts: what deduplication starts from, and what it left there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import pyarrow as pa
import pyarrow.parquet as pq

from connectors import storage
from curation.dedup.duplicates import ORDINAL
from curation.dedup.keys import Keys
from curation.pipeline.refine import SURVIVORS
from curation.run import ledger
from curation.run.arrow_output import ArrowOutput
from curation.run.documents import DOC_ID, document_id
from curation.run.folder import RunFolder
from curation.run.parquet_output import ParquetOutput
from curation.run.receipt import Receipt

PLAN = "benchmark"
BATCH = 256


def write_survivors(run: RunFolder, unit: str, texts: Iterable[str]) -> Receipt:
    """Writes a split's texts as its survivors. The receipt says what the stage needs to know."""
    given, first = iter(texts), 0
    with ParquetOutput(run.uri(run.survivors(unit)), SURVIVORS) as file:
        while part := list(islice(given, BATCH)):
            file.write(survivors(part, unit, first))
            first += len(part)
    return receipt(unit, first)


def survivors(texts: Sequence[str], unit: str, first: int) -> pa.RecordBatch:
    """Texts as documents `first` and following of a split, each with an address of its own."""
    places = range(first, first + len(texts))
    columns = {
        DOC_ID: [document_id("benchmark", unit, place) for place in places],
        "row": list(places),
        "source": ["benchmark"] * len(texts),
        "url": [f"https://{unit}.invalid/{place}" for place in places],
        "archive": [unit] * len(texts),
        "offset": list(places),
        "date": [""] * len(texts),
        "lang": ["en"] * len(texts),
        "lang_score": [1.0] * len(texts),
        "text": texts,
        "meta": ["{}"] * len(texts),
    }
    return pa.RecordBatch.from_pydict(columns, SURVIVORS)


def receipt(unit: str, documents: int) -> Receipt:
    """What the first pass says of a split that so many documents survived."""
    facts = {"survivors": documents}
    return Receipt(unit, PLAN, "benchmark", documents, 0, {}, {}, facts, {})


def read_survivors(run: RunFolder, unit: str, columns: Sequence[str] = ()) -> Iterator[pa.RecordBatch]:
    """A split's survivors again, in batches."""
    with storage.open_input(run.uri(run.survivors(unit))) as file:
        yield from pq.ParquetFile(file).iter_batches(BATCH, columns=list(columns) or None)


@dataclass(frozen=True)
class SignSplit:
    """A task: writes the signature file of a split's survivors."""

    run: RunFolder
    step: Keys

    def __call__(self, unit: str) -> None:
        schema = self.step.schema
        with ArrowOutput(self.run.uri(self.run.signatures(unit)), schema) as file:
            for batch in read_survivors(self.run, unit):
                file.write(ledger.conform(self.step(batch), schema))


def read_duplicates(run: RunFolder, unit: str) -> pa.Table | None:
    """What the stage found in a split, None where that is nothing."""
    uri = run.uri(run.duplicates(unit))
    return pq.read_table(uri, use_threads=False) if storage.exists(uri) else None


def kept_for(run: RunFolder, receipts: Sequence[Receipt], names: Sequence[str]) -> dict[str, str]:
    """For each document that is a duplicate, by name, the one that is kept for it. Names are those of all splits in order."""
    ids = [
        document_id("benchmark", split.unit, place) for split in receipts for place in range(split.facts["survivors"])
    ]
    name_of = dict(zip(ids, names, strict=True))
    found: dict[str, str] = {}
    first = 0
    for split in receipts:
        table = read_duplicates(run, split.unit)
        if table is not None:
            ordinals, kept = table.column(ORDINAL).to_pylist(), table.column("kept").to_pylist()
            found |= {names[first + ordinal]: name_of[other] for ordinal, other in zip(ordinals, kept, strict=True)}
        first += split.facts["survivors"]
    return found
