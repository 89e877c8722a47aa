"""Union-find: connected components of documents, each named by its smallest member.

A root is the smallest of its tree, whatever the order of the edges, and paths are halved as they are walked (Tarjan and van
Leeuwen 1984). Edges are uint64[edges, 2], smaller number first. Parents are uint32, or uint64 where numbers need it.
"""

from __future__ import annotations

import numpy as np

from curation.text.kernels.compiling import Int64s, UInt64s, entry, inlined

U = np.uint64
_GOLDEN = U(0x9E3779B97F4A7C15)
_HIGH = U(32)

Labels = UInt64s  # uint32 or uint64


@inlined
def root_of(parents: Labels, node: int) -> int:
    """The root of a node's tree. Halves the path to it."""
    while np.int64(parents[node]) != node:
        parents[node] = parents[parents[node]]
        node = np.int64(parents[node])
    return node


@entry
def count_misplaced(edges: UInt64s, start: int, cuts: Int64s, firsts: Int64s) -> int:
    """How many edges do not have their larger end second, and in the home in whose section they lie.

    start   of the edges in a run of sections
    cuts    where each section of the run begins and the last ends; `firsts` likewise with each home's documents
    """
    misplaced, home = 0, 0
    for place in range(len(edges)):
        while start + place >= cuts[home + 1]:
            home += 1
        smaller, larger = edges[place, 0], edges[place, 1]
        misplaced += smaller > larger or larger < U(firsts[home]) or larger >= U(firsts[home + 1])
    return misplaced


@entry
def unite(edges: UInt64s, parents: Labels) -> None:
    """Joins the two ends of each edge. Every parent is its own node's number at first."""
    for place in range(len(edges)):
        a = root_of(parents, np.int64(edges[place, 0]))
        b = root_of(parents, np.int64(edges[place, 1]))
        if a < b:
            parents[b] = a
        elif b < a:
            parents[a] = b


@entry
def unite_range(
    edges: UInt64s, low: int, parents: Labels, least: Labels, recent: UInt64s, handed: UInt64s, count: int
) -> int:
    """Joins what meets in the range of nodes from `low` on, and hands down what it learns of nodes below the range.

    parents  of the range's nodes, counted from `low`
    least    of each root the smallest node below the range that is joined to it; `low` where there is none
    recent   uint64[a power of two, 2], zero at first: edges that were handed down lately and need not be again
    handed   edges between nodes below the range, from number `count` on; room for one an edge
    Gives the number of edges in `handed`. An edge whose larger end is elsewhere is another range's.
    """
    for place in range(len(edges)):
        smaller, own = np.int64(edges[place, 0]), np.int64(edges[place, 1]) - low
        if own < 0 or own >= len(parents):
            continue
        root, below = root_of(parents, own), smaller
        if smaller >= low:
            other = root_of(parents, smaller - low)
            if other == root:
                continue
            root, absorbed = min(root, other), max(root, other)
            parents[absorbed] = root
            below = np.int64(least[absorbed])
        known = np.int64(least[root])
        a, b = min(below, known), max(below, known)
        least[root] = a
        if a == b or b == low:  # the same node, or nothing on one of the two sides
            continue
        slot = np.int64(((U(a) * _GOLDEN ^ U(b)) * _GOLDEN) >> _HIGH) & (len(recent) - 1)
        if recent[slot, 0] == U(a) and recent[slot, 1] == U(b):
            continue
        recent[slot, 0], recent[slot, 1] = a, b
        handed[count, 0], handed[count, 1] = a, b
        count += 1
    return count


@entry
def flatten(parents: Labels) -> None:
    """Points each node to its root. A parent is never behind its node, so one ascending pass does it."""
    for node in range(len(parents)):
        parents[node] = parents[parents[node]]


@entry
def count_askers(parents: Labels, least: Labels, low: int, size: int, counts: Int64s) -> None:
    """Adds to counts[1:] how many roots hang on a node of each range below; ranges have `size` nodes."""
    for node in range(len(parents)):
        below = np.int64(least[node])
        if parents[node] == node and below < low:
            counts[below // size + 1] += 1


@entry
def place_askers(parents: Labels, least: Labels, low: int, size: int, places: Int64s, askers: Labels) -> None:
    """Writes those roots grouped by range, ascending in each; `places` begin at each range's first."""
    for node in range(len(parents)):
        below = np.int64(least[node])
        if parents[node] == node and below < low:
            askers[places[below // size]] = node
            places[below // size] += 1


@entry
def look_up(values: Labels, low: int, numbers: Labels, found: Labels) -> None:
    """Fills in what each number stands at; `values` begin with that of number `low`."""
    for place in range(len(numbers)):
        found[place] = values[np.int64(numbers[place]) - low]


@entry
def hear(answers: Labels, askers: Labels, labels: Labels) -> None:
    """Gives each asker the label that it was answered."""
    for place in range(len(askers)):
        labels[askers[place]] = answers[place]


@entry
def spread(parents: Labels, labels: Labels) -> None:
    """Gives each node the label of its root; roots have theirs already. A parent comes before its node: one pass does it."""
    for node in range(len(parents)):
        labels[node] = labels[parents[node]]


@entry
def choose_by_rank(labels: Labels, classes: Int64s) -> None:
    """Turns each label, the smallest number of a component, into the number of the member of the least (class, number).

    `classes` are uint16. No memory but these: a root's label is at its own number or behind it, all others' before theirs.
    """
    for node in range(len(labels)):
        root = np.int64(labels[node])
        if root < node and classes[node] < classes[labels[root]]:
            labels[root] = node
    for node in range(len(labels)):
        root = np.int64(labels[node])
        if root < node:
            labels[node] = labels[root]


def warm_up() -> None:
    """Compiles what is not kept yet."""
    edges = _read_only(np.zeros((1, 2), np.uint64))
    roots = _read_only(np.zeros(1, np.uint32))
    counts, pairs, classes = np.zeros(2, np.int64), np.zeros((1, 2), np.uint64), np.zeros(1, np.uint16)
    parents, askers = np.zeros(1, np.uint32), np.zeros(1, np.uint32)
    count_misplaced(edges, 0, np.array([0, 1]), np.array([0, 1]))
    for kind in (np.uint32, np.uint64):
        labels = np.zeros(1, kind)
        unite(edges, labels)
        flatten(labels)
        unite_range(edges, 0, parents, labels, pairs, pairs, 0)
        count_askers(parents, labels, 0, 1, counts)
        place_askers(parents, labels, 0, 1, counts, askers)
        look_up(labels, 0, askers, labels)
        look_up(labels, 0, _read_only(labels), labels)
        hear(_read_only(labels), roots, labels)
        spread(roots, labels)
        choose_by_rank(labels, classes)


def _read_only(array: UInt64s) -> UInt64s:
    """The array as it comes from a file."""
    return np.frombuffer(array.tobytes(), array.dtype).reshape(array.shape)
