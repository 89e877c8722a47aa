"""Uncertain pairs measured: the Jaccard similarity of the shingles themselves, of just the documents concerned.

Sketches travel, texts don't: the 1,024 smallest of a text's distinct 32-bit shingle hashes, as the first pass put them down. Up
to so many shingles that is the text's whole set, and the similarity exact; beyond it the estimate is within some 0.015.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors import storage
from curation.dedup.comparing import Near, Task, is_uncertain, packed_pairs, pairs_path
from curation.dedup.distinct import distinct_with_places
from curation.dedup.homes import Home, Numbers, Part, Places
from curation.dedup.key_blobs import numbers_of, ranks_of
from curation.dedup.questions import Exchange
from curation.dedup.removed import NEARER, PLACE, SIMILARITY, read_table, write_table
from curation.dedup.shingles import Shingling, document_shingles
from curation.dedup.signature_files import SKETCH, read_classes, read_rows
from curation.dedup.sketches import SKETCH as SKETCH_HASHES
from curation.dedup.sketches import Sketches, as_binary, sketch_jaccards, sketches
from curation.run.documents import LANG, TEXT
from curation.run.sections import write_sections

BATCH_DOCUMENTS = 256

Sketcher = Callable[[Home, Places, int], pa.Array]  # of each place the sketch of so many hashes, u32 values as binary

SKETCHES = pa.schema([pa.field(SKETCH, pa.large_binary())])

# What the pass over similar pairs reads: rank of the document, rank of the other, similarity.
SIMILAR = np.dtype([("rank", "<u8"), ("nearer", "<u8"), ("similarity", "<f4")])


@dataclass(frozen=True)
class KeptSketches:
    """Sketches as the first pass left them, with SKETCH hashes at most; from the texts where more are wanted, or none were made.

    An index has no texts: what it holds must do.
    """

    shingling: Shingling

    def __call__(self, home: Home, places: Places, size: int) -> pa.Array:
        kept = read_rows(home, SKETCHES, places).column(0)
        if not home.parts[0].texts:
            return pc.fill_null(kept, b"")
        short = np.asarray(self._too_short(kept, size).to_numpy(zero_copy_only=False), np.bool_)
        if not short.any():
            return kept
        made = pa.concat_arrays([pa.array([], pa.large_binary()), *self._of_texts(home, places[short], size)])
        return pc.replace_with_mask(kept, pa.array(short), made)

    @staticmethod
    def _too_short(kept: pa.Array, size: int) -> pa.Array:
        """Which sketches are not there, or cut before the size that is wanted."""
        if size <= SKETCH_HASHES:
            return pc.is_null(kept)
        return pc.fill_null(pc.equal(pc.binary_length(kept), 4 * SKETCH_HASHES), True)

    def _of_texts(self, home: Home, places: Places, size: int) -> Iterator[pa.Array]:
        for part in home.parts:
            first = part.first - home.first
            here = places[np.searchsorted(places, first) : np.searchsorted(places, first + part.documents)] - first
            if len(here):
                for batch in texts_at(part, here):
                    yield as_binary(sketches(document_shingles(batch, self.shingling), size))


def texts_at(part: Part, places: Places) -> Iterator[pa.RecordBatch]:
    """Text and language of some survivors of a split, in order; reads only the row groups that hold them."""
    with storage.open_input(part.texts) as opened:
        file = pq.ParquetFile(opened)
        first = 0
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            if np.searchsorted(places, first) < np.searchsorted(places, first + rows):
                for batch in file.iter_batches(BATCH_DOCUMENTS, row_groups=[group], columns=[TEXT, LANG]):
                    here = places[np.searchsorted(places, first) : np.searchsorted(places, first + len(batch))] - first
                    if len(here):
                        yield batch.take(pa.array(here))
                    first += len(batch)
            else:
                first += rows


@dataclass(frozen=True)
class AnswerWithSketches:
    """A task: answers all questions for sketches of a home's documents."""

    exchange: Exchange
    sketcher: Sketcher
    size: int = SKETCH_HASHES

    def __call__(self, home: Home) -> Task:
        return self.exchange.answer(home, partial(sketches_at, self.sketcher, self.size, home)), {}


def sketches_at(sketcher: Sketcher, size: int, home: Home, places: Places) -> pa.Table:
    """Sketches of some documents of a home."""
    return pa.Table.from_arrays([sketcher(home, places, size)], schema=SKETCHES)


def measure_pairs(
    exchange: Exchange, sketcher: Sketcher, home: Home, mine: Numbers, others: Numbers, size: int, own: int = 0
) -> npt.NDArray[np.float64]:
    """Jaccard similarity of pairs of a home's documents and others, which it asked for sketches of so many hashes.

    own  number of the run's first document: of those before it an index keeps sketches of its own size
    """
    asked, which = distinct_with_places(np.concatenate([mine, others]))
    answers = exchange.hear(home, asked, partial(sketches_at, sketcher, size, home)).column(0).chunks
    one, other = which[: len(mine)], which[len(mine) :]
    ends = np.cumsum([0, *map(len, answers)])
    first_own = int(np.searchsorted(asked, np.uint64(home.first)))
    similarities = np.zeros(len(mine))
    if not len(mine):
        return similarities
    ours = sketches_of(answers[int(np.searchsorted(ends, first_own, side="right")) - 1])
    order = np.argsort(other)  # a home after the other
    cuts = np.searchsorted(other[order], ends)
    for number, column in enumerate(answers):
        pairs = order[cuts[number] : cuts[number + 1]]
        if len(pairs):
            first, second = one[pairs] - first_own, other[pairs] - ends[number]
            kept = asked[ends[number]] < np.uint64(own)
            hashes = min(size, SKETCH_HASHES) if kept else size
            similarities[pairs] = sketch_jaccards(ours, first, second, hashes, sketches_of(column))
    return similarities


def sketches_of(column: pa.Array) -> Sketches:
    """A column of sketches as the arrays of its hashes. No copy."""
    offsets = np.frombuffer(column.buffers()[1], np.int64)[column.offset :][: len(column) + 1] // 4
    return Sketches(np.frombuffer(column.buffers()[2], np.uint32), offsets)


@dataclass(frozen=True)
class Measure:
    """A task: measures the uncertain pairs of a home, and sorts all pairs that are similar by the ranges of rank.

    starts  of the ranges of rank, ascending from 0; the pass over similar pairs takes one after the other
    """

    near: Near
    sketcher: Sketcher
    starts: tuple[int, ...]
    size: int = SKETCH_HASHES

    def __call__(self, home: Home) -> Task:
        near = self.near
        pairs = self._measured(home, read_table(near.run, near.compared(home.number)))
        if near.before:
            pairs = pa.concat_tables([read_table(near.run, pairs_path(near.before, home.number)), pairs])
        pairs = in_order(pairs)
        written = write_table(near.run, near.pairs(home.number), pairs)
        path = f"{near.round.folder}/similar/{home.number}"
        sections = similar_sections(home, pairs.filter(pc.greater_equal(pairs[SIMILARITY], near.target)), self.starts)
        written[path] = write_sections(near.run.uri(path), sections, len(self.starts))
        return written, {"pairs": len(pairs)}

    def _measured(self, home: Home, pairs: pa.Table) -> pa.Table:
        """The pairs of this round, the uncertain ones with their true similarity."""
        similarities = pairs.column(SIMILARITY).to_numpy().copy()
        uncertain = is_uncertain(self.near, similarities)
        others = numbers_of(pairs.column(NEARER).to_numpy()[uncertain])
        mine = pairs.column(PLACE).to_numpy()[uncertain].astype(np.uint64) + np.uint64(home.first)
        similarities[uncertain] = measure_pairs(self.near.sketches, self.sketcher, home, mine, others, self.size)
        columns = [pairs.column(PLACE), pairs.column(NEARER), pa.array(similarities), pa.array(uncertain)]
        return pa.table(dict(zip(pairs.schema.names, columns, strict=True))).cast(pairs.schema)


def in_order(pairs: pa.Table) -> pa.Table:
    """Pairs by place and then by the other's number: those of one round behind those of another, which are so already."""
    packed = packed_pairs(pairs)
    if (packed[1:] >= packed[:-1]).all():
        return pairs
    return pairs.combine_chunks().take(
        pa.array(np.argsort(packed, kind="stable"))
    )  # the sort that merges what is in order


def are_in_order(first: Numbers, second: Numbers) -> bool:
    """Whether pairs of numbers ascend, by the first and then by the second."""
    farther = first[1:] > first[:-1]
    return bool((farther | ((first[1:] == first[:-1]) & (second[1:] >= second[:-1]))).all())


def similar_sections(home: Home, pairs: pa.Table, starts: tuple[int, ...]) -> Iterator[tuple[int, bytes]]:
    """A home's similar pairs by range of rank, those of a document together, the nearest in rank first."""
    places = pairs.column(PLACE).to_numpy()
    ranks = ranks_of(places.astype(np.uint64) + np.uint64(home.first), read_classes(home, places))
    nearer = pairs.column(NEARER).to_numpy()
    rows = np.empty(len(pairs), SIMILAR)
    rows["rank"], rows["nearer"], rows["similarity"] = ranks, nearer, pairs.column(SIMILARITY).to_numpy()
    if not are_in_order(ranks, nearer):  # where classes differ
        order = np.lexsort((nearer, ranks))
        ranks, rows = ranks[order], rows[order]
    cuts = np.searchsorted(ranks, np.array([*starts, 2**64 - 1], np.uint64))
    for number in np.flatnonzero(np.diff(cuts)).tolist():
        yield number, rows[cuts[number] : cuts[number + 1]].tobytes()
