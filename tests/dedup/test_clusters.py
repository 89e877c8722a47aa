"""Clusters: connected components, the smallest number of each being the kept one. Held against a slow, obvious function."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.dedup.clusters import Clusters

Edges = list[tuple[int, int]]


def packed(edges: Edges) -> bytes:
    return np.array([sorted(edge) for edge in edges], "<u8").reshape(-1, 2).tobytes()


def duplicates(*parts: Edges) -> Edges:
    clusters = Clusters()
    for part in parts:
        clusters.add(packed(part))
    return clusters.duplicates()


def slow_duplicates(edges: Edges) -> Edges:
    """Spreads the smallest number along the edges until nothing changes."""
    kept = {number: number for edge in edges for number in edge}
    changed = True
    while changed:
        changed = False
        for a, b in edges:
            smallest = min(kept[a], kept[b])
            changed = changed or kept[a] != smallest or kept[b] != smallest
            kept[a] = kept[b] = smallest
    return sorted((number, first) for number, first in kept.items() if number != first)


def test_nothing_joined_is_nothing_to_remove() -> None:
    assert duplicates() == [] and duplicates([]) == []


def test_a_pair_keeps_its_first() -> None:
    assert duplicates([(7, 3)]) == [(7, 3)]


def test_a_chain_has_one_kept_member_in_whatever_order_its_links_come() -> None:
    chain = [(n, n + 1) for n in range(200)]
    expected = [(n, 0) for n in range(1, 201)]
    assert duplicates(chain) == duplicates(chain[::-1]) == duplicates(chain[::2], chain[1::2]) == expected


def test_a_star_whose_centre_is_the_last_keeps_the_smallest_leaf() -> None:
    assert duplicates([(n, 100) for n in range(5, 100)]) == [(n, 5) for n in range(6, 101)]


def test_a_clique_keeps_its_first() -> None:
    members = [3, 10, 11, 40, 41]
    clique = [(a, b) for a in members for b in members if a < b]
    assert duplicates(clique) == [(n, 3) for n in members[1:]]


def test_two_clusters_that_meet_late_become_one() -> None:
    assert duplicates([(1, 2), (5, 6)], [(2, 6)]) == [(2, 1), (5, 1), (6, 1)]


def test_numbers_beyond_32_bits() -> None:
    large = 2**40
    assert duplicates([(large, large + 1), (large - 5, large)]) == [(large, large - 5), (large + 1, large - 5)]


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=60), st.integers(1, 5))
def test_any_graph_in_any_parts(edges: Edges, parts: int) -> None:
    edges = [(a, b) for a, b in edges if a != b]
    assert duplicates(*[edges[part::parts] for part in range(parts)]) == slow_duplicates(edges)
