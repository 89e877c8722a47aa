"""The last task of a unit: its fates get the shard and the position of each kept document, and become a part of the ledger."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors import storage
from curation.engines.engine import Engine
from curation.pipeline.shard_plan import Placing, Shard, placings, shard_name
from curation.pipeline.shards import read_entries
from curation.run import ledger
from curation.run.documents import DOC_ID, FATE, ROW, with_columns
from curation.run.folder import RunFolder
from curation.run.parquet_output import ParquetOutput
from curation.run.receipt import Receipt, Unbalanced
from curation.run.sections import read_section
from curation.tokenize.document_keys import id_column

STAGE = "places"


def fill_places(
    engine: Engine, run: RunFolder, plan: str, finished: Sequence[Receipt], shards: Sequence[Shard]
) -> list[Receipt]:
    """Writes `ledger/finish` of all units, once all shards are made. Gives their receipts in order."""
    known = placings(shards)
    items = [(receipt.unit, tuple(known.get(receipt.unit, ()))) for receipt in finished]
    placed = dict(engine.map(FillPlaces(run, plan), items))
    return [placed[number] for number in range(len(items))]


@dataclass(frozen=True)
class FillPlaces:
    """Unit in, with where its stretches went; receipt out. Holds some 100 bytes a document of the unit."""

    run: RunFolder
    plan: str

    def __call__(self, item: tuple[str, tuple[Placing, ...]]) -> Receipt:
        unit, where = item
        return self.run.once(STAGE, unit, self.plan, lambda: self._work(unit, where))

    def _work(self, unit: str, where: Sequence[Placing]) -> Receipt:
        started, used = time.perf_counter(), time.process_time()
        path = self.run.ledger("finish", unit)
        with ParquetOutput(self.run.uri(path), ledger.FATES) as output:
            for batch in with_places(self._fates(unit), *self._in_record_order(unit, where), unit):
                output.write(batch)
        assert output.written is not None
        timing = {STAGE: time.process_time() - used, "wall": time.perf_counter() - started}
        return Receipt(unit, self.plan, "", output.rows, 0, {}, {path: output.written}, {}, timing)

    def _fates(self, unit: str) -> Iterator[pa.RecordBatch]:
        with storage.open_input(self.run.uri(self.run.fates(unit))) as file:
            yield from pq.ParquetFile(file).iter_batches()

    def _in_record_order(self, unit: str, where: Sequence[Placing]) -> tuple[Any, pa.Array, Any]:
        """Ids, shards and positions of the kept documents, in the order of their records."""
        names = [shard_name(each.folder, each.first + n) for each in where for n in range(each.shards)]
        sections = [each.stretch for each in where for _ in range(each.shards)]
        uris = [self.run.uri(self.run.places(name)) for name in names]
        found = [np.frombuffer(read_section(uri, n), np.uint64) for uri, n in zip(uris, sections, strict=True)]
        entries = read_entries(self.run, unit)
        if sum(map(len, found)) != len(entries):
            raise Unbalanced(f"unit {unit}: {len(entries)} documents, {sum(map(len, found))} of them in shards")
        order = np.lexsort([entries[ROW], entries["split"]])
        shards = np.repeat(np.arange(len(names), dtype=np.int32), [len(part) for part in found])
        positions = np.concatenate([np.zeros(0, np.uint64), *found])
        named = pa.DictionaryArray.from_arrays(pa.array(shards[order]), pa.array(names, pa.string()))
        return entries[DOC_ID][order], named, positions[order]


def with_places(
    fates: Iterator[pa.RecordBatch], ids: Any, shards: pa.DictionaryArray, positions: Any, unit: str
) -> Iterator[pa.RecordBatch]:
    """The fates with shard and position of the kept documents, given in the same order.

    Raises `Unbalanced` where these are not the documents that the fates say are kept.
    """
    first = 0
    for batch in fates:
        kept = pc.equal(batch.column(FATE), "kept").to_numpy(zero_copy_only=False)
        stop = first + int(kept.sum())
        if not batch.column(DOC_ID).filter(pa.array(kept)).equals(id_column(ids[first:stop])):
            raise Unbalanced(f"unit {unit}: kept documents and documents in shards are not the same")
        which = np.zeros(len(kept), np.int64)
        which[kept] = np.arange(first, stop)
        taken = pa.array(which, mask=~kept)
        columns = {
            ledger.SHARD: shards.take(taken).cast(pa.string()),
            ledger.POSITION: pa.array(positions, pa.uint64()).take(taken),
        }
        yield with_columns(batch, columns)
        first = stop
    if first != len(ids):
        raise Unbalanced(f"unit {unit}: {first} documents are kept, {len(ids)} stand in shards")
