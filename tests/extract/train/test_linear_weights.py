"""The regression's loop against numpy, and its sums against those that the engine makes."""

from __future__ import annotations

import numpy as np

from curation.extract.main_text.kernels import measuring as m
from curation.extract.main_text.weights import model_of
from curation.extract.train.corpus import Reader, read_corpus
from curation.extract.train.domains import FOLDS
from curation.extract.train.gold import GoldPage
from curation.extract.train.kernels.descent import TABLE_BITS, TABLES, descend
from curation.extract.train.linear_weights import NAMES, fit_linear
from curation.extract.train.stages import _nothing

SIZE = TABLES << TABLE_BITS
PAGE = (
    b"<html><body><nav class='menu top'><a href=/>Home</a></nav><article id=main><h2>Plants</h2><p class=text>One short line."
    b"<p>Another line.</article><footer>Legal</footer>"
)


def descended(
    rows: list[list[int]], targets: list[float], weights: list[float], rate: float, decay: float
) -> np.ndarray:
    """One pass by numpy, in float64."""
    model, squares = np.zeros(SIZE + 1), np.full(SIZE + 1, 1e-2)
    for places, target, weight in zip(rows, targets, weights, strict=True):
        vector = np.zeros(SIZE + 1)
        for table in range(TABLES):
            own = [place for place in places if place >> TABLE_BITS == table]
            for place in own:
                vector[place] += 1 / np.sqrt(len(own))
        vector[SIZE] = 1
        gradient = (1 / (1 + np.exp(-(model @ vector))) - target) * weight
        used = vector != 0
        used[SIZE] = False
        step = gradient * vector + decay * model * weight * used
        squares += step**2
        model -= rate * step / np.sqrt(squares)
    return model


def test_the_loop_is_that_of_numpy() -> None:
    draw = np.random.default_rng(5)
    rows = [draw.choice(SIZE, draw.integers(0, 12), replace=False).tolist() for _ in range(60)]
    rows += [row[:4] for row in rows]  # so that places are met again
    targets, weights = draw.random(120).tolist(), draw.uniform(0.1, 4, 120).tolist()
    model, squares = np.zeros(SIZE + 1, np.float32), np.full(SIZE + 1, 1e-2, np.float32)
    descend(
        np.array([place for row in rows for place in row], np.int32),
        np.cumsum([len(row) for row in rows]),
        np.array(targets),
        np.array(weights),
        np.arange(120),
        0.06,
        2e-3,
        model,
        squares,
        np.empty((2, TABLES)),
    )
    assert np.abs(model).max() > 0.05
    np.testing.assert_allclose(model, descended(rows, targets, weights, 0.06, 2e-3), atol=2e-5)


def test_what_is_fitted_is_what_the_engine_adds_up() -> None:
    """The logit of each block by its places is the engine's linear score of it."""
    page = GoldPage("1", "own", "http://a.example/", PAGE, "utf-8", "article", "One short line. Another line.", (), ())
    corpus = read_corpus([page])
    blocks = len(corpus.labels)
    arrays = fit_linear(corpus.linear, corpus.labels, corpus.weights, np.ones(blocks, bool))
    scales = arrays["lin_scale"]
    tables = np.concatenate([arrays[name] * scales[place] for place, name in enumerate(NAMES)])
    decided = Reader().decided(PAGE, model_of({**_nothing(), **arrays, "rule": np.array([1, 1, 0], np.float32)}))
    assert decided and blocks == 5 and corpus.folds[0] < FOLDS
    for block in range(blocks):
        first = corpus.linear.ends[block - 1] if block else 0
        places = corpus.linear.places[first : corpus.linear.ends[block]]
        logit = float(scales[4])
        for table in range(TABLES):
            own = places[places >> TABLE_BITS == table]
            logit += float(tables[own].sum()) / np.sqrt(max(len(own), 1))
        assert abs(logit - decided.measures.linear[block, m.ALL]) < 1e-4
