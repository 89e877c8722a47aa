"""Documents become tokens, as the sorted run of a unit: what shards are made from.

Any Arrow batches of documents will do, if they have `doc_id`, `row`, `url`, `text`, and `lang` where languages are told apart:

    with TokenRun(run, "web/00000", tokenizer, settings) as tokens:
        lengths = tokens.add(batch, split)
        facts = tokens.finish()
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from functools import cache
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from connectors import storage
from connectors.megatron import optimal_dtype
from connectors.storage import Written
from curation.pipeline.segments import Segmenting, Values
from curation.recipes.tokenize import Tokenize
from curation.run.documents import DOC_ID, ROW, TEXT
from curation.run.folder import RunFolder
from curation.tokenize.document_keys import ORDER, document_keys, ids_of
from curation.tokenize.fast import encode_column
from curation.tokenize.kernels.encoding import put_ends
from curation.tokenize.loading import Engine, load_tokenizer
from curation.tokenize.sorted_runs import Integers, SortedRunWriter
from curation.tokenize.tokenizer import Lengths, Tokenizer, Tokens


@cache
def opened_tokenizer(location: str, end_of_document: str | None, engine: Engine) -> Tokenizer:
    """The run's tokenizer, once a worker process."""
    return load_tokenizer(location, end_of_document, engine)


class TokenRun:
    """Writes a unit's sorted run. Use as a context manager; both files are in place when the block ends."""

    def __init__(self, run: RunFolder, unit: str, tokenizer: Tokenizer, settings: Tokenize) -> None:
        self._run, self._unit = run, unit
        self._tokenizer, self._settings = tokenizer, settings
        self._dtype = optimal_dtype(tokenizer.vocabulary_size)
        self._segmenting = Segmenting(settings)
        self._used: set[int] = set()
        self.documents = self.tokens = 0

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            scratch = stack.enter_context(storage.scratch(self._run.uri(self._run.work)))
            token_path, entry_path = self._files
            self._token_path = stack.enter_context(storage.writing(self._run.uri(token_path)))
            self._entry_path = stack.enter_context(storage.writing(self._run.uri(entry_path)))
            self._writer = SortedRunWriter(scratch, self._dtype)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    @property
    def _files(self) -> tuple[str, str]:
        return self._run.run_tokens(self._unit), self._run.run_entries(self._unit)

    @property
    def written(self) -> dict[str, Written]:
        """The files, once they are in place."""
        return {path: storage.unhashed(self._run.uri(path)) for path in self._files}

    def add(self, batch: pa.RecordBatch, split: int, quality: Values | None = None) -> Lengths:
        """Appends documents of the unit's split with this number. Returns how many tokens each has, its end among them.

        quality   the measure that buckets are made by, NaN where it is missing
        """
        ids, lengths = encode_column(self._tokenizer, batch.column(TEXT))
        lengths = lengths + 1
        doc_ids = ids_of(batch.column(DOC_ID))
        segments = self._segmenting(batch, quality)
        self._writer.add(
            with_ends(ids, lengths, self._tokenizer.end_of_document, self._dtype),
            lengths,
            keys=document_keys(doc_ids, self._settings.seed, ORDER),
            ids=doc_ids,
            rows=batch.column(ROW).to_numpy(),
            split=split,
            segments=segments,
        )
        self._used.update(np.unique(segments).tolist())
        self.documents += batch.num_rows
        self.tokens += int(lengths.sum())
        return lengths

    def finish(self) -> dict[str, Any]:
        """Writes the files. Returns what a receipt should say of them, segment by segment, and of the tokenizer."""
        named = {number: self._segmenting.named(number) for number in self._used}
        order = sorted(named, key=lambda number: named[number].rank)
        stored = self._writer.finish(self._token_path, self._entry_path, order)
        return {
            "segments": [
                {**asdict(named[each.segment]), "documents": each.documents, "tokens": each.tokens} for each in stored
            ],
            "dtype": self._dtype.name,
            "vocabulary_size": self._tokenizer.vocabulary_size,
            "end_of_document": self._tokenizer.end_of_document,
            "tokenizer_sha256": self._tokenizer.digest,
        }


def with_ends(ids: Tokens, lengths: Lengths, end: int, dtype: npt.DTypeLike) -> Integers:
    """The documents' tokens, each document with its end behind it, in the type of a shard; `lengths` count the ends.

    Raises ValueError for a token that does not fit.
    """
    limits, room = np.iinfo(np.dtype(dtype)), np.empty(int(lengths.sum()), dtype)
    given = np.asarray(ids, np.int32).view()
    given.flags.writeable = False  # a kernel is compiled for arrays of one kind
    if not put_ends(given, np.asarray(lengths, np.int64), end, limits.max, room):
        raise ValueError(f"tokens from {ids.min()} to {ids.max()} do not fit {np.dtype(dtype).name}")
    return room
