"""Who goes: one pass over all similar pairs, in the order of rank.

A document goes only if one that ranks before it is similar to it and stays itself; it goes for the most similar of those. So
each removal names a kept document that it was itself compared with, and a chain of pages, each a little different from the
next, is thinned and not eaten.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from connectors import storage
from connectors.storage import Written
from curation.dedup.candidates import Round
from curation.dedup.comparing import Task, met_path, pairs_path
from curation.dedup.distinct import order_of
from curation.dedup.homes import HOME_DOCUMENTS, Home, Neighbourhood
from curation.dedup.kernels.leaders import decide
from curation.dedup.key_blobs import NUMBER_BITS, numbers_of
from curation.dedup.removed import REMOVED, places_of, read_table, write_table
from curation.dedup.signature_files import POLICY, read_column, read_values
from curation.dedup.similar_pairs import SIMILAR
from curation.run.folder import RunFolder
from curation.run.sections import read_from_all, write_sections

Decided = npt.NDArray[np.void]


@dataclass(frozen=True)
class Survey:
    """A task: how many documents of a home there are of each policy class."""

    def __call__(self, home: Home) -> dict[int, int]:
        counts = np.bincount(read_column(home, POLICY).to_numpy(), minlength=1)
        return {int(number): int(counts[number]) for number in np.flatnonzero(counts)}


def rank_ranges(
    classes: Mapping[int, int], neighbourhood: Neighbourhood, limit: int = HOME_DOCUMENTS
) -> tuple[int, ...]:
    """Where ranges of rank begin that have about `limit` documents each: what the pass holds at a time.

    A class that is larger by itself is cut between homes.
    """
    starts, filled = [0], limit
    for policy_class, documents in sorted(classes.items()):
        base = policy_class << NUMBER_BITS
        if filled + documents > limit:
            starts.append(base)
            filled = 0
            if documents > limit:
                starts += [base | first for first in neighbourhood.firsts[1:-1]]
        filled += documents
    return tuple(sorted(set(starts)))


def decide_all(
    run: RunFolder, similar: Sequence[str], folder: str, ranges: int, neighbourhood: Neighbourhood
) -> tuple[dict[str, Written], int]:
    """The pass over the similar pairs of all rounds so far. Writes the removals of each range, a section a home; gives the
    files and the number of removals.

    Memory: a byte a document, and the similar pairs of a range, 20 bytes each.
    """
    kept = np.ones(neighbourhood.documents, np.uint8)
    written: dict[str, Written] = {}
    removed = 0
    uris = [run.uri(path) for path in similar]
    for number in range(ranges):
        pairs = np.frombuffer(b"".join(read_from_all(uris, number)), SIMILAR)
        decided = decide_range(pairs, kept)
        path = f"{folder}/decided/{number:05d}"
        written[path] = write_sections(run.uri(path), by_home(decided, neighbourhood), neighbourhood.homes)
        removed += len(decided)
    return written, removed


def decide_range(pairs: Decided, kept: npt.NDArray[np.uint8]) -> Decided:
    """The pairs that removals are for, one each, by rank; `kept` is changed."""
    ranks, nearer, similarities = (np.ascontiguousarray(pairs[name]) for name in SIMILAR.names or ())
    chosen = np.empty(len(pairs), np.int64)
    count = decide(ranks, nearer, similarities, order_of(ranks), kept, chosen)
    return pairs.take(chosen[:count])  # which copies records several times faster than an index does


def by_home(decided: Decided, neighbourhood: Neighbourhood) -> Iterator[tuple[int, bytes]]:
    """Removals, by the home of the document that goes."""
    decided = decided.take(order_of(numbers_of(decided["rank"])))
    cuts = neighbourhood.cuts(numbers_of(decided["rank"]))
    for home in np.flatnonzero(np.diff(cuts)).tolist():
        yield home, decided[cuts[home] : cuts[home + 1]].tobytes()


@dataclass(frozen=True)
class TakeUp:
    """A task: writes a home's removals, and which of its documents are to be looked at again.

    Those are the ones that had candidates and found none that is similar and stays. Where the next round compares the same
    keys as this one, it also writes those of documents that take part in but one of the two.
    """

    round: Round
    before: tuple[str, ...]  # folders of earlier rounds
    decided: tuple[str, ...]  # files of the pass

    def __call__(self, home: Home) -> Task:
        run, folder = self.round.run, self.round.folder
        content = b"".join(read_from_all([run.uri(path) for path in self.decided], home.number))
        rows = np.frombuffer(content, SIMILAR)
        rows = rows.take(order_of(numbers_of(rows["rank"])))
        places = (numbers_of(rows["rank"]) - np.uint64(home.first)).astype(np.uint32)
        columns = [pa.array(places), pa.array(numbers_of(rows["nearer"])), pa.array(rows["similarity"])]
        written = write_table(run, self.round.removed(home.number), pa.table(columns, REMOVED))
        path = f"{undecided_folder(folder)}/{home.number}"
        if home.first < self.round.neighbourhood.own:  # an index's
            content = storage.read_bytes(run.uri(met_path(folder, home.number)))
            again, undecided = np.frombuffer(content, np.bool_), 0
        else:
            again = np.zeros(home.documents, np.bool_)
            for each in (*self.before, folder):
                again[places_of(read_table(run, pairs_path(each, home.number)))] = True
            again[places] = False
            undecided = int(again.sum())
        written[path] = storage.pass_on(run.uri(path), again.tobytes())
        if not self.round.undecided:
            return written, {"undecided": undecided}
        changed = np.flatnonzero(again ^ self.round.taken(home))
        keys = read_values(home, self.round.column, changed)
        path = changed_path(folder, home.number)
        written[path] = storage.pass_on(run.uri(path), keys.tobytes())
        return written, {"undecided": undecided, "changed": len(changed)}


def changed_path(folder: str, home: int) -> str:
    """Where a home leaves the keys of documents that take part in a round or in the next, and not in both."""
    return f"{folder}/changed/{home}"


def undecided_folder(folder: str) -> str:
    """Where a round leaves the masks of those to be looked at again."""
    return f"{folder}/undecided"
