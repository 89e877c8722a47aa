"""What the ledger knows of the records that a request names: which they are, what was kept for them, where it lies in shards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors import storage
from connectors.errors import UserError
from curation.audit.erase.found import Found
from curation.audit.erase.matching import Hit, Matcher
from curation.run import ledger
from curation.run.documents import DOC_ID, FATE, TEXT, URL
from curation.run.folder import RunFolder

ADDRESS = "address"


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


def with_language(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A batch of texts of which no language is known, for what asks for one."""
    return batch.append_column("lang", pa.nulls(batch.num_rows, pa.string()))
