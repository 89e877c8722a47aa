"""How much deduplication takes from each source, language and domain, counted before anything is made of what it leaves.

    survivors (source, lang, url), duplicates ─► counts of a few splits ─► shuffle by domain ─► sources, languages, domains

Only these columns are read, never a text. A domain is the registered one (`example.co.uk`), by the public suffix list in
the `tldextract` package; a host that has none, an address of the internet protocol for one, stands for itself.
"""

from __future__ import annotations

import functools
import io
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xxhash

from connectors import storage
from curation.dedup.duplicates import DUPLICATES, ORDINAL, REASONS
from curation.engines.engine import Engine
from curation.pipeline.units import grouped
from curation.quality.blacklists import host_of
from curation.run.documents import LANG, SOURCE, URL
from curation.run.folder import RunFolder
from curation.run.ledger import REMOVAL_RATES
from curation.run.parquet_output import ParquetOutput
from curation.run.receipt import Receipt, Unbalanced

STAGE = UNIT = "removal_rates"
KINDS = ("source", "language", "domain")
COUNTS = ("documents", *REASONS, "elsewhere")
SHOWN = 200  # domains, worst and largest each, that a partition returns and the ledger lists
DOCUMENTS_PER_TASK = 4_000_000  # at most some 100 bytes each, if every document has a domain of its own
DOCUMENTS_PER_PARTITION = 4_000_000  # the same
ROWS = 65_536  # that wait before they are added up
LONGEST_HOST = 253  # characters, as DNS has it

_DOMAIN = "domain"
_BY = (SOURCE, LANG, _DOMAIN)
_SITE = r"^(?P<site>(?:[^/]*://|//)?[^/?#]*)"  # an address up to its path: all that its host depends on
_COUNTED = pa.schema([*[pa.field(name, pa.string()) for name in _BY], *[pa.field(name, pa.int64()) for name in COUNTS]])


def removal_rates(engine: Engine, run: RunFolder, plan: str, refined: Sequence[Receipt], least: int) -> Receipt:
    """Counts the survivors of the splits and those that `work/duplicates` removes, and writes them into the ledger.

    least    documents that a domain must have to count among the worst

    All sources and languages are listed, and at most `SHOWN` domains of at least `least` documents with the greatest
    shares and `SHOWN` with the most documents. The driver holds no more than those; a partition some 4 million documents'
    domains. Raises `Unbalanced` where a survivor was not counted.
    """
    return run.once(STAGE, UNIT, plan, lambda: count_removals(engine, run, plan, refined, least))


def count_removals(engine: Engine, run: RunFolder, plan: str, refined: Sequence[Receipt], least: int) -> Receipt:
    """The stage itself, and its receipt."""
    started = time.perf_counter()
    survivors = sum(receipt.facts["survivors"] for receipt in refined)
    partitions = 1 + survivors // DOCUMENTS_PER_PARTITION
    tasks = grouped(refined, "survivors", min(DOCUMENTS_PER_TASK, max(100_000, survivors // 64)))
    rates = REMOVAL_RATES.empty_table()
    for blob in engine.shuffle(CountRemovals(run, partitions), tasks, RankDomains(least), partitions):
        both = pa.concat_tables([rates, read_table(blob)])
        rates = pa.concat_tables([_wide(both), ranked(_of_kind(both, _DOMAIN), least)])
    counted = pc.sum(_of_kind(rates, "source")["documents"]).as_py() or 0
    if counted != survivors:
        raise Unbalanced(f"stage {STAGE}: {survivors} survivors, {counted} of them counted")
    path = run.ledger(STAGE, UNIT)
    with ParquetOutput(run.uri(path), REMOVAL_RATES) as output:
        for batch in rates.sort_by([("kind", "ascending"), ("name", "ascending")]).to_batches():
            output.write(batch)
    assert output.written is not None
    return Receipt(
        unit=UNIT,
        plan=plan,
        source="",
        records=survivors,
        bytes=0,
        counts={},
        outputs={path: output.written},
        facts={},
        timing={"wall": time.perf_counter() - started},
    )


@dataclass(frozen=True)
class CountRemovals:
    """The emitting half of the shuffle: a few splits in, their counts by source, language and domain out."""

    run: RunFolder
    partitions: int

    def __call__(self, units: tuple[str, ...]) -> Iterator[tuple[int, bytes]]:
        counted = summed((batch for unit in units for batch in counted_batches(self.run, unit)), _BY)
        names = counted[_DOMAIN].to_pylist()
        place = np.array([xxhash.xxh3_64_intdigest(name) % self.partitions for name in names], np.int64)
        for partition in np.unique(place).tolist():
            yield partition, written_table(counted.filter(pa.array(place == partition)))


@dataclass(frozen=True)
class RankDomains:
    """The reducing half: counts in; the sources and languages of a partition, its worst and its largest domains out."""

    least: int

    def __call__(self, _partition: int, blobs: Sequence[memoryview]) -> bytes:
        counted = summed((read_table(blob) for blob in blobs), _BY)
        sources, languages, domains = (_named(counted, kind, by) for kind, by in zip(KINDS, _BY, strict=True))
        return written_table(pa.concat_tables([sources, languages, ranked(domains, self.least)]))


def counted_batches(run: RunFolder, unit: str) -> Iterator[pa.Table]:
    """A split's survivors, counted batch by batch: by source, language and domain, all of them and those removed."""
    removed = read_removed(run, unit)
    ordinals = removed[ORDINAL].to_numpy()
    first = 0
    with storage.open_input(run.uri(run.survivors(unit))) as file:
        for batch in pq.ParquetFile(file).iter_batches(columns=[SOURCE, LANG, URL]):
            low, high = np.searchsorted(ordinals, [first, first + batch.num_rows])
            here = removed.slice(low, high - low)
            at = ordinals[low:high].astype(np.int64) - first
            flags = {reason: pc.equal(here["reason"], reason) for reason in REASONS} | {"elsewhere": here["elsewhere"]}
            columns = {
                SOURCE: batch.column(SOURCE),
                LANG: pc.fill_null(batch.column(LANG), ""),
                _DOMAIN: domains_of(batch.column(URL)),
                "documents": np.ones(batch.num_rows, np.int64),
            }
            for name, flag in flags.items():
                columns[name] = np.zeros(batch.num_rows, np.int64)
                columns[name][at] = flag.to_numpy()
            yield pa.table(columns, schema=_COUNTED)
            first += batch.num_rows


def read_removed(run: RunFolder, unit: str) -> pa.Table:
    """The duplicates of a split: ordinal, reason, elsewhere. No row where it has no file."""
    columns = [ORDINAL, "reason", "elsewhere"]
    uri = run.uri(run.duplicates(unit))
    if storage.exists(uri):
        return pq.read_table(uri, columns=columns)
    return pa.schema([DUPLICATES.field(name) for name in columns]).empty_table()


def domains_of(urls: pa.Array) -> pa.Array:
    """The registered domain of each address, "" for one without a host."""
    sites = pc.struct_field(pc.extract_regex(urls, _SITE), "site").dictionary_encode()
    names = pa.array([registered_domain(site) for site in sites.dictionary.to_pylist()], pa.string())
    return names.take(sites.indices)


@functools.lru_cache(maxsize=ROWS)
def registered_domain(site: str) -> str:
    """The registered domain of an address, or of its part before the path; else the host, cut to its longest, or ""."""
    host = host_of(site)[:LONGEST_HOST]
    return _suffixes().extract_str(host).top_domain_under_public_suffix or host


@functools.cache
def _suffixes() -> Any:
    from tldextract import TLDExtract

    return TLDExtract(cache_dir=None, suffix_list_urls=())


def summed(parts: Iterable[pa.Table], by: Sequence[str]) -> pa.Table:
    """The counts of tables added up by some of their columns. Holds twice the result and `ROWS` rows more at most."""
    held: list[pa.Table] = []
    waiting = kept = 0
    for part in parts:
        held.append(part)
        waiting += part.num_rows
        if waiting > kept + ROWS:
            held = [_group(held, by)]
            waiting, kept = 0, held[0].num_rows
    return _group(held, by)


def _group(parts: list[pa.Table], by: Sequence[str]) -> pa.Table:
    grouped_rows = pa.concat_tables(parts).group_by(list(by), use_threads=False)
    added = grouped_rows.aggregate([(name, "sum") for name in COUNTS])
    return added.rename_columns([name.removesuffix("_sum") for name in added.column_names])


def _named(counted: pa.Table, kind: str, by: str) -> pa.Table:
    """Counts by one column, in the ledger's form."""
    added = _group([counted], [by])
    kinds = pa.array([kind] * added.num_rows, pa.string())
    return pa.table([kinds, added[by], *[added[name] for name in COUNTS]], schema=REMOVAL_RATES)


def _of_kind(rates: pa.Table, kind: str) -> pa.Table:
    return rates.filter(pc.equal(rates["kind"], kind))


def _wide(rates: pa.Table) -> pa.Table:
    """The sources and languages of several partitions, each once."""
    rows = rates.filter(pc.not_equal(rates["kind"], _DOMAIN))
    return _group([rows], ["kind", "name"]).select(REMOVAL_RATES.names).cast(REMOVAL_RATES)


def ranked(domains: pa.Table, least: int) -> pa.Table:
    """Of domains, the `SHOWN` of at least `least` documents with the greatest shares removed, and the `SHOWN` largest."""
    removed = functools.reduce(pc.add, [domains[reason] for reason in REASONS])
    share = pc.divide(removed.cast(pa.float64()), domains["documents"].cast(pa.float64()))
    large = pc.greater_equal(domains["documents"], least)
    scored = domains.append_column("share", pc.if_else(large, share, -1.0))
    by_size = [("documents", "descending"), ("name", "ascending")]
    chosen = {
        place
        for order in ([("share", "descending"), *by_size], by_size)
        for place in pc.sort_indices(scored, order)[:SHOWN].to_pylist()
    }
    return domains.take(pa.array(sorted(chosen), pa.int64()))


def written_table(table: pa.Table) -> bytes:
    """A table as bytes."""
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return sink.getvalue()


def read_table(content: bytes | memoryview) -> pa.Table:
    """A table from its bytes."""
    return pa.ipc.open_stream(content).read_all()
