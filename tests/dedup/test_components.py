"""Components: the smallest number of each as its label, in one process and by ranges. Held against a search breadth first."""

from __future__ import annotations

import os
import pickle
import random
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.dedup import component_files, external_components
from curation.dedup.component_files import EdgeFiles, Labels, number_type
from curation.dedup.components import LabelInProcess, label_components, smallest_by_rank
from curation.dedup.external_components import NUMBERS_HELD, label_in_ranges, range_size
from curation.dedup.kernels.union_find import flatten, unite, unite_range
from curation.engines.local import LocalEngine
from curation.run.sections import write_sections

Pairs = list[tuple[int, int]]
SIZES = (1, 3, 16, 100)  # documents of a range


@pytest.fixture(scope="module", autouse=True)
def no_waiting_for_the_disk() -> Iterator[None]:
    """Ranges of one document make a thousand files."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", lambda _: None)
        yield


class Here:
    """An engine that runs its tasks in this process, pickled as any engine's; it can be told to fail before one."""

    def __init__(self, tasks: int = 1 << 30) -> None:
        self.tasks = tasks
        self.done: list[str] = []

    def map(self, task: Callable[[Any], Any], items: Sequence[Any], alike: bool = False) -> Iterator[tuple[int, Any]]:
        for number, item in enumerate(items):
            if len(self.done) == self.tasks:
                raise InterruptedError
            task, item = pickle.loads(pickle.dumps((task, item)))
            result = task(item)
            self.done.append(f"{getattr(task, '__name__', 'in one')} {item}")
            yield number, result


def edge_files(folder: Path, edges: Pairs, firsts: Sequence[int], count: int = 3) -> list[str]:
    """The edges dealt out to files, each in the section of its larger end's home."""
    uris = []
    for number in range(count):
        homes: dict[int, Pairs] = {}
        for edge in edges[number::count]:
            a, b = sorted(edge)
            homes.setdefault(int(np.searchsorted(firsts, b, side="right")) - 1, []).append((a, b))
        sections = [(home, np.array(homes[home], "<u8").tobytes()) for home in sorted(homes)]
        uris.append(str(folder / f"{number}.edges"))
        write_sections(uris[-1], sections, len(firsts) - 1)
    return uris


def homes_of(documents: int, size: int) -> list[int]:
    return [*range(0, documents, size), documents]


def breadth_first(documents: int, edges: Pairs) -> list[int]:
    """The smallest number that each document reaches."""
    neighbours: list[list[int]] = [[] for _ in range(documents)]
    for a, b in edges:
        neighbours[a].append(b)
        neighbours[b].append(a)
    labels = [-1] * documents
    for start in range(documents):
        waiting = deque([start] if labels[start] < 0 else [])
        while waiting:
            document = waiting.popleft()
            if labels[document] < 0:
                labels[document] = start
                waiting.extend(neighbours[document])
    return labels


def found(folder: Path, edges: Pairs, firsts: Sequence[int], size: int) -> list[int]:
    """Labels by ranges of so many documents; in one process where size is 0."""
    files = edge_files(folder, edges, firsts)
    if size:
        graph = EdgeFiles(tuple(files), tuple(firsts))
        labels = label_in_ranges(Here(), str(folder / "scratch"), graph, size)
    else:
        labels = label_components(Here(), str(folder / "scratch"), files, firsts)
    return labels.read(0, firsts[-1]).tolist()


def shuffled(edges: Pairs) -> Pairs:
    return random.Random(7).sample(edges, len(edges))


N = 120
CHAIN = [(n, n + 1) for n in range(N - 1)]
GRAPHS = {
    "nothing": [],
    "chain": CHAIN,
    "chain reversed": CHAIN[::-1],
    "chain shuffled": shuffled(CHAIN),
    "chain that jumps": [(n, (n * 7 + 3) % N) for n in range(N)],
    "two chains, woven": [(n, n + 2) for n in range(N - 2)],
    "star, hub lowest": [(0, n) for n in range(1, N)],
    "star, hub highest": [(n, N - 1) for n in range(5, N - 1)],
    "star, hub amid": [(n, 60) for n in range(3, N) if n != 60],
    "stars that share their leaves": [(hub, leaf) for hub in (1, 2, 3) for leaf in range(50, N, hub + 1)],
    "clique": [(a, b) for a in range(10, N, 9) for b in range(a + 1, N) if b % 9 == 1],
    "ladder from the ends": [(n, N - 1 - n) for n in range(N // 2)] + [(n + 1, N - 1 - n) for n in range(0, N // 2, 2)],
    "many times the same": [(4, 90), (17, 90), (4, 17), (30, 91)] * 20,
    "itself": [(9, 9), (N - 1, N - 1)],
}


@pytest.mark.parametrize("size", (0, *SIZES))
@pytest.mark.parametrize("graph", GRAPHS)
def test_every_way_labels_by_the_smallest(tmp_path: Path, graph: str, size: int) -> None:
    assert found(tmp_path, GRAPHS[graph], homes_of(N, 25), size) == breadth_first(N, GRAPHS[graph])


def test_the_slow_search_itself() -> None:
    assert breadth_first(6, [(4, 1), (5, 4), (2, 3)]) == [0, 1, 2, 2, 1, 1]


@settings(max_examples=60)
@given(st.data())
def test_any_graph_any_homes_any_ranges(data: st.DataObject) -> None:
    documents = data.draw(st.integers(1, 60))
    numbers = st.integers(0, documents - 1)
    edges = data.draw(st.lists(st.tuples(numbers, numbers), max_size=80))
    inner = data.draw(st.lists(st.integers(0, documents), max_size=4))  # homes of any size, empty ones too
    size = data.draw(st.sampled_from((0, 3, 7, 16, 60)))
    with tempfile.TemporaryDirectory() as folder:
        labels = found(Path(folder), edges, [0, *sorted(inner), documents], size)
    assert labels == breadth_first(documents, edges)


def test_a_larger_random_graph_in_few_and_many_ranges(tmp_path: Path) -> None:
    generator = np.random.default_rng(5)
    documents = 20_000
    pairs = generator.integers(0, documents, (14_000, 2))
    near = generator.integers(0, documents - 40, 8_000)
    edges = [
        *map(tuple, pairs.tolist()),
        *((a, a + d) for a, d in zip(near.tolist(), range(8_000), strict=True) if d < 40),
    ]
    expected = breadth_first(documents, edges)
    assert len(set(expected)) > 1000  # neither one component nor all apart
    for size in (0, 701, 6_000):
        assert found(tmp_path / str(size), edges, homes_of(documents, 1_000), size) == expected


def test_no_documents_and_a_single_one(tmp_path: Path) -> None:
    for memory in (0, 1 << 20):
        nothing = label_components(Here(), str(tmp_path), [], [0, 0], memory)
        assert nothing.read(0, 0).tolist() == []
        alone = label_components(Here(), str(tmp_path / f"{memory}"), [], [0, 1], memory)
        assert alone.read(0, 1).tolist() == [0]


def test_the_stated_memory_chooses_the_way_and_not_the_labels(tmp_path: Path) -> None:
    files, firsts = edge_files(tmp_path, CHAIN, homes_of(N, 25)), homes_of(N, 25)
    one, many = Here(), Here()
    in_one = label_components(one, str(tmp_path / "a"), files, firsts, memory=4 * N)
    in_ranges = label_components(many, str(tmp_path / "b"), files, firsts, memory=4 * N - 1)
    assert len(one.done) == 1 and many.done == [
        *[f"descend {n}" for n in reversed(range(6))],
        *[f"ascend {n}" for n in range(6)],
    ]
    assert in_one.read(0, N).tolist() == in_ranges.read(0, N).tolist() == [0] * N


def test_a_range_is_as_large_as_the_memory_allows() -> None:
    assert range_size(1000, 4 * NUMBERS_HELD * 10) == 10
    assert range_size(1 << 33, 8 * NUMBERS_HELD * 10) == 10
    assert range_size(1000, 1) == 1  # never none


def test_labels_are_read_across_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edges = [(n, n + 3) for n in range(N - 3)]
    files, firsts = edge_files(tmp_path, edges, homes_of(N, 50)), homes_of(N, 50)
    labels = label_in_ranges(Here(), str(tmp_path / "scratch"), EdgeFiles(tuple(files), tuple(firsts)), 16)
    monkeypatch.setattr(component_files, "EDGES_AT_ONCE", 5)
    assert labels.read(50, 100).tolist() == [n % 3 for n in range(50, 100)]
    assert labels.read(16, 32).tolist() == [n % 3 for n in range(16, 32)]
    labels.read(0, 3)[:] = 7  # the caller's own
    assert labels.read(0, 3).tolist() == [0, 1, 2]


def test_processes_give_the_same(tmp_path: Path) -> None:
    edges = GRAPHS["stars that share their leaves"]
    files, firsts = edge_files(tmp_path, edges, homes_of(N, 25)), homes_of(N, 25)
    engine = LocalEngine(str(tmp_path / "engine"), 1)
    try:
        for memory in (4 * N, 4 * 50 * NUMBERS_HELD // 2):
            labels = label_components(engine, str(tmp_path / f"{memory}"), files, firsts, memory)
            assert labels.read(0, N).tolist() == breadth_first(N, edges)
    finally:
        engine.close()


@pytest.mark.parametrize("tasks", range(1, 16, 2))
def test_what_was_done_before_an_interruption_is_not_done_again(tmp_path: Path, tasks: int) -> None:
    edges = GRAPHS["ladder from the ends"]
    graph = EdgeFiles(tuple(edge_files(tmp_path, edges, homes_of(N, 25))), tuple(homes_of(N, 25)))
    scratch = str(tmp_path / "scratch")
    with pytest.raises(InterruptedError):
        label_in_ranges(Here(tasks), scratch, graph, 16)
    before = {path: path.stat().st_mtime_ns for path in Path(scratch).rglob("*") if path.is_file()}
    labels = label_in_ranges(Here(), scratch, graph, 16)
    assert labels.read(0, N).tolist() == breadth_first(N, edges)
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_a_step_that_was_killed_before_its_last_file_is_done_anew(tmp_path: Path) -> None:
    edges = GRAPHS["star, hub amid"] + GRAPHS["ladder from the ends"]
    graph = EdgeFiles(tuple(edge_files(tmp_path, edges, homes_of(N, 25))), tuple(homes_of(N, 25)))
    scratch = tmp_path / "scratch"
    with pytest.raises(InterruptedError):
        label_in_ranges(Here(4), str(scratch), graph, 16)
    last = sorted(scratch.rglob("questions/*"))[0]
    handed = len(list(scratch.rglob(f"handed/{last.name}/*")))
    last.unlink()
    assert handed  # it had handed down already
    assert label_in_ranges(Here(), str(scratch), graph, 16).read(0, N).tolist() == breadth_first(N, edges)


def test_edges_come_and_go_in_bounded_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few edges at a time, and a file for every few that are handed down."""
    monkeypatch.setattr(component_files, "EDGES_AT_ONCE", 4)
    monkeypatch.setattr(external_components, "EDGES_AT_ONCE", 4)
    monkeypatch.setattr(external_components, "LEAST_HANDED", 5)
    edges = [(n, leaf) for n in range(40) for leaf in range(60 + n % 3, N, 3)]
    graph = EdgeFiles(tuple(edge_files(tmp_path, edges, homes_of(N, 25))), tuple(homes_of(N, 25)))
    assert max(len(piece) for piece in graph.between(0, N)) == 4
    assert label_in_ranges(Here(), str(tmp_path / "scratch"), graph, 30).read(0, N).tolist() == breadth_first(N, edges)
    assert len(list(tmp_path.rglob("handed/3/*.edges"))) > 2


def test_what_is_handed_down_does_not_grow_with_repetition() -> None:
    def handed(edges: Pairs) -> list[tuple[int, int]]:
        parents, least = np.arange(10, dtype=np.uint32), np.full(10, 100, np.uint32)
        room = np.zeros((len(edges), 2), np.uint64)
        recent = np.zeros((16, 2), np.uint64)
        count = unite_range(np.array(edges, np.uint64), 100, parents, least, recent, room, 0)
        return [(int(a), int(b)) for a, b in room[:count]]

    assert handed([(7, 101)] * 5) == []  # one neighbour below is asked about, and tells nothing of others
    assert handed([(7, 101), (3, 101), (9, 101)] * 5) == [(3, 7), (3, 9)]
    assert handed([(7, 101), (9, 102), (101, 102)]) == [(7, 9)]  # two trees that meet
    assert handed([(7, 111), (9, 99)]) == []  # the larger end lies in other ranges


def test_numbers_beyond_32_bits() -> None:
    """The kernels' wide forms: a range far up, and labels of eight bytes."""
    low = 1 << 40
    parents, least = np.arange(4, dtype=np.uint32), np.full(4, low, np.uint64)
    room, recent = np.zeros((3, 2), np.uint64), np.zeros((4, 2), np.uint64)
    edges = np.array([(low - 7, low + 3), (low - 9, low + 1), (low + 1, low + 3)], np.uint64)
    assert unite_range(edges, low, parents, least, recent, room, 0) == 1
    flatten(parents)
    assert parents.tolist() == [0, 1, 2, 1] and least[1] == low - 9 and room[0].tolist() == [low - 9, low - 7]
    wide = np.arange(5, dtype=np.uint64)
    unite(np.array([(3, 4), (1, 3)], np.uint64), wide)
    flatten(wide)
    assert wide.tolist() == [0, 1, 2, 1, 1]
    assert number_type(1 << 32).itemsize == 4 and number_type((1 << 32) + 1).itemsize == 8


def test_wide_labels_by_ranges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (component_files, external_components):
        monkeypatch.setattr(module, "number_type", lambda documents: np.dtype("<u8"))
    edges = GRAPHS["ladder from the ends"]
    assert found(tmp_path, edges, homes_of(N, 25), 16) == breadth_first(N, edges)


def test_files_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    files = edge_files(tmp_path, CHAIN, homes_of(N, 25))
    with pytest.raises(ValueError, match="edges of 5 homes, 6 expected"):
        label_components(Here(), str(tmp_path), files, homes_of(N, 20))
    write_sections(files[0], [(1, np.array([(3, 24)], "<u8").tobytes())], 5)  # 24 is at home 0
    with pytest.raises(ValueError, match="does not belong"):
        label_components(Here(), str(tmp_path), files, homes_of(N, 25))
    write_sections(files[0], [(4, np.array([(3, N)], "<u8").tobytes())], 5)  # beyond the last document
    with pytest.raises(ValueError, match="does not belong"):
        label_components(Here(), str(tmp_path), files, homes_of(N, 25))
    write_sections(files[0], [(1, np.array([(40, 30)], "<u8").tobytes())], 5)
    with pytest.raises(ValueError, match="does not belong"):
        label_components(Here(), str(tmp_path), files, homes_of(N, 25))


def test_labels_that_are_there_are_left(tmp_path: Path) -> None:
    files, firsts = edge_files(tmp_path, CHAIN, homes_of(N, 25)), homes_of(N, 25)
    labels = label_components(Here(), str(tmp_path / "scratch"), files, firsts)
    for uri in files:
        Path(uri).unlink()
    LabelInProcess(EdgeFiles(tuple(files), tuple(firsts)))(labels.files[0])
    assert label_components(Here(), str(tmp_path / "scratch"), files, firsts) == labels


def test_kept_is_the_best_class_and_in_it_the_first() -> None:
    labels = np.array([0, 1, 0, 0, 1, 5, 0], np.uint32)
    classes = np.array([9, 2, 4, 3, 2, 7, 3], np.uint16)
    assert smallest_by_rank(labels, classes).tolist() == [3, 1, 3, 3, 1, 5, 3]


@given(st.data())
def test_kept_members_of_any_components(data: st.DataObject) -> None:
    documents = data.draw(st.integers(1, 40))
    numbers = st.integers(0, documents - 1)
    labels = breadth_first(documents, data.draw(st.lists(st.tuples(numbers, numbers), max_size=30)))
    classes = data.draw(st.lists(st.integers(0, 4) | st.just(65535), min_size=documents, max_size=documents))
    wide = data.draw(st.sampled_from((np.uint32, np.uint64)))
    expected = [
        min((classes[other], other) for other in range(documents) if labels[other] == labels[document])[1]
        for document in range(documents)
    ]
    assert smallest_by_rank(np.array(labels, wide), np.array(classes, np.uint16)).tolist() == expected


def test_of_one_class_the_labels_are_the_answer() -> None:
    labels = np.array(breadth_first(N, CHAIN[:50]), np.uint32)
    assert smallest_by_rank(labels.copy(), np.zeros(N, np.uint16)).tolist() == labels.tolist()


def test_labels_know_their_files() -> None:
    assert Labels((), 0, 1).read(0, 0).dtype == np.uint32
