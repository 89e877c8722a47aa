"""Which of a home's candidates are similar: by their signatures, and where those leave it uncertain by the shingles themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.dedup.comparing import PAIRS, Near, Task, compare
from curation.dedup.distinct import order_of
from curation.dedup.homes import Home
from curation.dedup.key_blobs import ranks_of
from curation.dedup.measuring import Sketcher, measure_pairs
from curation.dedup.removed import NEARER, PLACE, SIMILARITY, write_table
from curation.dedup.signature_files import read_classes
from curation.dedup.sketches import SKETCH
from curation.run.sections import write_sections

# What the pass over similar pairs reads: rank of the document, rank of the other, similarity.
SIMILAR = np.dtype([("rank", "<u8"), ("nearer", "<u8"), ("similarity", "<f4")])


@dataclass(frozen=True)
class FindSimilar:
    """A task: hears the signatures that a home asked for, compares its candidates, measures those that are near the target, and
    sorts the pairs that are similar by the ranges of rank.

    homes   all of them
    starts  of the ranges of rank, ascending from 0; the pass over similar pairs takes one after the other
    """

    near: Near
    sketcher: Sketcher
    homes: tuple[Home, ...]
    starts: tuple[int, ...]
    size: int = SKETCH

    def __call__(self, home: Home) -> Task:
        near = self.near
        pairs, uncertain = self._compared(home)
        similar = pairs.filter(pc.greater_equal(pairs[SIMILARITY], near.target))
        written = write_table(near.run, near.pairs(home.number), pairs)
        path = similar_path(near.round.folder, home.number)
        sections = similar_sections(home, similar, self.starts)
        written[path] = write_sections(near.run.uri(path), sections, len(self.starts))
        return written, {"measured": uncertain, "similar": len(similar)}

    def _compared(self, home: Home) -> tuple[pa.Table, int]:
        """The pairs of this round, the uncertain ones with their true similarity, and how many those are."""
        places, numbers, ranks, similarities = compare(self.near, home)
        uncertain = is_uncertain(self.near, similarities)
        mine = places[uncertain].astype(np.uint64) + np.uint64(home.first)
        similarities[uncertain] = measure_pairs(self.sketcher, self.homes, home, mine, numbers[uncertain], self.size)
        columns = [pa.array(places, pa.uint32()), pa.array(ranks), pa.array(similarities), pa.array(uncertain)]
        return pa.table(columns, PAIRS), int(uncertain.sum())


def is_uncertain(near: Near, similarities: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Whose estimate is too near the target to decide by."""
    low, high = np.float32(near.target - near.margin), np.float32(near.target + near.margin)
    return np.asarray((similarities >= low) & (similarities < high))


def similar_path(folder: str, home: int) -> str:
    """Where a home's similar pairs of a round lie, a section a range of rank."""
    return f"{folder}/similar/{home}"


def similar_sections(home: Home, pairs: pa.Table, starts: tuple[int, ...]) -> Iterator[tuple[int, bytes]]:
    """A home's similar pairs by range of rank, ascending by rank."""
    places = pairs.column(PLACE).to_numpy()
    ranks = ranks_of(places.astype(np.uint64) + np.uint64(home.first), read_classes(home, places))
    rows = np.empty(len(pairs), SIMILAR)
    rows["rank"], rows["nearer"] = ranks, pairs.column(NEARER).to_numpy()
    rows["similarity"] = pairs.column(SIMILARITY).to_numpy()
    rows = rows.take(order_of(ranks))  # another one where classes differ
    cuts = np.searchsorted(rows["rank"], np.array([*starts, 2**64 - 1], np.uint64))
    for number in np.flatnonzero(np.diff(cuts)).tolist():
        yield number, rows[cuts[number] : cuts[number + 1]].tobytes()
