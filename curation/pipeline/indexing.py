"""The last pass, if the recipe asks for it: an index of the documents that the run kept, for later runs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors import storage
from connectors.mapped_files import mapped
from curation.dedup.index import FOLDER, NAME, IndexFile, description, index_schema, write_description
from curation.dedup.keys import Keys
from curation.dedup.signature_files import PLAIN, POLICY
from curation.engines.engine import Engine
from curation.pipeline.survivors import read_matches, read_survivors
from curation.pipeline.units import Unit
from curation.run.documents import DOC_ID, FATE, URL
from curation.run.folder import RunFolder
from curation.run.parquet_output import ParquetOutput
from curation.run.receipt import Receipt

STAGE = "index"
UNIT = "index"


def make_index(
    engine: Engine, run: RunFolder, plan: str, keys: Keys, refined: Sequence[Receipt], units: Sequence[Unit]
) -> list[Receipt]:
    """Makes the run's index. Gives the receipts of its files, and of its description behind them."""
    unit_of = {split: unit.name for unit in units for split in unit.splits}
    items = [(receipt.unit, unit_of[receipt.unit]) for receipt in refined]
    numbered = dict(engine.map(IndexSplit(run, plan, keys), items))
    made = [numbered[number] for number in range(len(items))]

    def describe() -> Receipt:
        files = [
            IndexFile(path.removeprefix(f"{FOLDER}/"), receipt.records, written.bytes, written.sha256)
            for receipt in made
            for path, written in receipt.outputs.items()
        ]
        written = write_description(run.uri(FOLDER), description(keys.near), files)
        documents = sum(file.documents for file in files)
        return Receipt(UNIT, plan, "", documents, 0, {}, {f"{FOLDER}/{NAME}": written}, {"documents": documents}, {})

    return [*made, run.once(STAGE, UNIT, plan, describe)]


@dataclass(frozen=True)
class IndexSplit:
    """The pass as a task: a split, with the finish unit that it is in, in; a file of the index out."""

    run: RunFolder
    plan: str
    keys: Keys

    def __call__(self, item: tuple[str, str]) -> Receipt:
        split, unit = item
        return self.run.once(STAGE, f"splits/{split}", self.plan, lambda: self._work(split, unit))

    def _work(self, split: str, unit: str) -> Receipt:
        started = time.perf_counter()
        path = f"{FOLDER}/{split}.parquet"
        schema = index_schema(self.keys.schema)
        with ParquetOutput(self.run.uri(path), schema, PLAIN) as output:
            for batch in self._kept(split, removed_of(self.run, unit)):
                output.write(batch.select(schema.names).cast(schema))
        assert output.written is not None
        timing = {"wall": time.perf_counter() - started}
        return Receipt(f"splits/{split}", self.plan, "", output.rows, 0, {}, {path: output.written}, {}, timing)

    def _kept(self, split: str, removed: pa.Array) -> Iterator[pa.RecordBatch]:
        """The rows of the index, a batch of survivors after the other."""
        matches = read_matches(self.run, split)
        signed = pa.ipc.open_file(mapped(self.run.uri(self.run.signatures(split)))).read_all()
        for first, batch in read_survivors(self.run, split):
            kept = np.array([first + row not in matches for row in range(batch.num_rows)], np.bool_)
            mask = pc.and_not(pa.array(kept), pc.is_in(batch.column(DOC_ID), removed))
            texts = batch.filter(mask)
            if not texts.num_rows:
                continue
            rows = signed.slice(first, batch.num_rows).filter(mask).combine_chunks().to_batches()[0]
            columns = dict(zip(rows.schema.names, rows.columns, strict=True))
            columns[POLICY] = pa.array(np.zeros(texts.num_rows, np.uint16))
            columns[URL] = texts.column(URL)
            yield pa.RecordBatch.from_pydict(columns)


def removed_of(run: RunFolder, unit: str) -> pa.Array:
    """Ids of the documents of a finish unit that ended behind deduplication, with too little left of them."""
    with storage.open_input(run.uri(run.ledger("finish", unit))) as file:
        fates = pq.read_table(file, columns=[DOC_ID, FATE], use_threads=False)
    return fates.filter(pc.equal(fates[FATE], "removed")).column(DOC_ID).combine_chunks()
