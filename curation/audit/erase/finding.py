"""The passes over a run that find what a request names, and all that is similar to it. Reading only.

    ledger/records, near_duplicates ─► named records ─┐ a removed duplicate names the document that was kept for it
                                                      ▼
    documents ─► asked for: by address, id, pattern, text ─► sketches of these ─► documents again: similar to one of them
                                                                                                │
    ledger/finish: where they lie in shards, and the duplicates that were removed for them ◄────┘

A document's text is read twice, a batch at a time; what is held is a few hundred bytes for each document found, and four bytes
for each distinct shingle of those asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors import storage
from connectors.errors import UserError
from curation.audit.erase.matching import COLUMNS, Hit, Matcher
from curation.dedup.addresses import canonical
from curation.dedup.keys import text_hashes
from curation.dedup.shingles import Shingling, document_shingles
from curation.dedup.sketches import SKETCH, Sketches, sketches
from curation.engines.engine import Engine
from curation.erased.likeness import WHOLE, Likeness, concatenated, cut, taken
from curation.pipeline.survivors import BATCH_ROWS, cut_by_bytes
from curation.run import ledger
from curation.run.documents import DOC_ID, FATE, SOURCE, TEXT, URL
from curation.run.folder import RunFolder

ASKED, SIMILAR = "asked", "similar"
ADDRESS = "address"

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(slots=True)
class Erased:
    """A kept document that is to go.

    requests    numbers of those that name it, or what it is similar to
    how         `asked`, or `similar` to one that was asked for
    similarity  with that one; 1 for what was asked for
    unit        its file in `documents`;  ledger: its file in `ledger/finish`
    shard, first_token, tokens   its place, "" and 0 where there is none
    sketch      of one that was asked for: number among `Found.sketches`
    """

    doc_id: bytes
    url: str
    source: str
    text_hash: bytes
    unit: str
    requests: tuple[int, ...]
    how: str
    similarity: float
    sketch: int | None = None
    ledger: str = ""
    shard: str = ""
    first_token: int = 0
    tokens: int = 0


@dataclass
class Found:
    """What the requests come to in a run.

    documents   kept ones, by id
    far         documents of earlier runs, or erased ones, that a named duplicate was removed for, by id → the requests
    duplicates  removed ones that were removed for one of those → its id
    records     any other record that a request names, by id → the requests
    urls        addresses of all these: no record that is not kept may show them
    shared      canonical addresses of these at which other documents stay: captures of the page with another text
    sketches    of the documents that were asked for, whole; `wanted` of the requested texts
    elsewhere   documents of earlier runs that one of these records was removed for: they are to be erased there
    """

    documents: dict[bytes, Erased] = field(default_factory=dict)
    far: dict[bytes, tuple[int, ...]] = field(default_factory=dict)
    duplicates: dict[bytes, bytes] = field(default_factory=dict)
    records: dict[bytes, tuple[int, ...]] = field(default_factory=dict)
    urls: set[str] = field(default_factory=set)
    shared: set[str] = field(default_factory=set)
    sketches: Sketches = Sketches(np.zeros(0, np.uint32), np.zeros(1, np.int64))
    wanted: Sketches = Sketches(np.zeros(0, np.uint32), np.zeros(1, np.int64))
    elsewhere: int = 0

    @cached_property
    def hidden(self) -> set[bytes]:
        """Ids of all records whose address is not to be shown any more."""
        return {*self.documents, *self.duplicates, *self.records}

    def requests_of(self, kept: bytes) -> tuple[int, ...]:
        """Of a document that goes, or is far."""
        return self.documents[kept].requests if kept in self.documents else self.far[kept]

    @property
    def gone(self) -> frozenset[bytes]:
        """Ids of the documents."""
        return frozenset(self.documents)

    @property
    def tokens(self) -> int:
        """Of all documents that are to go, their ends included."""
        return sum(one.tokens for one in self.documents.values())


def find(run: RunFolder, matcher: Matcher, engine: Engine | None = None) -> Found:
    """All that the requests name. `engine` reads documents with several workers."""
    found = Found()
    named = named_records(run, matcher)
    kept_for = kept_documents(run, named)
    wanted = {doc_id: both(named.get(doc_id, ()), kept_for.get(doc_id, ())) for doc_id in [*named, *kept_for]}
    units = document_units(run)
    parts = list(in_order(engine, MatchUnit(run, matcher, wanted), units))
    for documents, sketched in parts:
        base = len(found.sketches.offsets) - 1
        for one in documents:
            found.documents[one.doc_id] = one
            one.sketch = None if one.sketch is None else one.sketch + base
        found.sketches = concatenated(found.sketches, sketched)
    if matcher.numbers_of_texts:
        found.wanted = sketches(matcher.text_shingles(), WHOLE)
    _add_similar(run, matcher, engine, units, found)
    standing_for = {**kept_for, **{doc_id: (number,) for doc_id, number in matcher.requested_ids.items()}}
    found.far = {doc_id: numbers for doc_id, numbers in standing_for.items() if doc_id not in found.documents}
    place(run, found)
    found.records = {doc_id: numbers for doc_id, numbers in named.items() if doc_id not in found.documents}
    for doc_id in found.duplicates:
        found.records.pop(doc_id, None)
    found.urls = {one.url for one in found.documents.values() if one.url} | set(addresses_of(run, found.hidden))
    for part in in_order(engine, SharedAddresses(run, frozenset(map(canonical, found.urls)), found.gone), units):
        found.shared |= part
    hidden = pa.array(list(found.hidden), pa.binary(16))
    for _, batch in rows_of(run, "elsewhere", (DOC_ID,)):
        found.elsewhere += pc.sum(pc.is_in(batch.column(DOC_ID), hidden)).as_py() or 0
    return found


# ---- the ledger


def named_records(run: RunFolder, matcher: Matcher) -> dict[bytes, tuple[int, ...]]:
    """Records that a request names by what the ledger shows of them: address, id, the beginning of a duplicate's text."""
    named: dict[bytes, set[int]] = {}

    def add(doc_ids: pa.Array, hits: Iterable[Hit]) -> None:
        for row, number in hits:
            named.setdefault(doc_ids[row].as_py(), set()).add(number)

    for _, batch in rows_of(run, "records", (DOC_ID, URL)):
        add(batch.column(DOC_ID), matcher.ids(batch.column(DOC_ID)))
        add(batch.column(DOC_ID), matcher.addresses(batch.column(URL)))
    for _, batch in rows_of(run, "near_duplicates", (DOC_ID, TEXT)):
        add(batch.column(DOC_ID), matcher.texts(with_language(batch)))
    return {doc_id: tuple(sorted(numbers)) for doc_id, numbers in named.items()}


def kept_documents(run: RunFolder, named: dict[bytes, tuple[int, ...]]) -> dict[bytes, tuple[int, ...]]:
    """For named records that were removed as duplicates: what was kept for them, since the run took it for the same."""
    if not named:
        return {}
    wanted = pa.array(list(named), pa.binary(16))
    kept: dict[bytes, tuple[int, ...]] = {}
    for _, batch in rows_of(run, "finish", (DOC_ID, ledger.DUPLICATE_OF)):
        rows = batch.filter(pc.and_(pc.is_in(batch.column(DOC_ID), wanted), batch.column(1).is_valid()))
        for doc_id, of in zip(*(column.to_pylist() for column in rows.columns), strict=True):
            kept[of] = both(kept.get(of, ()), named[doc_id])
    return kept


def both(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    """The requests of either."""
    return tuple(sorted({*one, *other}))


def place(run: RunFolder, found: Found) -> None:
    """Where the documents lie in the shards, and the duplicates that were removed for them."""
    columns = (DOC_ID, FATE, ledger.DUPLICATE_OF, ledger.TOKENS, ledger.SHARD, ledger.POSITION)
    wanted = pa.array(list(found.documents), pa.binary(16))
    standing = pa.array([*found.documents, *found.far], pa.binary(16))
    for unit, batch in rows_of(run, "finish", columns):
        mine = pc.is_in(batch.column(DOC_ID), wanted)
        copies = pc.fill_null(pc.is_in(batch.column(ledger.DUPLICATE_OF), standing), False)
        copies = pc.and_(copies, batch.column(ledger.DUPLICATE_OF).is_valid())
        for row in batch.filter(pc.or_(mine, copies)).to_pylist():
            if row[DOC_ID] not in found.documents:
                found.duplicates[row[DOC_ID]] = row[ledger.DUPLICATE_OF]
            else:
                one = found.documents[row[DOC_ID]]
                one.ledger, one.shard = unit, row[ledger.SHARD] or ""
                one.first_token, one.tokens = row[ledger.POSITION] or 0, row[ledger.TOKENS] or 0
    if not all(one.ledger for one in found.documents.values()):
        raise UserError(f"The ledger does not know all documents of {run.root}: see corpusmill verify {run.root}")


def addresses_of(run: RunFolder, doc_ids: set[bytes]) -> Iterator[str]:
    """The addresses of some records."""
    wanted = pa.array(list(doc_ids), pa.binary(16))
    for _, batch in rows_of(run, "records", (DOC_ID, URL)) if doc_ids else ():
        yield from filter(None, batch.column(URL).filter(pc.is_in(batch.column(DOC_ID), wanted)).to_pylist())


def rows_of(run: RunFolder, part: str, columns: Sequence[str]) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Some columns of a part of the ledger, a batch at a time, with the name of its file."""
    folder = run.uri(f"ledger/{part}")
    for name in storage.list_files(folder, ".parquet"):
        with storage.open_input(f"{folder}/{name}") as file:
            for batch in pq.ParquetFile(file).iter_batches(columns=list(columns)):
                yield name.removesuffix(".parquet"), batch.select(list(columns))


# ---- the documents


def document_units(run: RunFolder) -> list[str]:
    """The files of curated text, by name."""
    return [name.removesuffix(".parquet") for name in storage.list_files(run.uri("documents"), ".parquet")]


def read_documents(run: RunFolder, unit: str) -> Iterator[pa.RecordBatch]:
    """The documents of a file, a bounded batch at a time."""
    columns = [*COLUMNS, SOURCE]
    with storage.open_input(run.uri(run.documents(unit))) as file:
        for rows in pq.ParquetFile(file).iter_batches(BATCH_ROWS, columns=columns):
            yield from cut_by_bytes(rows.select(columns))


def with_language(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A batch of texts of which no language is known, for what asks for one."""
    return batch.append_column("lang", pa.nulls(batch.num_rows, pa.string()))


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


def _add_similar(run: RunFolder, matcher: Matcher, engine: Engine | None, units: list[str], found: Found) -> None:
    """Adds the documents that are similar to those asked for, or to a requested text."""
    wanted = concatenated(found.sketches, found.wanted)
    asked = sorted(
        ((one.sketch, one) for one in found.documents.values() if one.sketch is not None), key=lambda pair: pair[0]
    )
    requests = [*(one.requests for _, one in asked), *((number,) for number in matcher.numbers_of_texts)]
    filled = np.flatnonzero(np.diff(wanted.offsets))
    likeness = Likeness(taken(wanted, filled), np.full(len(filled), matcher.similarity, np.float32))
    texts = {one.text_hash: one.requests for _, one in asked}
    if asked or len(filled):
        of_wanted = tuple(requests[number] for number in filled.tolist())
        task = LikeUnit(run, matcher.shingling, likeness, of_wanted, texts, found.gone)
        for part in in_order(engine, task, units):
            found.documents |= {one.doc_id: one for one in part}


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


def in_order(engine: Engine | None, task: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """A task's results in the order of the items, by an engine's workers or in this process."""
    if engine is None:
        yield from map(task, items)
        return
    numbered = dict(engine.map(task, items))
    yield from (numbered[number] for number in range(len(items)))
