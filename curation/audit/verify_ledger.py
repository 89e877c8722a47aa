"""Law 1, counted again from the ledger itself: every record has one fate, and what is kept stands in documents and shards.

A finish unit at a time, since its splits' records end in its own files and nowhere else; held are the ids of a unit's records.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors import storage
from curation.audit.finding import Finding, Hit
from curation.audit.row_sums import Codes, RowSums, Words, ids, row_hashes
from curation.audit.single_rows import integers
from curation.audit.story import Ledger
from curation.run.documents import DOC_ID, FATE, ROW
from curation.run.ledger import POSITION, SHARD, TOKENS

FATES = ("kept", "removed", "duplicate", "quarantined")
MOST_HITS = 5  # documents that a finding names

Flags = npt.NDArray[np.bool_]


@dataclass(slots=True)
class Counted:
    """What a unit's ledger says: its documents by source and fate, and sums over those in shards, by shard and by split."""

    findings: list[Finding] = field(default_factory=list)
    fates: dict[str, dict[str, int]] = field(default_factory=dict)
    by_shard: RowSums = field(default_factory=RowSums)  # of id, tokens, position
    by_split: RowSums = field(default_factory=RowSums)  # of id, row

    def merge(self, other: Counted) -> None:
        """Adds another unit's."""
        self.findings += other.findings
        for source, counts in other.fates.items():
            mine = self.fates.setdefault(source, dict.fromkeys(("in", *FATES), 0))
            for name, count in counts.items():
                mine[name] += count
        self.by_shard.merge(other.by_shard)
        self.by_split.merge(other.by_split)


def count_unit(ledger: Ledger, unit: str, splits: list[str]) -> Counted:
    """Holds a unit's records against their fates, and its fates against its documents."""
    counted = Counted()
    records = [table_of(ledger, "records", split, [DOC_ID, ROW]) for split in splits]
    for split, table in zip(splits, records):
        counted.findings += _numbered(ledger, split, integers(table[ROW]))
    of_split = np.repeat(np.arange(len(splits)), [table.num_rows for table in records])
    entered = np.concatenate([ids(table[DOC_ID]) for table in records])
    rows = np.concatenate([integers(table[ROW]) for table in records])
    refined = [table_of(ledger, "refine", split, [DOC_ID, ROW, FATE]) for split in splits]
    finished = table_of(ledger, "finish", unit, [DOC_ID, ROW, FATE, TOKENS, SHARD, POSITION])
    fates = pa.concat_tables([*refined, finished.select([DOC_ID, ROW, FATE])])
    place, distinct = _places(entered, ids(fates[DOC_ID]))
    if distinct < len(entered):
        problem = f"is of {len(entered):,} records, of which {distinct:,} are distinct"
        counted.findings.append(Finding(ledger.folder.ledger("finish", unit), problem))
    counted.findings += _one_fate_each(ledger, unit, rows, of_split, splits, place, fates)
    source = unit.rpartition("/")[0]
    ended: dict[str, int] = {row["values"]: row["counts"] for row in pc.value_counts(fates[FATE]).to_pylist()}
    counted.fates[source] = {"in": len(entered), **{fate: ended.get(fate, 0) for fate in FATES}}
    _sum_up(counted, finished, splits, of_split, place[len(fates) - len(finished) :])
    if ledger.keeps_text:
        counted.findings += _documents(ledger, unit, finished)
    return counted


def table_of(ledger: Ledger, part: str, unit: str, columns: list[str]) -> pa.Table:
    """Columns of a unit's file of a part of the ledger."""
    with storage.open_input(ledger.folder.uri(ledger.folder.ledger(part, unit))) as file:
        return pq.read_table(file, columns=columns, use_threads=False)


def _numbered(ledger: Ledger, split: str, rows: npt.NDArray[np.int64]) -> Iterator[Finding]:
    if not np.array_equal(rows, np.arange(len(rows))):
        yield Finding(ledger.folder.ledger("records", split), "does not number its records from 0 on")


def _places(entered: Words, ended: Words) -> tuple[Codes, int]:
    """For each id that ended its place among those that entered, -1 where it is not there; and how many of these are distinct."""
    both = np.concatenate([entered, ended])
    order = np.lexsort((both[:, 1], both[:, 0]))  # stable: of equal ids those that entered come first
    is_first = np.ones(len(both), np.bool_)
    is_first[1:] = (both[order[1:]] != both[order[:-1]]).any(axis=1)
    first = order[is_first]
    number = np.empty(len(both), np.int64)
    number[order] = np.cumsum(is_first) - 1
    place = np.where(first < len(entered), first, -1)
    return place[number[len(entered) :]], int((first < len(entered)).sum())


def _one_fate_each(
    ledger: Ledger,
    unit: str,
    rows: npt.NDArray[np.int64],
    of_split: Codes,
    splits: list[str],
    place: Codes,
    fates: pa.Table,
) -> Iterator[Finding]:
    where = ledger.folder.ledger("finish", unit)
    unknown = np.flatnonzero(place < 0)
    if len(unknown):
        hits = hits_of(fates.take(pa.array(unknown[:MOST_HITS])), "a fate without a record")
        yield Finding(where, f"and the records disagree: {len(unknown):,} fates have no record", hits)
    known = place[place >= 0]
    count = np.bincount(known, minlength=len(rows))
    for wrong, told in ((count == 0, "no fate"), (count > 1, "several fates")):
        if wrong.any():
            hits = _hits_of_records(ledger, np.flatnonzero(wrong), rows, of_split, splits, told)
            problem = f"and the records disagree: {int(wrong.sum()):,} of {len(rows):,} records have {told}"
            yield Finding(where, problem, hits)
    moved = rows[known] != integers(fates[ROW])[place >= 0]
    if moved.any():
        hits = _hits_of_records(ledger, known[moved], rows, of_split, splits, "another row in its fate")
        yield Finding(where, f"names another row than the records do for {int(moved.sum()):,} documents", hits)


def _hits_of_records(
    ledger: Ledger, places: Codes, rows: npt.NDArray[np.int64], of_split: Codes, splits: list[str], told: str
) -> tuple[Hit, ...]:
    found = [ledger.record(splits[of_split[place]], int(rows[place])) for place in places[:MOST_HITS].tolist()]
    return tuple(Hit(record[DOC_ID].hex(), record["url"], told) for record in found)


def hits_of(table: pa.Table, told: str) -> tuple[Hit, ...]:
    """The documents of a table, by their ids alone."""
    return tuple(Hit(doc_id.hex(), "", told) for doc_id in table[DOC_ID].to_pylist())


def _sum_up(counted: Counted, finished: pa.Table, splits: list[str], of_split: Codes, place: Codes) -> None:
    """Adds the documents that stand in shards."""
    placed: Flags = np.asarray(finished[SHARD].is_valid().to_numpy()) & (place >= 0)
    table = finished.filter(pa.array(placed))
    if not len(table):
        return
    named = table[SHARD].combine_chunks().dictionary_encode()
    of, numbers = ids(table[DOC_ID]), [integers(table[name]) for name in (TOKENS, POSITION, ROW)]
    codes = named.indices.to_numpy().astype(np.int64)
    counted.by_shard.add(named.dictionary.to_pylist(), codes, row_hashes(of, *numbers[:2]))
    counted.by_split.add(splits, of_split[place[placed]], row_hashes(of, numbers[2]))


def _documents(ledger: Ledger, unit: str, finished: pa.Table) -> Iterator[Finding]:
    """The curated texts of a unit are those of the documents that it keeps, in their order."""
    path = ledger.folder.documents(unit)
    kept = finished.filter(pc.equal(finished[FATE], "kept"))
    with storage.open_input(ledger.folder.uri(path)) as file:
        documents = pq.read_table(file, columns=[DOC_ID, ROW, TOKENS], use_threads=False)
    if documents.num_rows != kept.num_rows:
        yield Finding(path, f"has {documents.num_rows:,} documents; the ledger keeps {kept.num_rows:,} of this unit")
        return
    for column in (DOC_ID, ROW, TOKENS):
        if not documents[column].equals(kept[column]):
            yield Finding(path, f"and the ledger's kept documents disagree: `{column}`")


def check_sources(counted: Counted, sources: dict[str, Any]) -> Iterator[Finding]:
    """The counts of the ledger against those of the manifest."""
    for source in sorted(counted.fates.keys() | sources.keys()):
        found = counted.fates.get(source, dict.fromkeys(("in", *FATES), 0))
        ended = sum(found[fate] for fate in FATES)
        if found["in"] != ended:
            yield Finding(f"source {source}", f"does not balance: {found['in']:,} records and {ended:,} fates")
        if found != sources.get(source):
            yield Finding(
                f"source {source}", f"is counted by the ledger as {found}, by the manifest as {sources.get(source)}"
            )
