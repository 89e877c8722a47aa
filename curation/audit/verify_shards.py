"""Every entry of every document index: against .idx, against the end-of-document tokens in .bin, and against the ledger.

A row group of the index at a time, with its tokens mapped into memory: what is held does not grow with the shard.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from connectors import storage
from connectors.errors import UserError
from connectors.megatron import ShardReader
from curation.audit.finding import Finding, Hit, Progress
from curation.audit.row_sums import RowSums, ids, row_hashes
from curation.audit.story import Ledger
from curation.audit.tokens import FIRST_TOKEN, PLACE, SPLIT
from curation.audit.verify_ledger import MOST_HITS
from curation.run.documents import DOC_ID, ROW
from curation.run.ledger import TOKENS

PIECE = 1 << 22  # tokens looked at in one go

Numbers = npt.NDArray[np.int64]


class ShardCheck:
    """One shard's check; afterwards `by_shard` and `by_split` sum up its index, as `verify_ledger.Counted` does the ledger."""

    def __init__(self, ledger: Ledger, row: dict[str, Any], progress: Progress) -> None:
        self.ledger, self.row, self.name, self.progress = ledger, row, str(row["shard"]), progress
        self.by_shard, self.by_split = RowSums(), RowSums()

    def path(self, suffix: str) -> str:
        """One of the shard's files."""
        return self.ledger.folder.shard(self.name, suffix)

    def findings(self) -> Iterator[Finding]:
        """All that is wrong with the shard."""
        try:
            shard = ShardReader(storage.local_path(self.ledger.folder.uri(f"shards/{self.name}")))
            shard.check()
        except UserError as error:
            yield Finding(self.path("idx"), f"and .bin are no shard: {error}")
            return
        told = self.row["documents"], self.row["tokens"], self.row["dtype"]
        if (len(shard), shard.tokens, shard.dtype.name) != told:
            found = f"{len(shard):,} documents and {shard.tokens:,} tokens of type {shard.dtype.name}"
            yield Finding(self.path("idx"), f"has {found}; the manifest says {told[0]:,}, {told[1]:,} and {told[2]}")
            return
        with storage.open_input(self.ledger.folder.uri(self.path("docs.parquet"))) as file:
            yield from self._entries(shard, pq.ParquetFile(file))

    def _entries(self, shard: ShardReader, index: pq.ParquetFile) -> Iterator[Finding]:
        if index.metadata.num_rows != len(shard):
            told = f"has {index.metadata.num_rows:,} documents, .idx has {len(shard):,}"
            yield Finding(self.path("docs.parquet"), told)
            return
        done = 0
        for batch in index.iter_batches(columns=list(PLACE)):
            first, tokens = (batch.column(name).to_numpy().astype(np.int64) for name in (FIRST_TOKEN, TOKENS))
            bounds = np.append(shard._starts(slice(done, done + len(first) + 1)), shard.tokens)[: len(first) + 1]
            done += len(first)
            self._sum_up(batch, first, tokens)
            wrong = np.flatnonzero((first != bounds[:-1]) | (tokens != np.diff(bounds)))
            if len(wrong):
                told = f"and .idx disagree on {len(wrong):,} of the documents {done - len(first):,} to {done - 1:,}"
                yield Finding(self.path("docs.parquet"), told, self.hits(batch, wrong, first))
                continue
            yield from self._tokens(shard, batch, first, tokens, bounds)

    def _tokens(
        self, shard: ShardReader, batch: pa.RecordBatch, first: Numbers, tokens: Numbers, bounds: Numbers
    ) -> Iterator[Finding]:
        """Each document of the batch ends with the end-of-document token, and no token is outside the vocabulary."""
        for start in range(int(bounds[0]), int(bounds[-1]), PIECE):
            piece = shard.range(start, min(start + PIECE, int(bounds[-1])))
            self.progress(self.path("bin"), piece.nbytes)
            outside = np.flatnonzero((piece >= self.row["vocabulary_size"]) | (piece < 0))
            if len(outside):
                places = np.unique(np.searchsorted(first, start + outside, side="right") - 1)
                told = f"has {len(outside):,} tokens outside the vocabulary of {self.row['vocabulary_size']:,}"
                yield Finding(self.path("bin"), told, self.hits(batch, places, first))
        ends = shard._tokens[(first + tokens)[tokens > 0] - 1]
        wrong = np.flatnonzero(tokens == 0).tolist()
        wrong += np.flatnonzero(tokens > 0)[ends != self.row["end_of_document"]].tolist()
        if wrong:
            told = f"has {len(wrong):,} documents that do not end with token {self.row['end_of_document']}"
            yield Finding(self.path("bin"), told, self.hits(batch, np.array(sorted(wrong)), first))

    def _sum_up(self, batch: pa.RecordBatch, first: Numbers, tokens: Numbers) -> None:
        of, splits = ids(batch.column(DOC_ID)), batch.column(SPLIT)
        if not isinstance(splits, pa.DictionaryArray):
            splits = splits.dictionary_encode()
        everything = np.zeros(len(first), np.int64)
        self.by_shard.add([self.name], everything, row_hashes(of, tokens, first))
        rows = row_hashes(of, batch.column(ROW).to_numpy().astype(np.int64))
        self.by_split.add(splits.dictionary.to_pylist(), splits.indices.to_numpy().astype(np.int64), rows)

    def hits(self, batch: pa.RecordBatch, places: Numbers, first: Numbers) -> tuple[Hit, ...]:
        """The first of the documents at these places of a batch."""
        return tuple(
            Hit(row[DOC_ID].hex(), url_of(self.ledger, row), f"from token {row[FIRST_TOKEN]:,} on")
            for row in batch.take(pa.array(places[:MOST_HITS])).to_pylist()
        )


def url_of(ledger: Ledger, row: dict[str, Any]) -> str:
    """The URL of a row of a document index, "" where the ledger has another document there."""
    try:
        record = ledger.record(row[SPLIT], row[ROW])
    except (UserError, IndexError):
        return ""
    return str(record["url"]) if record[DOC_ID] == row[DOC_ID] else ""


def not_in_ledger(ledger: Ledger, shard: str) -> tuple[Hit, ...]:
    """Documents of a shard's index that the ledger does not have at their place, some of them, found one by one."""
    hits: list[Hit] = []
    with storage.open_input(ledger.folder.uri(ledger.folder.shard(shard, "docs.parquet"))) as file:
        for batch in pq.ParquetFile(file).iter_batches(columns=list(PLACE)):
            for row in batch.to_pylist():
                told = _difference(ledger, shard, row)
                if told:
                    hits.append(Hit(row[DOC_ID].hex(), url_of(ledger, row), told))
                if len(hits) == MOST_HITS:
                    return tuple(hits)
    return tuple(hits)


def _difference(ledger: Ledger, shard: str, row: dict[str, Any]) -> str:
    split = row[SPLIT]
    try:
        unit = ledger.unit(split)
    except UserError:
        return f"is of split {split}, which the run does not have"
    if not url_of(ledger, row) and not _is_record(ledger, row):
        return f"is not record {row[ROW]} of {split}"
    fates = ledger.of_row("finish", unit, row[ROW], row[DOC_ID])
    for fate in fates:
        place = fate["shard"], fate["position"], fate["tokens"]
        if place == (shard, row[FIRST_TOKEN], row[TOKENS]):
            return ""
        return f"from token {row[FIRST_TOKEN]:,} on, {row[TOKENS]:,}; by the ledger at {place[1]} of {place[0]}, {place[2]}"
    return "has no fate in the ledger"


def _is_record(ledger: Ledger, row: dict[str, Any]) -> bool:
    try:
        return bool(ledger.record(row[SPLIT], row[ROW])[DOC_ID] == row[DOC_ID])
    except (UserError, IndexError):
        return False
