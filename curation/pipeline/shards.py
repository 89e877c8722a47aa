"""The stage that makes shards from the sorted runs of the finish pass: `.bin`, `.idx` and the index of the documents.

    runs ─► of each unit one stretch of entries and tokens, read end to end ─► by keyed hash ─► shard
                                                                                  └─► work/places: where documents went

A stretch is a range of keys, so nothing is read that does not belong to the shard. A worker holds the entries of its shard's
documents, at most 180 bytes each, and a block of tokens.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from connectors import storage
from connectors.mapped_files import open_mapped
from connectors.megatron import ShardWriter, write_index
from connectors.storage import Written
from curation.pipeline.shard_plan import Shard, Stretch
from curation.run.documents import DOC_ID, ROW
from curation.run.folder import RunFolder
from curation.run.ledger import TOKENS
from curation.run.parquet_output import ROWS, ParquetOutput
from curation.run.receipt import Receipt, Unbalanced
from curation.run.sections import write_sections
from curation.tokenize.document_keys import KEYS, id_column
from curation.tokenize.sorted_runs import ENTRY, EndToEnd, Entries, Integers, Places, gather, sorted_order

STAGE = "shards"
FIRST_TOKEN, SPLIT = "first_token", "split"
TOKENIZER_FACTS = ("dtype", "vocabulary_size", "end_of_document", "tokenizer_sha256")

INDEX = pa.schema(
    [
        pa.field(DOC_ID, pa.binary(16), nullable=False),
        pa.field(FIRST_TOKEN, pa.uint64(), nullable=False),
        pa.field(TOKENS, pa.uint32(), nullable=False),  # end-of-document token included
        pa.field(SPLIT, pa.dictionary(pa.int32(), pa.string()), nullable=False),  # of the document's record,
        pa.field(ROW, pa.uint32(), nullable=False),  # and the record's row there
    ]
)


@dataclass(frozen=True)
class MakeShard:
    """The stage as a task for an engine: shard in, receipt out."""

    run: RunFolder
    plan: str

    def __call__(self, shard: Shard) -> Receipt:
        return self.run.once(STAGE, shard.name, self.plan, lambda: self._work(shard))

    def _work(self, shard: Shard) -> Receipt:
        started, used = time.perf_counter(), time.process_time()
        run, name = self.run, shard.name
        of_units = [unit_receipt(run, stretch.unit).facts for stretch in shard.stretches]
        taken = [cut_to_range(run, stretch, shard.low, shard.high) for stretch in shard.stretches]
        for held, before in zip(taken, np.cumsum([0, *(len(facts["splits"]) for facts in of_units)]).tolist()):
            held[SPLIT] += before
        entries = np.concatenate(taken)
        order = sorted_order(entries)
        splits = [split for facts in of_units for split in facts["splits"]]
        described = {fact: of_units[0][fact] for fact in TOKENIZER_FACTS}
        outputs = self._write_tokens(shard, taken, order, np.dtype(described["dtype"]).newbyteorder("<"))
        outputs |= self._write_index(name, entries[order], splits) | self._write_places(name, taken, entries, order)
        return Receipt(
            unit=name,
            plan=self.plan,
            source=shard.source,
            records=len(entries),
            bytes=outputs[run.shard(name, "bin")].bytes,
            counts={},
            outputs=outputs,
            facts={
                "part": shard.segment.part,
                "source": shard.source,
                **{key: value for key in ("language", "quality") if (value := getattr(shard.segment, key))},
                "documents": len(entries),
                "tokens": int(entries[TOKENS].sum(dtype=np.int64)),
                **described,
            },
            timing={STAGE: time.process_time() - used, "wall": time.perf_counter() - started},
        )

    def _write_tokens(
        self, shard: Shard, taken: Sequence[Entries], order: Places, dtype: np.dtype[Any]
    ) -> dict[str, Written]:
        run, name = self.run, shard.name
        bin_uri, idx_uri = (run.uri(run.shard(name, suffix)) for suffix in ("bin", "idx"))
        lengths = np.concatenate([entries[TOKENS] for entries in taken])
        if self._is_whole_run(shard, dtype.itemsize):
            storage.link(run.uri(run.run_tokens(shard.stretches[0].unit)), bin_uri)
            with storage.writing(idx_uri) as path:
                write_index(path, lengths, dtype)
        else:
            uris = [run.uri(run.run_tokens(stretch.unit)) for stretch in shard.stretches]
            held = [EndToEnd(tokens_of(*each, dtype), len(each[1])) for each in zip(uris, taken, strict=True)]
            with ExitStack() as stack:
                paths = [stack.enter_context(storage.writing(uri)) for uri in (bin_uri, idx_uri)]
                writer = stack.enter_context(ShardWriter(paths[0], paths[1], dtype))
                for tokens, of_documents in gather(held, lengths, order):
                    writer.add_documents(tokens, of_documents)
                writer.finish()
        return {run.shard(name, suffix): storage.digest(run.uri(run.shard(name, suffix))) for suffix in ("bin", "idx")}

    def _is_whole_run(self, shard: Shard, itemsize: int) -> bool:
        """Whether the shard is what a unit's run is: then its tokens lie there as they should."""
        everything = len(shard.stretches) == 1 and (shard.low, shard.high) == (0, KEYS)
        uris = [self.run.uri(self.run.run_tokens(stretch.unit)) for stretch in shard.stretches]
        return everything and storage.size(uris[0]) == shard.tokens * itemsize

    def _write_index(self, name: str, entries: Entries, splits: Sequence[str]) -> dict[str, Written]:
        path = self.run.shard(name, "docs.parquet")
        with ParquetOutput(self.run.uri(path), INDEX, [DOC_ID]) as output:
            for batch in index_batches(entries, splits):
                output.write(batch)
        assert output.written is not None
        return {path: output.written}

    def _write_places(self, name: str, taken: Sequence[Entries], entries: Entries, order: Places) -> dict[str, Written]:
        """For each stretch the first tokens of its documents, in its order."""
        places = np.empty(len(entries), np.uint64)
        places[order] = first_tokens(entries[order])
        bounds = np.cumsum([0, *map(len, taken)])
        sections = ((n, places[bounds[n] : bounds[n + 1]].data) for n in range(len(taken)))
        path = self.run.places(name)
        return {path: write_sections(self.run.uri(path), sections, len(taken))}


def unit_receipt(run: RunFolder, unit: str) -> Receipt:
    """What the finish pass says of a unit."""
    return Receipt.from_json(storage.read_bytes(run.uri(run.receipt("finish", unit))))


def read_entries(run: RunFolder, unit: str) -> Entries:
    """All entries of a unit's run, mapped into memory. Raises `Unbalanced` where the file was cut."""
    uri = run.uri(run.run_entries(unit))
    if storage.size(uri) % ENTRY.itemsize:
        raise Unbalanced(f"{uri} was cut")
    with open_mapped(uri) as file:
        return np.frombuffer(file.read_buffer(), ENTRY) if storage.size(uri) else np.zeros(0, ENTRY)


def cut_to_range(run: RunFolder, stretch: Stretch, low: int, high: int) -> Entries:
    """The entries of a stretch whose keys lie in [low, high). Reads no others, but for a few that are bisected."""
    entries = read_entries(run, stretch.unit)[stretch.first : stretch.first + stretch.documents]
    if len(entries) != stretch.documents:
        raise Unbalanced(f"unit {stretch.unit}: {len(entries)} entries of {stretch.documents}")
    first = bisect_left(entries["key"], low)
    return entries[first : len(entries) if high == KEYS else bisect_left(entries["key"], high)].copy()


def tokens_of(uri: str, entries: Entries, dtype: np.dtype[Any]) -> Integers:
    """The tokens of entries that follow each other in a run, mapped into memory."""
    if not len(entries):
        return np.zeros(0, dtype)
    first, stop = int(entries["start"][0]), int(entries["start"][-1]) + int(entries[TOKENS][-1])
    with open_mapped(uri) as file:
        file.seek(first * dtype.itemsize)
        return np.frombuffer(file.read_buffer((stop - first) * dtype.itemsize), dtype)


def first_tokens(entries: Entries) -> Any:
    """Where each document begins, if they follow each other from 0 on."""
    return np.cumsum(entries[TOKENS], dtype=np.uint64) - entries[TOKENS]


def index_batches(entries: Entries, splits: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The rows of the document index, a row group each. Its dictionary names just the splits that occur in it."""
    starts = first_tokens(entries)
    for first in range(0, len(entries), ROWS):
        rows = entries[first : first + ROWS]
        used, numbers = np.unique(rows[SPLIT], return_inverse=True)
        names = pa.array([splits[split] for split in used.tolist()], pa.string())
        columns = [
            id_column(rows[DOC_ID]),
            pa.array(starts[first : first + ROWS]),
            pa.array(np.ascontiguousarray(rows[TOKENS])),
            pa.DictionaryArray.from_arrays(pa.array(numbers.astype(np.int32)), names),
            pa.array(np.ascontiguousarray(rows[ROW])),
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=INDEX)
