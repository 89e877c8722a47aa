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

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curation.audit.erase.documents import LikeUnit, MatchUnit, SharedAddresses, document_units
from curation.audit.erase.found import Found
from curation.audit.erase.ledger_rows import addresses_of, both, kept_documents, named_records, place, rows_of
from curation.audit.erase.matching import Matcher
from curation.dedup.addresses import canonical
from curation.dedup.sketches import sketches
from curation.engines.engine import Engine
from curation.erased.likeness import WHOLE, Likeness, concatenated, taken
from curation.run.documents import DOC_ID
from curation.run.folder import RunFolder

Item = TypeVar("Item")
Result = TypeVar("Result")


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


def in_order(engine: Engine | None, task: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """A task's results in the order of the items, by an engine's workers or in this process."""
    if engine is None:
        yield from map(task, items)
        return
    numbered = dict(engine.map(task, items))
    yield from (numbered[number] for number in range(len(items)))
