"""The passes over the curated texts: documents that are asked for, those that are similar to them, those at their addresses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors import storage
from curation.audit.erase.found import ASKED, SIMILAR, Erased
from curation.audit.erase.matching import COLUMNS, Matcher
from curation.dedup.addresses import canonical
from curation.dedup.keys import text_hashes
from curation.dedup.shingles import Shingling, document_shingles
from curation.dedup.sketches import SKETCH, Sketches, sketches
from curation.erased.likeness import WHOLE, Likeness, concatenated, cut
from curation.pipeline.survivors import BATCH_ROWS, cut_by_bytes
from curation.run.documents import DOC_ID, SOURCE, TEXT, URL
from curation.run.folder import RunFolder


def document_units(run: RunFolder) -> list[str]:
    """The files of curated text, by name."""
    return [name.removesuffix(".parquet") for name in storage.list_files(run.uri("documents"), ".parquet")]


def read_documents(run: RunFolder, unit: str) -> Iterator[pa.RecordBatch]:
    """The documents of a file, a bounded batch at a time."""
    columns = [*COLUMNS, SOURCE]
    with storage.open_input(run.uri(run.documents(unit))) as file:
        for rows in pq.ParquetFile(file).iter_batches(BATCH_ROWS, columns=columns):
            yield from cut_by_bytes(rows.select(columns))


@dataclass(frozen=True)
class MatchUnit:
    """A task: the documents of a file that are asked for, and their sketches. `named` are known by their ids already."""

    run: RunFolder
    matcher: Matcher
    named: dict[bytes, tuple[int, ...]]

    def __call__(self, unit: str) -> tuple[list[Erased], Sketches]:
        documents: list[Erased] = []
        parts = [Sketches(np.zeros(0, np.uint32), np.zeros(1, np.int64))]
        known = pa.array(list(self.named), pa.binary(16))
        for batch in read_documents(self.run, unit):
            requests: dict[int, set[int]] = {}
            for row in np.flatnonzero(pc.is_in(batch.column(DOC_ID), known).to_numpy(zero_copy_only=False)).tolist():
                requests[row] = set(self.named[batch.column(DOC_ID)[row].as_py()])
            for row, number in self.matcher.documents(batch):
                requests.setdefault(row, set()).add(number)
            if requests:
                rows = sorted(requests)
                chosen = batch.take(pa.array(rows))
                numbers = [tuple(sorted(requests[row])) for row in rows]
                for one in erased_of(chosen, unit, numbers, ASKED, [1.0] * len(rows)):
                    one.sketch = len(documents)
                    documents.append(one)
                parts.append(sketches(document_shingles(chosen, self.matcher.shingling), WHOLE))
        return documents, concatenated(*parts)


@dataclass(frozen=True)
class LikeUnit:
    """A task: the documents of a file that are similar to wanted ones, or have the same text, and are not known yet.

    `whole` compares all shingles of both; `sketched` as tombstones do, by at most 1,024 of each, so that nothing is left that
    they would take for similar. `requests` are those of each wanted one, `texts` those of each hash of a whole text, for
    texts that are too short to have shingles.
    """

    run: RunFolder
    shingling: Shingling
    whole: Likeness
    requests: tuple[tuple[int, ...], ...]
    texts: dict[bytes, tuple[int, ...]]
    known: frozenset[bytes]

    def __call__(self, unit: str) -> list[Erased]:
        found: list[Erased] = []
        for batch in read_documents(self.run, unit):
            all_hashes = sketches(document_shingles(batch, self.shingling), WHOLE)
            which, similarity = self.whole.best(all_hashes)
            sketched, estimate = self.sketched.best(cut(all_hashes, SKETCH))
            which, similarity = np.where(which >= 0, which, sketched), np.where(which >= 0, similarity, estimate)
            requests = {row: self.requests[which[row]] for row in np.flatnonzero(which >= 0).tolist()}
            for row, text in enumerate(text_hashes(batch.column(TEXT)).to_pylist() if self.texts else ()):
                if row not in requests and text in self.texts:
                    requests[row], similarity[row] = self.texts[text], 1.0
            ids = batch.column(DOC_ID).to_pylist()
            rows = [row for row in sorted(requests) if ids[row] not in self.known]
            if rows:
                chosen, numbers = batch.take(pa.array(rows)), [requests[row] for row in rows]
                found += erased_of(chosen, unit, numbers, SIMILAR, similarity[rows].tolist())
        return found

    @cached_property
    def sketched(self) -> Likeness:
        """By sketches of bounded size."""
        return Likeness(cut(self.whole.wanted, SKETCH), self.whole.similarity, SKETCH)


def erased_of(
    batch: pa.RecordBatch, unit: str, requests: Sequence[tuple[int, ...]], how: str, similarity: Sequence[float]
) -> Iterator[Erased]:
    """The documents of a batch as ones that are to go."""
    columns = [batch.column(name).to_pylist() for name in (DOC_ID, URL, SOURCE)]
    hashes = text_hashes(batch.column(TEXT)).to_pylist()
    for doc_id, url, source, text, numbers, like in zip(*columns, hashes, requests, similarity, strict=True):
        yield Erased(doc_id, url, source, text, unit, numbers, how, like)


@dataclass(frozen=True)
class SharedAddresses:
    """A task: which of some canonical addresses documents of a file have that stay."""

    run: RunFolder
    addresses: frozenset[str]
    gone: frozenset[bytes]

    def __call__(self, unit: str) -> set[str]:
        shared: set[str] = set()
        with storage.open_input(self.run.uri(self.run.documents(unit))) as file:
            for batch in pq.ParquetFile(file).iter_batches(columns=[DOC_ID, URL]) if self.addresses else ():
                for doc_id, url in zip(batch.column(DOC_ID).to_pylist(), batch.column(URL).to_pylist(), strict=True):
                    if url and doc_id not in self.gone and (address := canonical(url)) in self.addresses:
                        shared.add(address)
        return shared
