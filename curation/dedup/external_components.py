"""Components of more documents than fit in memory: union-find by ranges of document numbers, files between the steps.

    descend  the highest range first. It unites its documents along the edges whose larger end is its own. What it learns of
             documents below (two of them hang on the same tree) goes to the lower ranges as edges; a root that hangs on
             documents below will ask the range of the smallest one for its label.
    ascend   the lowest range first: its questions have been answered, so all its labels are known, and it answers those of
             the ranges above.

Memory is for one range, whatever the edges. Every edge is read once, and gives at most one to hand down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from connectors import storage
from curation.dedup.component_files import (
    EDGES_AT_ONCE,
    EdgeFiles,
    Edges,
    Labels,
    Numbers,
    number_type,
    read_numbers,
    write_numbers,
)
from curation.dedup.kernels.union_find import (
    count_askers,
    hear,
    look_up,
    place_askers,
    spread,
    unite_range,
)
from curation.run.sections import read_from_all, read_section, write_sections

RECENT = 1 << 20  # edges remembered, so that one is not handed down many times; 16 MiB
LEAST_HANDED = 1 << 16  # edges in a file that hands down, unless it is the last
NUMBERS_HELD = 5  # for each document of a range, at most: when all the trees of another hang on its documents
LARGEST_RANGE = 1 << 32

Item = TypeVar("Item")
Result = TypeVar("Result")
Integer = TypeVar("Integer", bound=np.integer)


class Mapper(Protocol):
    """What is needed of an engine, see `curation/engines/engine.py`."""

    def map(self, task: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[tuple[int, Result]]: ...


def range_size(documents: int, memory: int) -> int:
    """How many documents a range may have that works in so many bytes."""
    return min(max(1, memory // (NUMBERS_HELD * number_type(documents).itemsize)), LARGEST_RANGE)


def label_in_ranges(engine: Mapper, scratch: str, edges: EdgeFiles, size: int) -> Labels:
    """See `label_components`. A step is one task, since each needs the one before; those whose files are there are left."""
    steps = Ranges(f"{scratch}/ranges-of-{size}", edges, size)
    for task, numbers in ((steps.descend, reversed(range(steps.count))), (steps.ascend, iter(range(steps.count)))):
        for number in numbers:
            for _ in engine.map(task, [number]):
                pass
    return Labels(tuple(steps.file("labels", number) for number in range(steps.count)), edges.documents, size)


@dataclass(frozen=True)
class Ranges:
    """The steps. In the folder, of each range:

    handed/RANGE/…   edges between documents below, by the range of their larger end
    parents/RANGE    of each document its parent in the range's trees, u32, counted from the range's first
    askers/RANGE     roots that ask, u32, by the range that they ask
    questions/RANGE  and the document whose label each wants, in the same order; the last that `descend` writes
    answers/RANGE    by the range that asked, in the order of its questions
    labels/RANGE     the last that `ascend` writes
    """

    folder: str
    edges: EdgeFiles
    size: int

    @property
    def count(self) -> int:
        """How many ranges there are."""
        return -(-self.edges.documents // self.size)

    def file(self, part: str, number: int) -> str:
        """Where a range's part lies."""
        return f"{self.folder}/{part}/{number}"

    @property
    def _type(self) -> np.dtype[np.unsignedinteger]:
        return number_type(self.edges.documents)

    def _bounds(self, number: int) -> tuple[int, int]:
        return number * self.size, min((number + 1) * self.size, self.edges.documents)

    def descend(self, number: int) -> None:
        """The step of a range for which all higher ones have done theirs."""
        if storage.exists(self.file("questions", number)):
            return
        low, high = self._bounds(number)
        parents, least = np.arange(high - low, dtype=np.uint32), np.full(high - low, low, self._type)
        self._unite(number, parents, least)
        write_numbers(self.file("parents", number), parents)
        askers, cuts = self._askers(number, parents, least)
        del parents
        write_sections(self.file("askers", number), ((to, a.tobytes()) for to, a in _slices(askers, cuts)), self.count)
        groups = _slices(askers, cuts)
        write_sections(
            self.file("questions", number), ((to, _looked_up(least, 0, ours)) for to, ours in groups), self.count
        )

    def _unite(self, number: int, parents: Numbers, least: Numbers) -> None:
        low, high = self._bounds(number)
        recent = np.zeros((RECENT, 2), np.uint64)
        full = max(LEAST_HANDED, self.size // 16)
        handed, count, files = np.empty((full + EDGES_AT_ONCE, 2), np.uint64), 0, 0
        for edges in self._edges(number, low, high):
            for start in range(0, len(edges), EDGES_AT_ONCE):
                part = edges[start : start + EDGES_AT_ONCE]
                count = unite_range(part, low, parents, least, recent, handed, count)
                if count >= full:
                    self._hand_down(number, files, handed[:count])
                    count, files = 0, files + 1
        if count:
            self._hand_down(number, files, handed[:count])

    def _edges(self, number: int, low: int, high: int) -> Iterator[Edges]:
        yield from self.edges.between(low, high)
        folder = f"{self.folder}/handed"
        files = [f"{folder}/{name}" for name in storage.list_files(folder, ".edges")]
        for section in read_from_all(files, number):  # nothing in files of its own, left by an attempt that was killed
            yield np.frombuffer(section, "<u8").reshape(-1, 2)

    def _hand_down(self, number: int, file: int, edges: Edges) -> None:
        to = (edges[:, 1] // np.uint64(self.size)).astype(np.min_scalar_type(self.count))
        order = np.argsort(to, kind="stable")  # by radix up to 65,535 ranges
        cuts = np.concatenate([[0], np.cumsum(np.bincount(to, minlength=self.count))])
        sections = ((below, edges[chosen].tobytes()) for below, chosen in _slices(order, cuts))
        write_sections(f"{self.folder}/handed/{number}/{file}.edges", sections, self.count)

    def _askers(self, number: int, parents: Numbers, least: Numbers) -> tuple[Numbers, npt.NDArray[np.int64]]:
        """The roots that hang on a document below, grouped by its range, and where each group begins."""
        low, _ = self._bounds(number)
        counts = np.zeros(self.count + 1, np.int64)
        count_askers(parents, least, low, self.size, counts)
        cuts = np.cumsum(counts)
        askers = np.empty(cuts[-1], np.uint32)
        place_askers(parents, least, low, self.size, cuts[:-1].copy(), askers)
        return askers, cuts

    def ascend(self, number: int) -> None:
        """The step of a range for which all lower ones have done theirs."""
        if storage.exists(self.file("labels", number)):
            return
        low, high = self._bounds(number)
        labels = np.arange(low, high, dtype=self._type)
        for below in range(number):
            askers = np.frombuffer(read_section(self.file("askers", number), below), "<u4")
            if len(askers):
                hear(np.frombuffer(read_section(self.file("answers", below), number), self._type), askers, labels)
        spread(read_numbers(self.file("parents", number), "<u4"), labels)
        write_sections(self.file("answers", number), self._answers(number, labels), self.count)
        write_numbers(self.file("labels", number), labels)

    def _answers(self, number: int, labels: Numbers) -> Iterator[tuple[int, bytes]]:
        low, _ = self._bounds(number)
        for above in range(number + 1, self.count):
            questions = np.frombuffer(read_section(self.file("questions", above), number), self._type)
            if len(questions):
                yield above, _looked_up(labels, low, questions)


def _slices(values: npt.NDArray[Integer], cuts: npt.NDArray[np.int64]) -> Iterator[tuple[int, npt.NDArray[Integer]]]:
    for section in np.flatnonzero(np.diff(cuts)).tolist():
        yield section, values[cuts[section] : cuts[section + 1]]


def _looked_up(values: Numbers, low: int, numbers: Numbers) -> bytes:
    found = np.empty(len(numbers), values.dtype)
    look_up(values, low, numbers, found)
    return found.tobytes()
