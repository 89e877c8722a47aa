"""From keys to candidates: the shuffle of a round. Documents that share a key meet in a partition and become edges.

An edge goes to the home of the document that ranks behind, as 8 bytes: its place there (24 bits), the other's number (40).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from connectors.storage import Written
from curation.dedup.distinct import distinct
from curation.dedup.homes import Home, Neighbourhood, Numbers, Places
from curation.dedup.kernels.edges import find_homes, place_edges
from curation.dedup.key_blobs import Documents, pack
from curation.dedup.removed import places_of, read_table
from curation.dedup.signature_files import POLICY, chosen_pieces, let_go, words_of
from curation.dedup.stars import star_edges
from curation.dedup.wanted_keys import WantedKeys
from curation.run.folder import RunFolder
from curation.run.sections import read_from_all, write_sections

NUMBER_BITS = 40  # of an edge; the place in the home stands above
MOST_DOCUMENTS = 1 << NUMBER_BITS
MOST_HOME_DOCUMENTS = 1 << 24
STRETCH_BITS = 12  # of a document's number: what is looked up at once to find its home
_NUMBER = np.uint64(MOST_DOCUMENTS - 1)
_PLACE = np.uint64(NUMBER_BITS)

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Round:
    """One comparison of documents by keys.

    folder     of the run, for this round's files
    column     of the signature files that holds the keys
    whole      the column is one hash of 128 bits, equal or not; else each 8 bytes are a key
    earlier    folders of the rounds whose removals take no part any more
    undecided  path of a folder with a mask a home: only those take part; "" for all
    components whether what shares a key is alike without being compared: keys count to the last bit, and the first is the
               smaller number, since the keep policy comes later
    only       path of a file of the keys that count, ascending, each once; "" where all do
    """

    run: RunFolder
    folder: str
    column: str
    whole: bool
    earlier: tuple[str, ...]
    undecided: str
    components: bool
    partitions: int
    neighbourhood: Neighbourhood
    only: str = ""

    def removed(self, home: int) -> str:
        """Where a home's removals of this round lie."""
        return removed_path(self.folder, home)

    def taken(self, home: Home) -> Mask:
        """Which documents of a home take part."""
        if self.undecided:
            content = np.fromfile(self.run.uri(f"{self.undecided}/{home.number}"), np.bool_)
            assert len(content) == home.documents
            return content
        taken = np.ones(home.documents, np.bool_)
        for folder in self.earlier:
            taken[places_of(read_table(self.run, removed_path(folder, home.number)))] = False
        return taken


def removed_path(folder: str, home: int) -> str:
    """Where the removals of a round lie for a home."""
    return f"{folder}/removed/{home}.arrow"


@dataclass(frozen=True)
class PackKeys:
    """The emitting half of the shuffle: a home in, a blob for each partition out. Memory: 6 to 16 bytes a key of a home."""

    round: Round

    def __call__(self, home: Home) -> Iterator[tuple[int, memoryview]]:
        only = WantedKeys.read(self.round.run.uri(self.round.only)) if self.round.only else None
        documents = [
            self._documents(first, places, piece.columns([self.round.column, POLICY]), only)
            for first, piece, places in chosen_pieces(home, np.flatnonzero(self.round.taken(home)))
        ]
        yield from pack(home.first, documents, self.round.partitions)
        let_go(home)

    def _documents(self, first: int, places: Places, batch: pa.RecordBatch, only: WantedKeys | None) -> Documents:
        """Those at some places of a batch that takes the places `first` and following of its home."""
        column, classes = batch.column(0), batch.column(1).to_numpy()
        if column.null_count:
            places = places[np.asarray(column.is_valid().to_numpy(zero_copy_only=False), np.bool_)[places]]
        classes = np.zeros(len(places), np.uint16) if self.round.components else classes[places]
        words = words_of(column)
        if only is not None:
            chosen, bands = only.among(words, places)
            few = words[places[chosen], bands].reshape(-1, 1)
            return Documents(first + places[chosen], classes[chosen], np.arange(len(chosen)), few, few[:, :0])
        keys = words[:, :1] if self.round.whole else words
        checks = words[:, 1:] if self.round.whole else keys if self.round.components else keys[:, :0]
        return Documents(first + places, classes, places, keys, checks)


@dataclass(frozen=True)
class JoinStars:
    """The reducing half: a partition's blobs in, a file with its edges out, a section a home. Gives the file's receipt.

    Edges have 8 bytes; for components they are pairs of numbers, (nearer, farther).
    """

    round: Round

    def __call__(self, partition: int, blobs: Sequence[memoryview]) -> bytes:
        round, path = self.round, f"{self.round.folder}/edges/{partition:05d}"
        # what an index holds stays whatever it resembles; its near duplicates are left out where they are asked about
        least = round.neighbourhood.own if round.whole or round.components else 0
        sections = edge_sections(*star_edges(blobs), round.neighbourhood, least, not round.components)
        written = write_sections(round.run.uri(path), sections, round.neighbourhood.homes)
        return json.dumps({path: asdict(written)}).encode()


def joined(receipts: Sequence[bytes]) -> dict[str, Written]:
    """The files that a shuffle made, by path."""
    files = {path: Written(**written) for receipt in receipts for path, written in json.loads(receipt).items()}
    return dict(sorted(files.items()))


def edge_sections(
    nearer: Numbers, farther: Numbers, neighbourhood: Neighbourhood, least: int = 0, packed: bool = True
) -> Iterator[tuple[int, memoryview]]:
    """The edges of each home, given as ranks; those whose document that ranks behind has a number below `least` are left out."""
    firsts = np.array(neighbourhood.firsts, np.uint64)
    homes, cuts = np.empty(len(farther), np.int32), np.zeros(len(firsts), np.int64)
    shift = max(0, neighbourhood.documents.bit_length() - STRETCH_BITS)
    stretches = np.arange((neighbourhood.documents >> shift) + 1, dtype=np.uint64) << np.uint64(shift)
    find_homes(farther, least, firsts, shift, np.searchsorted(firsts, stretches, side="right") - 1, homes, cuts)
    np.cumsum(cuts, out=cuts)
    edges = np.empty((cuts[-1], 1 if packed else 2), np.uint64)
    place_edges(nearer, farther, homes, firsts, cuts[:-1].copy(), edges)
    for home in np.flatnonzero(np.diff(cuts)).tolist():
        yield home, edges[cuts[home] : cuts[home + 1]].data


def pack_edges(places: Numbers, numbers: Numbers) -> Numbers:
    """Edges of 8 bytes: the place in its home of the document that ranks behind, and the number of the other."""
    return (places << _PLACE) | numbers


def read_edges(run: RunFolder, files: Sequence[str], home: int) -> Numbers:
    """A home's edges from all partitions: packed, ascending (so by place), each once."""
    content = b"".join(read_from_all([run.uri(path) for path in files], home))
    return distinct(np.frombuffer(content, np.uint64))


def unpack_edges(edges: Numbers) -> tuple[Places, Numbers]:
    """The places of the documents that rank behind, and the numbers of those before them."""
    return (edges >> _PLACE).astype(np.int64), edges & _NUMBER
