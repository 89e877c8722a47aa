"""Which documents are hit where a shard's .bin is not what it was: their curated texts are tokenized again and compared.

Text, index and tokenizer must be whole. Nothing is stored for this: a shard of 10^8 tokens takes the time that tokenizing its
text takes, and only where something is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from connectors import storage
from curation.audit.finding import Finding, Hit
from curation.audit.row_sums import Words, ids
from curation.audit.story import Ledger
from curation.audit.tokens import FIRST_TOKEN, SPLIT
from curation.recipes.tokenize import Tokenize
from curation.run.documents import DOC_ID, TEXT, URL, texts
from curation.run.ledger import TOKENS
from curation.run.receipt import Receipt
from curation.tokenize.loading import load_tokenizer
from curation.tokenize.tokenizer import Tokenizer

MOST_HITS = 20  # documents that are named; the search ends with them
_BATCH = 256  # documents that are tokenized at once

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Places:
    """Where the documents of a shard stand: their ids in ascending order, first tokens and lengths in that order."""

    ids: Words
    first: Numbers
    tokens: Numbers

    def find(self, wanted: Words) -> Numbers:
        """The place of each id, -1 for one that is not in the shard."""
        low = np.searchsorted(self.ids[:, 0], wanted[:, 0])
        found = np.full(len(wanted), -1, np.int64)
        for step in range(len(self.ids)):  # more than one turn only where the first halves of ids are equal
            at = np.minimum(low + step, len(self.ids) - 1)
            alike = (low + step < len(self.ids)) & (self.ids[at, 0] == wanted[:, 0])
            found = np.where(alike & (self.ids[at, 1] == wanted[:, 1]), at, found)
            if not (alike & (found < 0)).any():
                break
        return found


def with_documents_hit(ledger: Ledger, finding: Finding, row: dict[str, Any], broken: set[str]) -> Finding:
    """A finding about a shard's .bin with the documents whose tokens are not those of their texts, in the ledger's order.

    row     the shard's row in the manifest
    broken  files that are known to be damaged: where the search needs one of them, nothing can be told
    """
    run, index = ledger.folder, ledger.folder.shard(row["shard"], "docs.parquet")
    tokenizer = tokenizer_of(ledger, broken)
    if not ledger.keeps_text or index in broken or tokenizer is None or tokenizer.digest != row["tokenizer_sha256"]:
        return finding
    places, units = _read_places(ledger, index)
    tokens = _readable(run.uri(finding.place), np.dtype(row["dtype"]).newbyteorder("<"))
    texts_of = [run.uri(path) for path in map(run.documents, units) if path not in broken]
    hits: list[Hit] = []
    compared = 0
    for hit in (hit for uri in texts_of for hit in _compared(uri, places, tokens, tokenizer)):
        compared += 1
        hits += [hit] if hit.told else []
        if len(hits) == MOST_HITS:
            break
    if len(hits) > 1 and len(hits) == compared:
        told = f"{finding.problem}; none of {compared} documents is what the run made: of another shard or run?"
        return replace(finding, problem=told)
    return replace(finding, documents=tuple(hits))


def _readable(uri: str, dtype: np.dtype[Any]) -> npt.NDArray[np.integer[Any]]:
    """The whole tokens of a .bin file, mapped into memory."""
    count = storage.size(uri) // dtype.itemsize
    return np.memmap(storage.local_path(uri), dtype, mode="r", shape=(count,)) if count else np.zeros(0, dtype)


def tokenizer_of(ledger: Ledger, broken: set[str]) -> Tokenizer | None:
    """The run's tokenizer, None where its files are damaged."""
    run, settings = ledger.folder, Tokenize.model_validate(ledger.manifest["plan"]["recipe"]["tokenize"])
    receipt = Receipt.from_json(storage.read_bytes(run.uri(run.receipt("vocabulary", "vocabulary"))))
    chosen = str(receipt.facts["tokenizer"])
    if any(path in broken for path in receipt.outputs):
        return None
    location = run.uri(chosen) if storage.exists(run.uri(chosen)) else chosen
    return load_tokenizer(location, settings.end_of_document, settings.engine)


def _read_places(ledger: Ledger, index: str) -> tuple[Places, list[str]]:
    """Where a shard's documents stand, and the units that their texts are in."""
    with storage.open_input(ledger.folder.uri(index)) as file:
        table = pq.read_table(file, columns=[DOC_ID, FIRST_TOKEN, TOKENS, SPLIT])
    of = ids(table[DOC_ID])
    order = np.lexsort((of[:, 1], of[:, 0]))
    first, tokens = (table[name].to_numpy().astype(np.int64)[order] for name in (FIRST_TOKEN, TOKENS))
    splits = {split for chunk in table[SPLIT].unify_dictionaries().chunks for split in chunk.dictionary.to_pylist()}
    return Places(of[order], first, tokens), sorted({ledger.unit(split) for split in splits})


def _compared(uri: str, places: Places, tokens: npt.NDArray[np.integer[Any]], tokenizer: Tokenizer) -> Iterator[Hit]:
    """The shard's documents among those of a file of texts; `told` is "" for those whose tokens are as they should be."""
    with storage.open_input(uri) as file:
        for batch in pq.ParquetFile(file).iter_batches(_BATCH, columns=[DOC_ID, URL, TEXT]):
            place = places.find(ids(batch.column(DOC_ID)))
            here = np.flatnonzero(place >= 0)
            batch = batch.take(pa.array(here))
            encoded, lengths = tokenizer.encode_batch(texts(batch))
            stops = np.cumsum(lengths)
            for row, at in enumerate(place[here].tolist()):
                wanted = np.append(encoded[stops[row] - lengths[row] : stops[row]], tokenizer.end_of_document)
                first = int(places.first[at])
                told = _difference(wanted, tokens[first : first + int(places.tokens[at])], first)
                doc_id, url = (batch.column(name)[row].as_py() for name in (DOC_ID, URL))
                yield Hit(doc_id.hex(), url, told)


def _difference(wanted: npt.NDArray[Any], found: npt.NDArray[Any], first: int) -> str:
    """How a document's tokens in the shard differ from those of its text."""
    if len(found) < len(wanted):
        return f"tokens {first + len(found):,} to {first + len(wanted) - 1:,} are cut off"
    wrong = np.flatnonzero(wanted != found[: len(wanted)])
    if not len(wrong):
        return ""
    at = int(wrong[0])
    more = f", and {len(wrong) - 1:,} more of its {len(wanted):,}" if len(wrong) > 1 else ""
    return f"token {first + at:,} is {int(found[at])}, its text makes {int(wanted[at])}{more}"
