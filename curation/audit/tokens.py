"""From tokens to documents to records and texts, many at once, each by one row group of a file that is known by name.

A table of documents has a row for each that was asked for, in that order: `doc_id`, `first_token`, `tokens`, and where the
record stands, `split` and `row`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from connectors.errors import UserError
from curation.audit.single_rows import SingleRows, integers
from curation.audit.story import Ledger
from curation.run.documents import DOC_ID, ROW, TEXT

FIRST_TOKEN = "first_token"
SPLIT = "split"
PLACE = (DOC_ID, FIRST_TOKEN, "tokens", SPLIT, ROW)  # columns of a shard's document index


def documents_at(ledger: Ledger, shard: str, tokens: npt.ArrayLike) -> pa.Table:
    """The documents that tokens of a shard belong to. Raises `UserError` for a shard or token that is not there."""
    held = _row_of(ledger, shard)["tokens"]
    asked = np.asarray(tokens, np.int64)
    for token in asked[(asked < 0) | (asked >= held)][:1].tolist():
        raise UserError(f"Shard {shard} has the tokens 0 to {held - 1}, not {token}")
    index = _index(ledger, shard)
    return index.at(index.not_after(FIRST_TOKEN, asked), PLACE)


def documents_numbered(ledger: Ledger, shard: str, numbers: npt.ArrayLike) -> pa.Table:
    """The documents of a shard with these numbers, in its own order. Raises `UserError` for a shard that is not there."""
    _row_of(ledger, shard)
    return _index(ledger, shard).at(numbers, PLACE)


def records_of(ledger: Ledger, documents: pa.Table, columns: Sequence[str]) -> pa.Table:
    """Columns of the documents' records. Raises `UserError` where the ledger holds another document at a place."""

    def read(split: str, rows: npt.NDArray[np.int64], ids: pa.ChunkedArray) -> pa.Table:
        file = ledger.opened(ledger.folder.ledger("records", split))
        if file is None or rows.max() >= file.rows:
            raise _other(ledger, split)
        found = file.at(rows, [DOC_ID, *columns])
        if not found[DOC_ID].equals(ids):
            raise _other(ledger, split)
        return found.select(list(columns))

    return _by_file(documents, documents[SPLIT].to_pylist(), read)


def texts_of(ledger: Ledger, documents: pa.Table) -> list[str]:
    """The curated texts of the documents, "" for those of which the run holds none."""

    def read(unit: str, rows: npt.NDArray[np.int64], ids: pa.ChunkedArray) -> pa.Table:
        file = ledger.opened(ledger.folder.documents(unit))
        found = dict[bytes, str]() if file is None else texts_by_id(file, rows, ids.to_pylist())
        return pa.table({TEXT: pa.array([found.get(doc_id, "") for doc_id in ids.to_pylist()], pa.string())})

    splits = documents[SPLIT].to_pylist()
    units = {split: ledger.unit(split) for split in dict.fromkeys(splits)}
    texts: list[str] = _by_file(documents, [units[split] for split in splits], read)[TEXT].to_pylist()
    return texts


def texts_by_id(file: SingleRows, rows: npt.ArrayLike, ids: Sequence[bytes]) -> dict[bytes, str]:
    """The texts of documents in a unit's file; the same row may stand in several splits of the unit."""
    numbers, table = file.among(ROW, rows, [DOC_ID])
    wanted = set(ids)
    places = {doc_id: number for doc_id, number in zip(table[DOC_ID].to_pylist(), numbers) if doc_id in wanted}
    texts = file.at(np.array(list(places.values()), np.int64), [TEXT])[TEXT].to_pylist()
    return dict(zip(places, texts, strict=True))


def _by_file(
    documents: pa.Table,
    names: Sequence[str],
    read: Callable[[str, npt.NDArray[np.int64], pa.ChunkedArray], pa.Table],
) -> pa.Table:
    """What `read` gives for the documents of each file, put together in the documents' order."""
    parts, places = [], []
    rows = integers(documents[ROW])
    for name, here in _places(names):
        parts.append(read(name, rows[here], documents[DOC_ID].take(pa.array(here))))
        places.append(here)
    return pa.concat_tables(parts).take(pa.array(np.argsort(np.concatenate(places), kind="stable")))


def _places(names: Sequence[str]) -> Iterator[tuple[str, npt.NDArray[np.int64]]]:
    """Each name once, and where it stands."""
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        places.setdefault(name, []).append(place)
    for name, found in places.items():
        yield name, np.array(found, np.int64)


def _row_of(ledger: Ledger, shard: str) -> dict[str, int]:
    row = ledger.shard(shard)
    if "dtype" not in row:
        raise UserError("This run has no tokens: its recipe does not tokenize")
    return row


def _index(ledger: Ledger, shard: str) -> SingleRows:
    path = ledger.folder.shard(shard, "docs.parquet")
    index = ledger.opened(path)
    if index is None:
        raise UserError(f"{path} is missing: run `corpusmill verify {ledger.folder.root}`")
    if SPLIT not in index.names:
        raise UserError(f"{path} names no records: the run was made by an earlier version; curate it again")
    return index


def _other(ledger: Ledger, split: str) -> UserError:
    return UserError(
        f"The ledger's records of {split} are not those of the shard: run `corpusmill verify {ledger.folder.root}`"
    )
