"""What the requests come to in a run: the documents that are to go, their duplicates, and what shows their addresses."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from curation.dedup.sketches import Sketches

ASKED, SIMILAR = "asked", "similar"


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
