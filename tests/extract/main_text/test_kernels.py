"""Single kernels against slow Python: arithmetic, trees, the choice of blocks."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.extract.main_text.kernels import choosing, measuring, trees
from curation.extract.main_text.kernels.arithmetic import binary_logarithm, exponential
from curation.extract.main_text.kernels.measuring import Trees


@given(st.floats(-80, 80))
def test_the_exponential_is_the_c_librarys_to_the_last_places(value: float) -> None:
    """Oracle: `math.exp`."""
    assert abs(exponential(value) / math.exp(value) - 1) < 4e-16 * max(1.0, abs(value))


@given(st.floats(1e-6, 1e9))
def test_the_logarithm_is_the_c_librarys_as_float32(value: float) -> None:
    """Oracle: `math.log2`, rounded; half a unit in the last place apart where it lies between two numbers."""
    exact = math.log2(value)
    assert abs(float(binary_logarithm(value)) - exact) <= abs(exact) * 6.1e-8 + 1e-15


def grown(draw: np.random.Generator, columns: int, count: int) -> tuple[Trees, list[tuple[int, ...]]]:
    """Random trees, packed; and for each its nodes as (column, left child, threshold, value), counted from the first of all."""
    column, left, threshold, value, roots, depths = [], [], [], [], [], []
    for _ in range(count):
        root, level, depth = len(column), [len(column)], int(draw.integers(0, 5))
        roots.append(root)
        depths.append(depth)
        column.append(0), left.append(root), threshold.append(np.inf), value.append(draw.normal())
        for _ in range(depth):
            following = []
            for node in level:
                column[node], threshold[node] = (
                    int(draw.integers(columns)),
                    float(draw.choice([-1.5, -0.0, 0.0, 0.5, 2.0])),
                )
                left[node] = len(column)
                for _ in range(2):
                    following.append(len(column))
                    (
                        column.append(0),
                        left.append(len(column) - 1),
                        threshold.append(np.inf),
                        value.append(draw.normal()),
                    )
            level = following
    packed = trees.pack(
        np.array(column, np.int16),
        np.array(left, np.int32),
        np.array(threshold, np.float32),
        np.array(value, np.float32),
        np.array(roots, np.int32),
        np.array(depths, np.int32),
    )
    return packed, list(zip(column, left, threshold, np.float32(value), strict=True))


def walked(row: np.ndarray, nodes: list[tuple[int, ...]], root: int) -> np.float32:
    """Where a row ends in a tree, step by step."""
    at = root
    while nodes[at][1] != at:
        column, child, threshold, _ = nodes[at]
        at = child + int(row[column] > threshold)
    return nodes[at][3]


def test_trees_give_what_a_walk_step_by_step_gives() -> None:
    """Values at, just above and below thresholds, zeros of both signs, infinities; rows in no multiple of a group."""
    draw = np.random.default_rng(3)
    packed, nodes = grown(draw, columns=6, count=40)
    rows = draw.choice(np.array([-np.inf, -1.5, -0.0, 0.0, 1e-40, 0.5, 0.50000006, 2.0, np.inf], np.float32), (77, 6))
    chosen = draw.permutation(77).astype(np.int32)[:70]
    tile, scores = np.zeros(trees.TILE * 6, np.int32), np.zeros(80, np.float32)
    trees.add_trees(rows, chosen, len(chosen), 6, packed, tile, scores)
    for place, row in enumerate(chosen):
        expected = np.float32(0)
        for root in packed.roots:
            expected += walked(rows[row], nodes, root)
        assert scores[place] == expected


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 1000)), min_size=1, max_size=12),
    st.sampled_from([0.5, 0.8, 1.0]),
)
@settings(max_examples=60)
def test_the_choice_has_the_greatest_expected_f1(given: list[tuple[int, int]], beta: float) -> None:
    """Oracle: every set of all blocks from some probability on. The kernel's own Python runs here."""
    words, chances = (np.array(column, np.float32) for column in zip(*given, strict=True))
    chances = np.float32(chances / 1000)
    statistics = np.zeros((len(given), measuring.STATISTICS), np.float32)
    statistics[:, measuring.WORDS] = words
    measures = SimpleNamespace(
        statistics=statistics, final=chances, keep=np.zeros(len(given), np.uint8), shares=np.zeros((2, choosing.STEPS))
    )
    page = SimpleNamespace(facts=np.array([0, len(given)]))
    count, found_f1 = choosing.choose.py_func(page, measures, beta)  # type: ignore[attr-defined]

    def expected_f1(kept: np.ndarray, beta: float = beta) -> float:
        main = float((words * chances).sum())
        return float(2 * (words * chances)[kept].sum() / (words[kept].sum() + beta * main + 1e-9))

    best = max(expected_f1(chances >= cut) for cut in chances)
    assert count == int(words[measures.keep != 0].sum())
    assert expected_f1(measures.keep != 0) >= best - 1e-5
    assert abs(found_f1 - expected_f1(measures.keep != 0, beta=1.0)) < 1e-5
