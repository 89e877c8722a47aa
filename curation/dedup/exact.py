"""Documents that are equal, by text or by address: the first in rank stays, the others are out for it.

Equality is transitive, so a round settles itself at the homes: nobody need be asked.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from connectors.storage import Written
from curation.dedup.candidates import Round, read_edges, unpack_edges
from curation.dedup.homes import Home
from curation.dedup.removed import REMOVED, write_table


@dataclass(frozen=True)
class Settle:
    """A task: a home's edges become its removals. Gives the file and how many there are."""

    round: Round
    files: tuple[str, ...]
    similarity: float | None  # of two that are equal: 1 for texts, unknown for addresses

    def __call__(self, home: Home) -> tuple[dict[str, Written], dict[str, int]]:
        places, nearer = unpack_edges(read_edges(self.round.run, self.files, home.number))
        similarity = pa.array([self.similarity], pa.float32()).take(pa.array(places * 0))
        removed = pa.table([pa.array(places, pa.uint32()), pa.array(nearer, pa.uint64()), similarity], REMOVED)
        written = write_table(self.round.run, self.round.removed(home.number), removed)
        return written, {"removed": len(removed)}
