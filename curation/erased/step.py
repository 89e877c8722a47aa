"""The step that keeps out what was erased from earlier runs, by their tombstones."""

from __future__ import annotations

import functools
from typing import Annotated

import numpy as np
import pyarrow as pa
from pydantic import BeforeValidator
from pydantic.dataclasses import dataclass

from connectors.errors import UserError
from curation.dedup.keys import text_hashes
from curation.dedup.shingles import document_shingles
from curation.dedup.sketches import SKETCH, sketches
from curation.erased.tombstones import (
    DOMAIN_HASH,
    TEXT_HASH,
    URL_HASH,
    Tombstones,
    read_tombstones,
    tombstones_file,
)
from curation.run.documents import DOC_ID, STRICT, TEXT, URL, Verdict, with_verdicts

REASON = "erased"

Runs = Annotated[tuple[str, ...], BeforeValidator(tuple)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Erased:
    """The step. `runs` are folders of runs from which something was erased, or files of tombstones.

    A document is removed, reason `erased`, that is the same capture, another one of the page, of an erased domain, has the same
    text (white space aside), or one similar to what was asked to be erased: then `value` is the similarity, `threshold` the
    least that counts. Stands last in the first pass, where texts are as they will be kept. Raises `UserError` for a run
    without tombstones.
    """

    runs: Runs
    name: str = "erased"

    def __post_init__(self) -> None:
        for path in self.files:
            read_tombstones(path)

    @property
    def files(self) -> tuple[str, ...]:
        """The tombstones, which decide what is removed."""
        return tuple(tombstones_file(run) for run in self.runs)

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        verdicts: list[Verdict | None] = [None] * batch.num_rows
        for path in self.files:
            for row, verdict in enumerate(verdicts_of(_opened(path), batch)):
                verdicts[row] = verdicts[row] or verdict
        return with_verdicts(batch, self.name, verdicts)


@functools.cache
def _opened(path: str) -> Tombstones:
    return read_tombstones(path)


def verdicts_of(tombstones: Tombstones, batch: pa.RecordBatch) -> list[Verdict | None]:
    """What one run's tombstones say of each document of a batch. Its columns doc_id, url, text, and lang if they need it."""
    seal, named = tombstones.seal, tombstones.named
    verdicts: list[Verdict | None] = [None] * batch.num_rows
    texts = text_hashes(batch.column(TEXT)).to_pylist() if named[TEXT_HASH] else [None] * batch.num_rows
    rows = zip(batch.column(DOC_ID).to_pylist(), batch.column(URL).to_pylist(), texts, strict=True)
    for row, (doc_id, url, text) in enumerate(rows):
        same = doc_id in named[DOC_ID] or (text is not None and seal.text(text) in named[TEXT_HASH])
        same = same or (bool(named[URL_HASH]) and bool(url) and seal.address(url) in named[URL_HASH])
        if same or (named[DOMAIN_HASH] and not named[DOMAIN_HASH].isdisjoint(seal.domains(url))):
            verdicts[row] = Verdict("removed", REASON)
    if not len(tombstones.likeness):
        return verdicts
    try:
        shingles = document_shingles(batch, seal.shingling)
    except UserError as error:
        raise UserError(f"erased: {error}") from None
    which, similarity = tombstones.likeness.best(sketches(shingles, SKETCH))
    least = tombstones.likeness.similarity
    for row in np.flatnonzero(which >= 0).tolist():
        if verdicts[row] is None:
            threshold = round(float(least[which[row]]), 6)
            verdicts[row] = Verdict("removed", REASON, float(similarity[row]), threshold)
    return verdicts
