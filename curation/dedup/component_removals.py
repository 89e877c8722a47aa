"""Duplicates by components: documents that edges join, however far around, count as one. What datatrove does, unverified.

The member that ranks first is kept. Its similarity with each other member is an estimate, told and not asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from connectors import storage
from curation.dedup.candidates import pack_edges
from curation.dedup.comparing import Near, Task, compare
from curation.dedup.distinct import distinct
from curation.dedup.homes import Home
from curation.dedup.removed import REMOVED, write_table

STAYING = "staying"


def staying_path(folder: str, home: int) -> str:
    """Where the number of the member that stays lies for each document of a home, as u64."""
    return f"{folder}/{STAYING}/{home}"


@dataclass(frozen=True)
class AskAboutStaying:
    """A task: asks for the signatures of those that a home's documents are out for."""

    near: Near

    def __call__(self, home: Home) -> Task:
        near = self.near
        staying = np.frombuffer(
            storage.read_bytes(near.run.uri(staying_path(near.round.folder, home.number))), np.uint64
        )
        places = np.flatnonzero(staying != np.arange(home.first, home.stop, dtype=np.uint64))
        if home.first < near.round.neighbourhood.own:  # an index's, that its own or a run's documents join
            places = places[:0]
        path = near.candidates(home.number)
        written = storage.pass_on(near.run.uri(path), pack_edges(places.astype(np.uint64), staying[places]).tobytes())
        return {path: written} | near.signatures.ask(home, distinct(staying[places])), {"removed": len(places)}


@dataclass(frozen=True)
class RemoveFromComponents:
    """A task: hears their signatures and writes the home's removals."""

    near: Near

    def __call__(self, home: Home) -> Task:
        near = self.near
        places, numbers, _, similarities = compare(near, home)
        removed = pa.table(
            [pa.array(places, pa.uint32()), pa.array(numbers), pa.array(similarities, pa.float32())], REMOVED
        )
        return write_table(near.run, near.round.removed(home.number), removed), {"removed": len(removed)}
