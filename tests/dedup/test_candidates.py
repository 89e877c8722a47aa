"""Edges by home."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from curation.dedup.candidates import edge_sections, unpack_edges
from curation.dedup.homes import Neighbourhood
from curation.dedup.key_blobs import ranks_of


@st.composite
def edges_among_homes(draw: st.DrawFn) -> tuple[Neighbourhood, list[tuple[int, int]]]:
    """Homes of one document and more, and edges, (nearer, farther), between any of their documents."""
    sizes = draw(st.lists(st.integers(1, 40), min_size=1, max_size=9))
    firsts = tuple(sum(sizes[:home]) for home in range(len(sizes) + 1))
    number = st.integers(0, firsts[-1] - 1)
    return Neighbourhood(firsts, 0), draw(st.lists(st.tuples(number, number), max_size=50))


@given(edges_among_homes(), st.integers(0, 100), st.integers(0, 2**16 - 1), st.booleans())
def test_edges_lie_with_the_document_that_ranks_behind(
    given: tuple[Neighbourhood, list[tuple[int, int]]], least: int, policy_class: int, packed: bool
) -> None:
    """In the order in which they came, without classes."""
    neighbourhood, edges = given
    numbers = np.array(edges, np.uint64).reshape(-1, 2)
    nearer, farther = (ranks_of(column.copy(), np.full(len(edges), policy_class, np.uint16)) for column in numbers.T)
    found: list[list[tuple[int, int]]] = [[] for _ in range(neighbourhood.homes)]
    for home, content in edge_sections(nearer, farther, neighbourhood, least, packed):
        words = np.frombuffer(content, np.uint64)
        if packed:
            places, others = unpack_edges(words)
            words = np.stack([others, places.view(np.uint64) + np.uint64(neighbourhood.firsts[home])], axis=1)
        found[home] = [(int(one), int(other)) for one, other in words.reshape(-1, 2)]
    bounds = zip(neighbourhood.firsts, neighbourhood.firsts[1:], strict=False)
    wanted = [edge for edge in edges if edge[1] >= least]
    assert found == [[edge for edge in wanted if first <= edge[1] < stop] for first, stop in bounds]
