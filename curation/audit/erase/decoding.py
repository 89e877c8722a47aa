"""A shard's tokens as text again, document by document: what a trainer would read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from connectors import erased_spans, storage
from connectors.erased_spans import ErasedSpans
from connectors.errors import UserError
from connectors.megatron import ShardReader
from curation.run.documents import DOC_ID, LANG, TEXT
from curation.run.folder import RunFolder
from curation.run.ledger import TOKENS
from curation.tokenize.huggingface import HuggingFaceTokenizer
from curation.tokenize.loading import load_tokenizer
from curation.tokenize.sentencepiece_model import SentencePieceTokenizer
from curation.tokenize.tiktoken_ranks import TiktokenTokenizer

BATCH_DOCUMENTS, BATCH_TOKENS = 256, 1 << 20

Decode = Callable[[list[list[int]]], list[str]]


@dataclass
class ShardTexts:
    """The shards of a run as texts. Raises `UserError` for a tokenizer that is not there, or that can't decode."""

    run: RunFolder
    manifest: Mapping[str, Any]

    @property
    def shards(self) -> list[dict[str, Any]]:
        """The manifest's rows of those that have tokens."""
        return [row for row in self.manifest["shards"] if "dtype" in row]

    @cached_property
    def decode(self) -> Decode:
        """Lists of ids to texts; ids of special tokens are no text."""
        settings = self.manifest["plan"]["recipe"]["tokenize"]
        receipt = json.loads(storage.read_bytes(self.run.uri(self.run.receipt("vocabulary", "vocabulary"))))
        chosen = str(receipt["facts"]["tokenizer"])
        location = self.run.uri(chosen) if storage.exists(self.run.uri(chosen)) else chosen
        return decoder(load_tokenizer(location, settings["end_of_document"], "reference"))

    def spans(self, shard: Mapping[str, Any]) -> ErasedSpans:
        """What was erased of a shard."""
        path = self.run.shard(shard["shard"], erased_spans.SUFFIX)
        if path not in self.manifest["files"]:
            return erased_spans.no_spans()
        return erased_spans.read_erased(storage.local_path(self.run.uri(path)), int(shard["tokens"]))

    def overwritten(self, shard: Mapping[str, Any]) -> bool:
        """Whether all erased spans of a shard hold the end-of-document token and nothing else."""
        reader, spans = self.reader(shard), self.spans(shard)
        end = shard["end_of_document"]
        for start, stop in zip(spans.first.tolist(), spans.stop.tolist()):
            for place in range(start, stop, BATCH_TOKENS):
                if (reader.range(place, min(stop, place + BATCH_TOKENS)) != end).any():
                    return False
        return True

    def reader(self, shard: Mapping[str, Any]) -> ShardReader:
        """Of a shard's files."""
        return ShardReader(storage.local_path(self.run.uri(f"shards/{shard['shard']}")))

    def texts(self, shard: Mapping[str, Any]) -> Iterator[pa.RecordBatch]:
        """The documents of a shard that were not erased, decoded: doc_id, text, and a lang that nobody knows."""
        reader, spans = self.reader(shard), self.spans(shard)
        with storage.open_input(self.run.uri(self.run.shard(shard["shard"], "docs.parquet"))) as file:
            for rows in pq.ParquetFile(file).iter_batches(BATCH_DOCUMENTS, columns=[DOC_ID, "first_token", TOKENS]):
                first = rows.column("first_token").to_numpy().astype(np.int64)
                here = np.flatnonzero(~spans.holds(first))
                stop = first + rows.column(TOKENS).to_numpy()
                for part in by_tokens(here, stop[here] - first[here]):
                    ids = [reader.range(int(first[row]), int(stop[row])).tolist() for row in part.tolist()]
                    columns = {
                        DOC_ID: rows.column(DOC_ID).take(pa.array(part)),
                        TEXT: pa.array(self.decode(ids), pa.string()),
                        LANG: pa.nulls(len(part), pa.string()),
                    }
                    yield pa.RecordBatch.from_pydict(columns)


def by_tokens(rows: npt.NDArray[np.int64], tokens: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[np.int64]]:
    """Rows in groups of BATCH_TOKENS tokens at most, or one row."""
    ends, start = np.cumsum(tokens), 0
    while start < len(rows):
        before = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + BATCH_TOKENS, side="right")))
        yield rows[start:stop]
        start = stop


def decoder(tokenizer: object) -> Decode:
    """What turns a tokenizer's ids into texts. Raises `UserError` for a kind that can't."""
    if isinstance(tokenizer, HuggingFaceTokenizer):
        pipeline = tokenizer._pipeline
        return lambda ids: list(pipeline.decode_batch(ids, skip_special_tokens=True))
    if isinstance(tokenizer, TiktokenTokenizer):
        encoding, special = tokenizer._encoding, set(tokenizer.special.values())
        return lambda ids: [encoding.decode([token for token in one if token not in special]) for one in ids]
    if isinstance(tokenizer, SentencePieceTokenizer):
        processor = tokenizer._processor
        return lambda ids: [str(processor.Decode(one)) for one in ids]
    raise UserError("The tokenizer of this run can't decode: its shards can't be searched as text")
