"""Uncertain pairs measured: the Jaccard similarity of the shingles themselves, from the texts of just the documents concerned.

Sketches travel, texts don't: the 1,024 smallest of a text's distinct 32-bit shingle hashes, made anew where the text lies. Up
to so many shingles that is the text's whole set, and the similarity exact; beyond it the estimate is within some 0.015.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors import storage
from curation.dedup.comparing import Near, Task, is_uncertain, pairs_path
from curation.dedup.distinct import distinct_with_places
from curation.dedup.homes import Home, Numbers, Part, Places
from curation.dedup.key_blobs import numbers_of, ranks_of
from curation.dedup.questions import Exchange
from curation.dedup.removed import NEARER, PLACE, SIMILARITY, read_table, write_table
from curation.dedup.shingles import Shingling, document_shingles
from curation.dedup.signature_files import POLICY, SKETCH, read_column
from curation.dedup.sketches import SKETCH as SKETCH_HASHES
from curation.dedup.sketches import Sketches, sketch_jaccards, sketches
from curation.run.documents import LANG, TEXT
from curation.run.sections import write_sections

BATCH_DOCUMENTS = 256

Sketcher = Callable[[Home, Places, int], pa.Array]  # of each place the sketch of so many hashes, u32 values as binary

# What the pass over similar pairs reads: rank of the document, rank of the other, similarity.
SIMILAR = np.dtype([("rank", "<u8"), ("nearer", "<u8"), ("similarity", "<f4")])


@dataclass(frozen=True)
class TextSketches:
    """Sketches of documents by their texts; those of an index are kept there, with SKETCH hashes."""

    shingling: Shingling

    def __call__(self, home: Home, places: Places, size: int) -> pa.Array:
        parts = [pa.array([], pa.large_binary())]
        for part in home.parts:
            first = part.first - home.first
            here = places[np.searchsorted(places, first) : np.searchsorted(places, first + part.documents)] - first
            if len(here):
                parts += self._of_texts(part, here, size) if part.texts else [sketches_kept(part, here)]
        return pa.concat_arrays(parts)

    def _of_texts(self, part: Part, places: Places, size: int) -> Iterator[pa.Array]:
        for batch in texts_at(part, places):
            found = sketches(document_shingles(batch, self.shingling), size)
            yield as_binary(found)


def sketches_kept(part: Part, places: Places) -> pa.Array:
    """Sketches that an index holds."""
    column = read_column(Home(0, (part,)), SKETCH)
    return column.take(pa.array(places)).cast(pa.large_binary())


def as_binary(found: Sketches) -> pa.Array:
    """Sketches as an Arrow column of binaries. No copy."""
    offsets = pa.py_buffer(np.ascontiguousarray(found.offsets * 4))
    values = pa.py_buffer(np.ascontiguousarray(found.values))
    return pa.Array.from_buffers(pa.large_binary(), len(found.offsets) - 1, [None, offsets, values])


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
        def look_up(places: Places) -> pa.Table:
            return pa.Table.from_arrays([self.sketcher(home, places, self.size)], schema=self.exchange.schema)

        return self.exchange.answer(home, look_up), {}


def measure_pairs(
    exchange: Exchange, home: Home, first: Numbers, second: Numbers, size: int, own: int = 0
) -> npt.NDArray[np.float64]:
    """Jaccard similarity of pairs of documents whose sketches the home asked for, with so many hashes.

    own  number of the run's first document: of those before it an index keeps sketches of its own size
    """
    asked, which = distinct_with_places(np.concatenate([first, second]))
    answers = exchange.hear(home)
    if len(answers) != len(asked):
        raise RuntimeError(f"home {home.number} asked for {len(asked)} sketches and heard {len(answers)}")
    if not len(asked):
        return np.zeros(0)
    column = answers.column(0).chunk(0)
    offsets = np.frombuffer(column.buffers()[1], np.int64)[column.offset :][: len(column) + 1] // 4
    heard = Sketches(np.frombuffer(column.buffers()[2], np.uint32), offsets)
    one, other = which[: len(first)], which[len(first) :]
    similarities = sketch_jaccards(heard, one, other, size)
    kept = np.minimum(first, second) < np.uint64(own)
    similarities[kept] = sketch_jaccards(heard, one[kept], other[kept], min(size, SKETCH_HASHES))
    return similarities


@dataclass(frozen=True)
class Measure:
    """A task: measures the uncertain pairs of a home, and sorts all pairs that are similar by the ranges of rank.

    starts  of the ranges of rank, ascending from 0; the pass over similar pairs takes one after the other
    """

    near: Near
    starts: tuple[int, ...]
    size: int = SKETCH_HASHES

    def __call__(self, home: Home) -> Task:
        near = self.near
        pairs = self._measured(home, read_table(near.run, near.compared(home.number)))
        if near.before:
            pairs = pa.concat_tables([read_table(near.run, pairs_path(near.before, home.number)), pairs])
        pairs = pairs.sort_by([(PLACE, "ascending"), (NEARER, "ascending")])
        written = write_table(near.run, near.pairs(home.number), pairs)
        path = f"{near.round.folder}/similar/{home.number}"
        sections = similar_sections(home, pairs.filter(pc.greater_equal(pairs[SIMILARITY], near.target)), self.starts)
        written[path] = write_sections(near.run.uri(path), sections, len(self.starts))
        return written, {"pairs": len(pairs)}

    def _measured(self, home: Home, pairs: pa.Table) -> pa.Table:
        """The pairs of this round, the uncertain ones with their true similarity."""
        similarities = pairs.column(SIMILARITY).to_numpy().copy()
        uncertain = is_uncertain(self.near, similarities)
        first = numbers_of(pairs.column(NEARER).to_numpy()[uncertain])
        second = pairs.column(PLACE).to_numpy()[uncertain].astype(np.uint64) + np.uint64(home.first)
        similarities[uncertain] = measure_pairs(self.near.sketches, home, first, second, self.size)
        columns = [pairs.column(PLACE), pairs.column(NEARER), pa.array(similarities), pa.array(uncertain)]
        return pa.table(dict(zip(pairs.schema.names, columns, strict=True))).cast(pairs.schema)


def similar_sections(home: Home, pairs: pa.Table, starts: tuple[int, ...]) -> Iterator[tuple[int, bytes]]:
    """A home's similar pairs by range of rank, those of a document together, the nearest in rank first."""
    places = pairs.column(PLACE).to_numpy()
    numbers = places.astype(np.uint64) + np.uint64(home.first)
    rows = np.empty(len(pairs), SIMILAR)
    rows["rank"] = ranks_of(numbers, read_column(home, POLICY).to_numpy()[places])
    rows["nearer"] = pairs.column(NEARER).to_numpy()
    rows["similarity"] = pairs.column(SIMILARITY).to_numpy()
    rows = rows[np.argsort(rows["rank"], kind="stable")]
    cuts = np.searchsorted(rows["rank"], np.array([*starts, 2**64 - 1], np.uint64))
    for number in np.flatnonzero(np.diff(cuts)).tolist():
        yield number, rows[cuts[number] : cuts[number + 1]].tobytes()
