"""What stands for each document that is out: always one that is kept.

A page is out for another of the same text or address, and that one may be out itself, for a page that is similar to it. The
homes ask each other until all know the document that stays; then they ask for its name, and measure a sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from connectors.storage import Written
from curation.dedup.candidates import removed_path
from curation.dedup.comparing import Task
from curation.dedup.distinct import distinct, distinct_with_places
from curation.dedup.duplicates import DUPLICATES, NEAR, ORDINAL, PLAIN, URL
from curation.dedup.homes import Home, Neighbourhood, Numbers, Places
from curation.dedup.measuring import Sketcher, measure_pairs
from curation.dedup.questions import Exchange
from curation.dedup.removed import NEARER, PLACE, REMOVED, SIMILARITY, places_of, read_table, write_table
from curation.dedup.signature_files import binary, read_rows, read_values
from curation.run.documents import DOC_ID
from curation.run.documents import URL as ADDRESS
from curation.run.folder import RunFolder
from curation.run.parquet_output import ParquetOutput

REASON = "reason"
STATE = REMOVED.append(pa.field(REASON, pa.string(), nullable=False))
POINTERS = pa.schema([pa.field(NEARER, pa.uint64()), pa.field(SIMILARITY, pa.float32())])
NAMES = pa.schema([pa.field(DOC_ID, pa.binary(16)), pa.field(ADDRESS, pa.string())])  # the address: of an index only


@dataclass(frozen=True)
class Naming:
    """How removals get their representatives.

    rounds   folder and reason of each round that removed documents, in the order of the rounds
    hops     how often to ask on: a document of the last round is out for one that stays
    sampled  share of the near duplicates whose true similarity is measured
    size     hashes of a sample's sketches; texts with fewer distinct shingles are measured exactly
    """

    run: RunFolder
    folder: str
    neighbourhood: Neighbourhood
    rounds: tuple[tuple[str, str], ...]
    hops: int
    sampled: float
    sketcher: Sketcher | None
    size: int

    def state(self, hop: int, home: int) -> str:
        """A home's removals with whom they are out for, after so many hops."""
        return f"{self.folder}/{hop}/{home}.arrow"

    def pointers(self, hop: int) -> Exchange:
        """Where homes ask what a document is out for itself."""
        return Exchange(self.run, f"{self.folder}/{hop}/pointers", POINTERS, self.neighbourhood)

    @property
    def names(self) -> Exchange:
        """Where homes ask for the ids of those that stay."""
        return Exchange(self.run, f"{self.folder}/names", NAMES, self.neighbourhood)


@dataclass(frozen=True)
class AskOn:
    """A task: takes up what was heard at the hop before and asks on; at the last hop for names."""

    naming: Naming
    hop: int

    def __call__(self, home: Home) -> Task:
        naming, hop = self.naming, self.hop
        state = gather(naming, home) if hop == 0 else follow(naming, hop - 1, home)
        written = write_table(naming.run, naming.state(hop, home.number), state)
        if hop < naming.hops:
            asking = state.filter(pc.not_equal(state[REASON], NEAR))
            return written | naming.pointers(hop).ask(home, unique(asking)), {}
        return written | naming.names.ask(home, unique(state)), {}


def unique(state: pa.Table) -> Numbers:
    """The numbers of those that documents are out for, ascending, each once."""
    return distinct(state.column(NEARER).to_numpy())


def gather(naming: Naming, home: Home) -> pa.Table:
    """A home's removals of all rounds, by place."""
    tables = [STATE.empty_table()]
    for folder, reason in naming.rounds:
        removed = read_table(naming.run, removed_path(folder, home.number))
        reasons = pa.array([reason], pa.string()).take(pa.array(np.zeros(len(removed), np.int64)))
        tables.append(removed.append_column(STATE.field(REASON), reasons))
    return pa.concat_tables(tables).sort_by(PLACE)


def follow(naming: Naming, hop: int, home: Home) -> pa.Table:
    """The removals, those of a document that is out itself passed on to what that one is out for."""
    state = read_table(naming.run, naming.state(hop, home.number))
    asking = np.asarray(pc.not_equal(state[REASON], NEAR).to_numpy(), np.bool_)
    numbers = state.column(NEARER).to_numpy().copy()
    asked, which = distinct_with_places(numbers[asking])
    answers = naming.pointers(hop).hear(home, asked, partial(pointers_at, naming, hop, home))
    heard = answers.take(pa.array(which))
    moved = heard.column(NEARER).to_numpy() != numbers[asking]
    numbers[asking] = heard.column(NEARER).to_numpy()
    similarities = state.column(SIMILARITY).to_numpy(zero_copy_only=False).copy()
    own = similarities[asking]
    own[moved] = heard.column(SIMILARITY).to_numpy(zero_copy_only=False)[moved]
    similarities[asking] = own
    similarities[np.asarray(pc.equal(state[REASON], URL).to_numpy(), np.bool_)] = np.nan  # another text, same address
    columns = [
        state.column(PLACE),
        pa.array(numbers),
        pa.array(similarities, pa.float32(), from_pandas=True),
        state.column(REASON),
    ]
    return pa.table(columns, STATE)


@dataclass(frozen=True)
class Answer:
    """A task: answers what a hop asks of a home."""

    naming: Naming
    hop: int

    def __call__(self, home: Home) -> Task:
        naming, hop = self.naming, self.hop
        if hop < naming.hops:
            return naming.pointers(hop).answer(home, partial(pointers_at, naming, hop, home)), {}
        return naming.names.answer(home, partial(names_at, home)), {}


def pointers_at(naming: Naming, hop: int, home: Home, places: Places) -> pa.Table:
    """What each document is out for, or its own number where it is not out."""
    state = read_table(naming.run, naming.state(hop, home.number))
    numbers = places.astype(np.uint64) + np.uint64(home.first)
    similarities = np.full(len(places), np.nan, np.float32)
    if len(state):
        out = places_of(state)
        found = np.minimum(np.searchsorted(out, places), len(out) - 1)
        hit = out[found] == places
        numbers[hit] = state.column(NEARER).to_numpy()[found[hit]]
        similarities[hit] = state.column(SIMILARITY).to_numpy(zero_copy_only=False)[found[hit]]
    return pa.Table.from_arrays([pa.array(numbers), pa.array(similarities, from_pandas=True)], schema=POINTERS)


def names_at(home: Home, places: Places) -> pa.RecordBatch:
    """Ids of some documents of a home; the URLs too where it is an index's, which no ledger here has."""
    if not home.parts[0].texts:
        return read_rows(home, NAMES, places)
    ids = binary(read_values(home, DOC_ID, places), pa.binary(16))
    return pa.RecordBatch.from_arrays([ids, pa.nulls(len(places), pa.string())], schema=NAMES)


def sampled_rows(naming: Naming, home: Home, state: pa.Table) -> npt.NDArray[np.int64]:
    """Which near duplicates are in the sample: by a hash of the document's number, so the same in every run.

    Of what an index holds there is a sketch to measure, no text.
    """
    near = np.flatnonzero(np.asarray(pc.equal(state[REASON], NEAR).to_numpy(), np.bool_))
    numbers = places_of(state)[near].astype(np.uint64) + np.uint64(home.first)
    return near[scattered(numbers) < naming.sampled * 2.0**64]


def scattered(numbers: Numbers) -> Numbers:
    """A hash of each number. Source: Steele, Lea and Flood 2014, SplitMix64."""
    mixed = (numbers + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


@dataclass(frozen=True)
class WriteDuplicates:
    """A task: hears the names, measures the sample, and writes a file for each split of a home that has duplicates."""

    naming: Naming
    homes: tuple[Home, ...]

    def __call__(self, home: Home) -> Task:
        naming = self.naming
        state = read_table(naming.run, naming.state(naming.hops, home.number))
        asked, which = distinct_with_places(state.column(NEARER).to_numpy())
        names = naming.names.hear(home, asked, partial(names_at, home))
        jaccard = np.full(len(state), np.nan, np.float32)
        if naming.sketcher is not None:
            rows = sampled_rows(naming, home, state)
            mine = places_of(state)[rows].astype(np.uint64) + np.uint64(home.first)
            others = state.column(NEARER).to_numpy()[rows]
            jaccard[rows] = measure_pairs(naming.sketcher, self.homes, home, mine, others, naming.size)
        elsewhere = state.column(NEARER).to_numpy() < np.uint64(naming.neighbourhood.own)
        columns = [
            state.column(PLACE),
            state.column(REASON),
            names.column(DOC_ID).take(pa.array(which)),
            state.column(SIMILARITY),
            pa.array(jaccard, from_pandas=True),
            pa.array(elsewhere),
            names.column(ADDRESS).take(pa.array(which)),
        ]
        return write_by_split(naming.run, home, pa.table(columns, DUPLICATES)), {"duplicates": len(state)}


def write_by_split(run: RunFolder, home: Home, duplicates: pa.Table) -> dict[str, Written]:
    """One file for each split that has duplicates; ordinals count within the split."""
    written: dict[str, Written] = {}
    places = duplicates.column(ORDINAL).to_numpy()
    for part in home.parts:
        first = part.first - home.first
        start, stop = np.searchsorted(places, [first, first + part.documents])
        if start == stop:
            continue
        ordinals = pa.array(places[start:stop] - np.uint32(first), pa.uint32())
        table = duplicates.slice(start, stop - start).set_column(0, DUPLICATES.field(ORDINAL), ordinals)
        path = run.duplicates(part.unit)
        with ParquetOutput(run.uri(path), DUPLICATES, PLAIN) as output:
            for batch in table.to_batches():
                output.write(batch)
        assert output.written is not None
        written[path] = output.written
    return written
