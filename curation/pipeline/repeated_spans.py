"""The stage that finds repeated spans: sentences, lines and paragraphs that the survivors share. Text does not travel.

    survivors, duplicates ─► a hash a span (a split) ─► shuffle: its distinct hashes ─► partition: which are repeated
                                                                          ─► work/spans (a split): which spans are cut out

Duplicates are left out: what only they repeat is not repeated. A span costs 8 bytes in `work` and at most 10 in the shuffle;
at 1e10 spans two different ones share a hash about three times. The finish pass makes the cuts, see `curation/dedup/cut_spans.py`.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xxhash

from connectors import storage
from connectors.storage import Written
from curation.dedup.cut_spans import CUTS
from curation.dedup.duplicates import ORDINAL
from curation.dedup.repeated_spans import (
    Cuts,
    Told,
    chosen,
    decide,
    distinct,
    in_partitions,
    pack_cuts,
    pack_told,
    unpack_cuts,
    unpack_told,
)
from curation.dedup.spans import Hashes, SpanRule, UInt64s, find_units, hash_spans
from curation.engines.engine import Engine
from curation.pipeline.removal_rates import domains_of
from curation.pipeline.survivors import read_survivors
from curation.run.documents import ROW, TEXT, URL
from curation.run.folder import RunFolder
from curation.run.parquet_output import ParquetOutput
from curation.run.receipt import Receipt, Unbalanced
from curation.run.sections import read_from_all, write_sections
from curation.text.columns import text_batch

HASHING, DECIDING = "spans", "repeated"  # stages, as their receipts are named
UNIT = "cuts"
SPANS_PER_TASK = 4_000_000  # of the splits that tell of theirs in one task, or one split's; some 60 bytes each
SPANS_PER_PARTITION = 4_000_000  # some 60 bytes each

_DECIDED = struct.Struct("<IQ")  # partition, cuts


def hash_columns(rules: Sequence[SpanRule]) -> pa.Schema:
    """The file of a split's hashes: a row a survivor that is no duplicate, a column a rule, 8 bytes a span."""
    columns = [pa.field(str(number), pa.binary(), nullable=False) for number in range(len(rules))]
    return pa.schema([pa.field(ROW, pa.uint32(), nullable=False), *columns])


def find_repeated(
    engine: Engine, run: RunFolder, plan: str, rules: Sequence[SpanRule], refined: Sequence[Receipt]
) -> Receipt:
    """Finds the spans to cut out of the survivors of the splits, given their receipts in the order of the plan.

    Needs `work/duplicates`. Driver memory: some bytes a split. A worker holds the hashes of one split, of the splits of one
    task, or of one partition. The result depends neither on their number nor on how the engine runs them.
    """
    task = HashSpans(run, plan, tuple(rules))
    hashed = dict(engine.map(task, [receipt.unit for receipt in refined]))
    receipts = [hashed[number] for number in range(len(refined))]
    return run.once(DECIDING, UNIT, plan, lambda: decide_all(engine, run, plan, tuple(rules), receipts))


@dataclass(frozen=True)
class HashSpans:
    """Split in, receipt out: the hashes of its documents' spans by each rule, in `work/span_hashes`."""

    run: RunFolder
    plan: str
    rules: tuple[SpanRule, ...]

    def __call__(self, unit: str) -> Receipt:
        return self.run.once(HASHING, unit, self.plan, lambda: self._work(unit))

    def _work(self, unit: str) -> Receipt:
        started, spans, text_bytes = time.perf_counter(), 0, 0
        path = self.run.span_hashes(unit)
        with ParquetOutput(self.run.uri(path), hash_columns(self.rules)) as output:
            for batch in read_unique(self.run, unit):
                rows = self._hashes(batch)
                output.write(rows)
                spans += sum(int(pc.sum(pc.binary_length(column)).as_py()) // 8 for column in rows.columns[1:])
                text_bytes += int(pc.sum(pc.binary_length(batch.column(TEXT))).as_py())
        assert output.written is not None
        return Receipt(
            unit=unit,
            plan=self.plan,
            source="",
            records=output.rows,
            bytes=text_bytes,
            counts={},
            outputs={path: output.written},
            facts={"spans": spans},
            timing={"wall": time.perf_counter() - started},
        )

    def _hashes(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The rows of a batch of documents."""
        texts = text_batch(batch.column(TEXT))
        units = {unit: find_units(texts, unit) for unit in dict.fromkeys(rule.unit for rule in self.rules)}
        columns = [batch.column(ROW)]
        for rule in self.rules:
            hashes, offsets = hash_spans(texts, units[rule.unit], rule)
            if rule.within == "domain":
                hashes = of_sites(hashes, np.repeat(site_hashes(batch.column(URL)), np.diff(offsets)))
            bounds = pa.py_buffer((8 * offsets).astype(np.int32))
            packed = pa.py_buffer(np.ascontiguousarray(hashes, "<u8"))
            columns.append(pa.Array.from_buffers(pa.binary(), len(texts), [None, bounds, packed]))
        return pa.RecordBatch.from_arrays(columns, schema=hash_columns(self.rules))


def read_unique(run: RunFolder, unit: str) -> Iterator[pa.RecordBatch]:
    """A split's survivors without the duplicates, in batches."""
    uri = run.uri(run.duplicates(unit))
    listed = pq.read_table(uri, columns=[ORDINAL])[ORDINAL].to_numpy() if storage.exists(uri) else np.zeros(0)
    for first, batch in read_survivors(run, unit):
        stays = ~np.isin(np.arange(first, first + batch.num_rows), listed)
        batch = batch.filter(pa.array(stays))
        if batch.num_rows:
            yield batch


def site_hashes(urls: pa.Array) -> UInt64s:
    """A hash of the registered domain of each URL, 0 where there is no host."""
    sites = domains_of(urls).dictionary_encode()
    hashes = [xxhash.xxh64_intdigest(site) if site else 0 for site in sites.dictionary.to_pylist()]
    each: UInt64s = np.array(hashes, np.uint64)[sites.indices.to_numpy()]
    return each


def of_sites(hashes: UInt64s, sites: UInt64s) -> UInt64s:
    """Hashes of spans that count on one site only; none where there is no site."""
    mixed: UInt64s = np.maximum(hashes ^ sites, np.uint64(1))
    mixed[(hashes == 0) | (sites == 0)] = 0
    return mixed


def decide_all(
    engine: Engine, run: RunFolder, plan: str, rules: tuple[SpanRule, ...], hashed: Sequence[Receipt]
) -> Receipt:
    """The shuffle of the hashes and what comes of it. Raises `Unbalanced` where a task or partition was not heard of."""
    started = time.perf_counter()
    spans = sum(receipt.facts["spans"] for receipt in hashed)
    partitions = 1 + spans // SPANS_PER_PARTITION
    groups = grouped(hashed)
    storage.remove_tree(run.uri(run.span_decisions))
    decider = DecideCuts(run, rules, len(groups), len(hashed))
    decided = list(engine.shuffle(TellSpans(run, rules, partitions), groups, decider, partitions))
    if groups and sorted(_DECIDED.unpack(said)[0] for said in decided) != list(range(partitions)):
        raise Unbalanced(f"repeated spans: {len(decided)} of {partitions} partitions were decided")
    chooser = ChooseCuts(run, rules, partitions)
    outputs: dict[str, Written] = {}
    cuts = 0
    for _, (path, written, count) in sorted(engine.map(chooser, [(n, r.unit) for n, r in enumerate(hashed)])):
        outputs[path] = written
        cuts += count
    storage.remove_tree(run.uri(run.span_decisions))
    return Receipt(
        unit=UNIT,
        plan=plan,
        source="",
        records=sum(receipt.records for receipt in hashed),
        bytes=0,
        counts={},
        outputs=outputs,
        facts={"spans": spans, "cuts": cuts},
        timing={"wall": time.perf_counter() - started},
    )


def grouped(hashed: Sequence[Receipt]) -> list[tuple[int, int, tuple[str, ...]]]:
    """The splits in tasks of about `SPANS_PER_TASK` spans: (number of the task, of its first split, its splits)."""
    groups: list[tuple[int, int, tuple[str, ...]]] = []
    first = spans = 0
    for number, receipt in enumerate(hashed):
        spans += receipt.facts["spans"]
        if spans >= SPANS_PER_TASK or number + 1 == len(hashed):
            groups.append((len(groups), first, tuple(r.unit for r in hashed[first : number + 1])))
            first, spans = number + 1, 0
    return groups


def read_hashes(run: RunFolder, unit: str, rule: int) -> tuple[pa.ChunkedArray, Hashes]:
    """A split's rows and the hashes of its spans by one rule."""
    table = pq.read_table(run.uri(run.span_hashes(unit)), columns=[ROW, str(rule)])
    parts, lengths = [np.zeros(0, np.uint64)], [np.zeros(1, np.int64)]
    for chunk in table[str(rule)].chunks:
        _, offsets, packed = chunk.buffers()
        bounds = np.frombuffer(offsets, "<i4")[chunk.offset : chunk.offset + len(chunk) + 1] // 8
        parts.append(np.frombuffer(packed if packed is not None else b"", "<u8")[bounds[0] : bounds[-1]])
        lengths.append(np.diff(bounds).astype(np.int64))
    return table[ROW], Hashes(np.concatenate(parts), np.cumsum(np.concatenate(lengths)))


@dataclass(frozen=True)
class TellSpans:
    """The emitting half of the shuffle: some splits' hash files in, a blob for each partition out, empty ones too."""

    run: RunFolder
    rules: tuple[SpanRule, ...]
    partitions: int

    def __call__(self, group: tuple[int, int, tuple[str, ...]]) -> Iterator[tuple[int, bytes]]:
        number, first, units = group
        told = [
            (split, rule, distinct(read_hashes(self.run, unit, rule)[1], self.rules[rule]))
            for split, unit in enumerate(units, first)
            for rule in range(len(self.rules))
        ]
        cuts = [in_partitions(hashes, self.partitions) for _, _, (hashes, _) in told]
        for partition in range(self.partitions):
            here = [slice(cut[partition], cut[partition + 1]) for cut in cuts]
            parts = [(s, r, Told(t.hashes[h], t.weights[h])) for (s, r, t), h in zip(told, here, strict=True)]
            yield partition, pack_told(number, parts)


@dataclass(frozen=True)
class DecideCuts:
    """The reducing half: all blobs of a partition in; out, a file of what it means to each split, and what was decided."""

    run: RunFolder
    rules: tuple[SpanRule, ...]
    groups: int
    splits: int

    def __call__(self, partition: int, blobs: Sequence[memoryview]) -> bytes:
        heard, told = zip(*map(unpack_told, blobs), strict=True)
        if sorted(heard) != list(range(self.groups)):
            raise Unbalanced(f"repeated spans: partition {partition} heard from {len(heard)} tasks of {self.groups}")
        in_order = sorted((part for parts in told for part in parts), key=lambda part: part[:2])
        none = Cuts(np.zeros(0, np.uint64), np.zeros(0, np.uint64))
        by_split: dict[int, list[Cuts]] = {}
        for number, rule in enumerate(self.rules):
            for split, cuts in decide([(split, t) for split, r, t in in_order if r == number], rule):
                by_split.setdefault(split, [none] * len(self.rules))[number] = cuts
        sections = ((split, pack_cuts(by_split[split])) for split in sorted(by_split))
        write_sections(self.run.uri(f"{self.run.span_decisions}/{partition}.sections"), sections, self.splits)
        return _DECIDED.pack(partition, sum(len(c.all) + len(c.but_first) for cuts in by_split.values() for c in cuts))


@dataclass(frozen=True)
class ChooseCuts:
    """What a split makes of the partitions' decisions: (number, split) in; path, size and hash of the file, and cuts out."""

    run: RunFolder
    rules: tuple[SpanRule, ...]
    partitions: int

    def __call__(self, item: tuple[int, str]) -> tuple[str, Written, int]:
        split, unit = item
        files = [self.run.uri(f"{self.run.span_decisions}/{number}.sections") for number in range(self.partitions)]
        decided = [unpack_cuts(section, len(self.rules)) for section in read_from_all(files, split)]
        tables = [self._cuts(unit, rule, [cuts[rule] for cuts in decided]) for rule in range(len(self.rules))]
        table = pa.concat_tables(tables).sort_by([(name, "ascending") for name in CUTS.names]).combine_chunks()
        path = self.run.spans(unit)
        with ParquetOutput(self.run.uri(path), CUTS) as output:
            for batch in table.to_batches():
                output.write(batch)
        assert output.written is not None
        return path, output.written, table.num_rows

    def _cuts(self, unit: str, rule: int, decided: list[Cuts]) -> pa.Table:
        """The spans that one rule cuts out of a split. Partitions are ranges in order, so what they decide ascends."""
        rows, spans = read_hashes(self.run, unit, rule)
        cuts = Cuts(*(np.concatenate(parts) for parts in zip(*decided, strict=True)))
        places = np.flatnonzero(chosen(spans.hashes, cuts))
        documents = np.searchsorted(spans.offsets, places, side="right") - 1
        columns = [
            rows.take(pa.array(documents)).combine_chunks(),
            pa.array(np.full(len(places), rule), pa.uint8()),
            pa.array(places - spans.offsets[documents], pa.uint32()),
        ]
        return pa.table(columns, schema=CUTS)


def read_cuts(run: RunFolder, unit: str) -> pa.Table:
    """The spans to cut out of a split: what the finish pass gives to its step."""
    return pq.read_table(run.uri(run.spans(unit)), schema=CUTS).combine_chunks()
