"""Pairs measured: the Jaccard similarity of the shingles themselves, of just the documents concerned.

Neither texts nor sketches travel: who measures looks into the files where the first pass put down the 1,024 smallest of a text's
distinct 32-bit shingle hashes. Up to so many shingles that is the text's whole set, and the similarity exact; beyond it the
estimate is within some 0.015.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors import storage
from curation.dedup.distinct import distinct_with_places
from curation.dedup.homes import Home, Numbers, Part, Places
from curation.dedup.shingles import Shingling, document_shingles
from curation.dedup.signature_files import SKETCH, read_rows
from curation.dedup.sketches import SKETCH as SKETCH_HASHES
from curation.dedup.sketches import Sketches, as_binary, sketch_jaccards, sketches
from curation.run.documents import LANG, TEXT

BATCH_DOCUMENTS = 256
PAIRS_AT_ONCE = 1 << 16  # of which a document's sketch may have 4 kB

Sketcher = Callable[[Home, Places, int], pa.Array]  # of each place the sketch of so many hashes, u32 values as binary

SKETCHES = pa.schema([pa.field(SKETCH, pa.large_binary())])


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


def measure_pairs(
    sketcher: Sketcher, homes: Sequence[Home], home: Home, mine: Numbers, others: Numbers, size: int
) -> npt.NDArray[np.float64]:
    """Jaccard similarity of pairs of a home's documents, which ascend, and others, by sketches of so many hashes.

    An index keeps sketches of its own size. Memory: the sketches of PAIRS_AT_ONCE documents, and of as many that they are
    compared with, at most.
    """
    similarities = np.zeros(len(mine))
    for start in range(0, len(mine), PAIRS_AT_ONCE):
        here = slice(start, start + PAIRS_AT_ONCE)
        similarities[here] = measure_some(sketcher, homes, home, mine[here], others[here], size)
    return similarities


def measure_some(
    sketcher: Sketcher, homes: Sequence[Home], home: Home, mine: Numbers, others: Numbers, size: int
) -> npt.NDArray[np.float64]:
    """`measure_pairs`, of what memory holds at once: the others home after home, each looked up once."""
    similarities = np.zeros(len(mine))
    ours, first = looked_up(sketcher, home, mine, size)
    order = np.argsort(others)
    cuts = np.searchsorted(others[order], np.array([*(each.first for each in homes), homes[-1].stop], np.uint64))
    for number in np.flatnonzero(np.diff(cuts)).tolist():
        pairs = order[cuts[number] : cuts[number + 1]]
        theirs, second = looked_up(sketcher, homes[number], others[pairs], size)
        hashes = size if homes[number].parts[0].texts else min(size, SKETCH_HASHES)
        similarities[pairs] = sketch_jaccards(ours, first[pairs], second, hashes, theirs)
    return similarities


def looked_up(sketcher: Sketcher, home: Home, numbers: Numbers, size: int) -> tuple[Sketches, Places]:
    """The sketches of some of a home's documents, and which of them is each one's."""
    once, which = distinct_with_places(numbers)
    column = sketcher(home, (once - np.uint64(home.first)).astype(np.int64), size)
    return sketches_of(column), which


def sketches_of(column: pa.Array) -> Sketches:
    """A column of sketches as the arrays of its hashes. No copy."""
    offsets = np.frombuffer(column.buffers()[1], np.int64)[column.offset :][: len(column) + 1] // 4
    return Sketches(np.frombuffer(column.buffers()[2], np.uint32), offsets)
