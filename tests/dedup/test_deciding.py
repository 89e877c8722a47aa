"""Who goes: a pass over similar pairs, the same as a slow one in Python, wherever the ranges of rank are cut."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from curation.dedup.deciding import decide_all, rank_ranges
from curation.dedup.homes import Neighbourhood
from curation.dedup.kernels.leaders import count_agreements
from curation.dedup.key_blobs import numbers_of, ranks_of
from curation.dedup.similar_pairs import SIMILAR
from curation.run.folder import RunFolder
from curation.run.sections import read_section, write_sections

Pair = tuple[int, int, float]  # rank of the document, rank of the other, similarity
Removals = dict[int, tuple[int, float]]


def slow_removals(pairs: Sequence[Pair]) -> Removals:
    """By number: each document in the order of rank goes for the most similar of those before it that stay."""
    removed: Removals = {}
    for rank in sorted({pair[0] for pair in pairs}):
        staying = sorted(
            (-similarity, nearer) for own, nearer, similarity in pairs if own == rank and number(nearer) not in removed
        )
        if staying:
            removed[number(rank)] = number(staying[0][1]), -staying[0][0]
    return removed


def number(rank: int) -> int:
    return rank & (1 << 48) - 1


def found(pairs: Sequence[Pair], classes: Sequence[int], firsts: Sequence[int], starts: Sequence[int]) -> Removals:
    """The pass itself, over files as the homes write them."""
    with tempfile.TemporaryDirectory() as folder:
        run = RunFolder(folder)
        neighbourhood = Neighbourhood(tuple(firsts), 0)
        paths = []
        for part in range(2):  # two rounds
            for home in range(neighbourhood.homes):
                mine = sorted(p for p in pairs[part::2] if firsts[home] <= number(p[0]) < firsts[home + 1])
                rows = np.array(mine, SIMILAR)
                cuts = np.searchsorted(rows["rank"], np.array([*starts, 2**64 - 1], np.uint64))
                sections = [(n, rows[cuts[n] : cuts[n + 1]].tobytes()) for n in range(len(starts))]
                paths.append(f"similar/{part}/{home}")
                write_sections(run.uri(paths[-1]), sections, len(starts))
        files, count = decide_all(run, paths, "round", len(starts), neighbourhood)
        removed: Removals = {}
        for home in range(neighbourhood.homes):
            content = b"".join(read_section(run.uri(path), home) for path in files)
            for row in np.frombuffer(content, SIMILAR):
                place = int(numbers_of(row["rank"]))
                assert firsts[home] <= place < firsts[home + 1] and place not in removed
                assert int(row["rank"]) >> 48 == classes[place]
                removed[place] = int(numbers_of(row["nearer"])), float(row["similarity"])
        assert count == len(removed)
        return removed


def ranked(classes: Sequence[int]) -> list[int]:
    ranks: list[int] = ranks_of(np.arange(len(classes), dtype=np.uint64), np.array(classes, np.uint16)).tolist()
    return ranks


@st.composite
def graphs(draw: Any) -> tuple[list[Pair], list[int], list[int]]:
    """Similar pairs of some documents, their classes, where homes begin."""
    documents = draw(st.integers(1, 14))
    classes = draw(st.lists(st.integers(0, 2), min_size=documents, max_size=documents))
    ranks, numbers = ranked(classes), st.integers(0, documents - 1)
    pairs: dict[tuple[int, int], float] = {}
    for one, other, similarity in draw(st.lists(st.tuples(numbers, numbers, st.integers(0, 4)), max_size=40)):
        if one != other:
            nearer, farther = sorted((ranks[one], ranks[other]))
            pairs[farther, nearer] = 0.75 + similarity / 16
    inner = draw(st.sets(st.integers(1, documents), max_size=3)) - {documents}
    return [(*ends, similarity) for ends, similarity in pairs.items()], classes, [0, *sorted(inner), documents]


@given(graphs(), st.sets(st.integers(0, 13), max_size=4))
def test_the_pass_is_the_slow_one_wherever_it_is_cut(
    graph: tuple[list[Pair], list[int], list[int]], cuts: set[int]
) -> None:
    pairs, classes, firsts = graph
    expected = slow_removals(pairs)
    ranks = sorted(ranked(classes))
    for starts in ([0], sorted({0, *(ranks[cut] for cut in cuts if cut < len(ranks))}), sorted({0, *ranks})):
        assert found(pairs, classes, firsts, starts) == expected
    similarities = {(own, nearer): similarity for own, nearer, similarity in pairs}
    for own, (kept, similarity) in expected.items():
        assert kept not in expected
        assert similarities[ranked(classes)[own], ranked(classes)[kept]] == similarity


@given(graphs(), st.integers(1, 6))
def test_ranges_of_a_survey_cover_every_rank_once(graph: tuple[list[Pair], list[int], list[int]], limit: int) -> None:
    pairs, classes, firsts = graph
    counts = {each: classes.count(each) for each in set(classes)}
    starts = rank_ranges(counts, Neighbourhood(tuple(firsts), 0), limit)
    assert starts[0] == 0 and list(starts) == sorted(set(starts))
    assert found(pairs, classes, firsts, starts) == slow_removals(pairs)


def test_ranges_hold_what_they_are_said_to() -> None:
    neighbourhood = Neighbourhood((0, 10, 20, 30, 40), 0)
    base = [1 << 48, 2 << 48, 3 << 48]
    assert rank_ranges({1: 40}, neighbourhood, 40) == (0, base[0])
    assert rank_ranges({1: 40}, neighbourhood, 12) == (0, base[0], base[0] + 10, base[0] + 20, base[0] + 30)
    assert rank_ranges({1: 10, 2: 10, 3: 20}, neighbourhood, 20) == (0, base[0], base[2])
    assert rank_ranges({}, neighbourhood, 20) == (0,)


def test_a_chain_is_thinned_to_every_other() -> None:
    chain = [(place, place - 1, 0.85) for place in range(1, 101)]
    classes = [0] * 101
    removed = found(chain, classes, [0, 30, 101], [0, 17, 64])
    assert removed == {place: (place - 1, np.float32(0.85)) for place in range(1, 101, 2)}


def test_a_document_goes_for_the_most_similar_and_among_equals_for_the_first() -> None:
    pairs = [(3, 0, 0.8125), (3, 1, 0.875), (3, 2, 0.875), (4, 3, 1.0), (4, 0, 0.8125)]
    assert found(pairs, [0] * 5, [0, 5], [0]) == {3: (1, 0.875), 4: (0, 0.8125)}


def test_an_earlier_document_of_a_worse_class_goes() -> None:
    classes = [9, 9, 2]
    ranks = ranked(classes)
    pairs = [(ranks[0], ranks[2], 0.9375), (ranks[1], ranks[2], 0.8125), (ranks[1], ranks[0], 0.9375)]
    assert found(pairs, classes, [0, 2, 3], [0]) == {0: (2, 0.9375), 1: (2, 0.8125)}


@given(st.integers(1, 9), st.integers(1, 130), st.integers(0, 20), st.integers(0, 9))
def test_agreement_is_counted_as_numpy_counts_it(documents: int, values: int, pairs: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    theirs, ours = (random.integers(0, 3, (documents, values)).astype(np.uint8) for _ in range(2))
    which, rows = (random.integers(0, documents, pairs) for _ in range(2))
    counts = np.full(pairs, -1)
    count_agreements(theirs, which, ours, rows, counts)
    assert counts.tolist() == (theirs[which] == ours[rows]).sum(axis=1).tolist()
