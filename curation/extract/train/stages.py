"""All weights, fitted to the pages of all folds but one, or of all.

Each stage learns from what the one before says of pages that it has not seen. So for each of the folds that are fitted to there
is a model of all the others ("blind" to it), and what this says of the fold is what the next stage is fitted to:

    linear weights, blind to a fold  ─► rows of the fold's blocks        ─► first stage
    first stage, blind to a fold     ─► its pages' rows                  ─► page's type
    both, and type, blind to a fold  ─► its blocks' rows with context    ─► second stage
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from curation.extract.main_text.kernels import choosing, features
from curation.extract.main_text.kernels import page as p
from curation.extract.main_text.kernels.measuring import Model
from curation.extract.main_text.weights import model_of
from curation.extract.train.boosted_trees import OF_BLOCKS, OF_PAGES, Arrays, Rows, averaged
from curation.extract.train.corpus import Corpus, Reader
from curation.extract.train.linear_weights import fit_linear

FIRST = {"learning_rate": 0.1}
SECOND = {"learning_rate": 0.07}
FIRST_ROUNDS, SECOND_ROUNDS, TYPE_ROUNDS = 120, 200, 50
SECOND_SEEDS = 2
BETA = 0.8  # of the choice of blocks: below 1 for precision
SKIP = 0.02  # first probability under which a block is not looked at again
WHOLE = -1  # in place of a fold: fitted to all of the others

Rules = dict[str, npt.NDArray[Any]]
Told = Callable[[str], None]


def fit_weights(corpus: Corpus, held_out: int, threads: int, tell: Told, blind: Mapping[int, Arrays] = {}) -> Arrays:
    """The arrays of a weights file, fitted to all pages but those of the fold `held_out` (WHOLE: to all).

    blind   models that are blind to a fold and have been fitted already: for WHOLE, those of the cross-validation
    """
    pages, is_used = np.flatnonzero(corpus.folds != held_out), corpus.block_folds != held_out
    folds, block_folds = corpus.folds[pages], corpus.block_folds[is_used]
    wanted = [fold for fold in (*np.unique(folds).tolist(), WHOLE) if fold not in blind]
    models = {fold: _linear(corpus, held_out, fold) for fold in wanted} | dict(blind)
    tell("linear weights")

    first = Rows(
        first_rows(corpus, pages, models),
        corpus.labels[is_used],
        corpus.weights[is_used],
        {**OF_BLOCKS, **FIRST, "num_threads": threads},
    )
    for fold in wanted:
        models[fold] |= prefixed("s1", first.fitted(FIRST_ROUNDS, block_folds != fold))
    del first
    tell("first stage")

    types = Rows(
        page_rows(corpus, pages, models),
        corpus.types[pages],
        None,
        {**OF_PAGES, "num_class": len(features.PAGE_TYPES), "num_threads": threads},
    )
    for fold in wanted:
        models[fold] |= prefixed("ty", types.fitted(TYPE_ROUNDS, folds != fold))
    tell("page types")

    arrays = with_second_stage(corpus, pages, models, threads)
    tell("second stage")
    return arrays


def with_second_stage(
    corpus: Corpus, pages: npt.NDArray[np.int64], models: Mapping[int, Arrays], threads: int
) -> Arrays:
    """The model that is fitted to all of the pages, with the second stage, which is the mean of several that differ by chance."""
    blocks, rows = context_rows(corpus, pages, models)
    settings = {**OF_BLOCKS, **SECOND, "num_threads": threads}
    second = Rows(rows, corpus.labels[blocks], corpus.weights[blocks], settings)
    draws = [{"bagging_seed": seed, "feature_fraction_seed": seed} for seed in range(SECOND_SEEDS)]
    trees = averaged([second.fitted(SECOND_ROUNDS, seeds=seeds) for seeds in draws])
    return models[WHOLE] | prefixed("s2", trees)


def first_rows(corpus: Corpus, pages: npt.NDArray[np.int64], models: Mapping[int, Arrays]) -> npt.NDArray[np.float32]:
    """Rows of the first stage of all blocks of the pages, each page under the model that is blind to its fold."""
    reader, ready = Reader(), _ready(models)
    rows = np.empty((sum(_count(corpus, page) for page in pages), features.FIRST_STAGE), np.float32)
    end = 0
    for page in pages:
        decided = reader.decided(corpus.pages[page].html, ready[corpus.folds[page]])
        if decided:
            count = _count(corpus, page)
            rows[end : end + count] = decided.measures.rows[:count, : features.FIRST_STAGE]
            end += count
    return rows


def page_rows(corpus: Corpus, pages: npt.NDArray[np.int64], models: Mapping[int, Arrays]) -> npt.NDArray[np.float32]:
    """The row of each page by which its type is judged; zeros where it has no block."""
    reader, ready = Reader(), _ready(models)
    rows = np.zeros((len(pages), choosing.PAGE_ROW), np.float32)
    for place, page in enumerate(pages):
        decided = reader.decided(corpus.pages[page].html, ready[corpus.folds[page]])
        if decided:
            rows[place] = decided.measures.page_row
    return rows


def context_rows(
    corpus: Corpus, pages: npt.NDArray[np.int64], models: Mapping[int, Arrays]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """The blocks that the second stage is asked about, as places in the corpus, and their rows."""
    reader, ready = Reader(), _ready(models)
    blocks: list[npt.NDArray[np.int64]] = []
    rows: list[npt.NDArray[np.float32]] = []
    for page in pages:
        decided = reader.decided(corpus.pages[page].html, ready[corpus.folds[page]])
        if decided:
            asked = np.flatnonzero(decided.measures.first[: decided.page.facts[p.BLOCKS]] >= SKIP)
            blocks.append(corpus.bounds[page] + asked)
            rows.append(decided.measures.rows[asked])
    return np.concatenate(blocks), np.concatenate(rows)


def prefixed(name: str, arrays: Arrays) -> Arrays:
    """Arrays of trees by the names that a weights file has for them."""
    return {f"{name}_{part}": array for part, array in arrays.items()}


def _linear(corpus: Corpus, held_out: int, blind_to: int) -> Arrays:
    """The linear weights, and the rule, of a model that is to be."""
    chosen = ~np.isin(corpus.block_folds, [held_out, blind_to])
    return {
        **fit_linear(corpus.linear, corpus.labels, corpus.weights, chosen),
        "rule": np.array([1.0, BETA, SKIP], np.float32),
    }


def _ready(models: Mapping[int, Arrays]) -> dict[int, Model]:
    """Models as far as they have been fitted; what has not says nothing."""
    return {fold: model_of({**_nothing(), **arrays}) for fold, arrays in models.items()}


def _nothing() -> Arrays:
    """Ensembles without trees."""
    types = {
        "feat": np.int16,
        "left": np.int32,
        "thr": np.float32,
        "val": np.float32,
        "roots": np.int32,
        "depths": np.int32,
    }
    return {f"{name}_{part}": np.zeros(0, kind) for name in ("s1", "s2", "ty") for part, kind in types.items()}


def _count(corpus: Corpus, page: int) -> int:
    return int(corpus.bounds[page + 1] - corpus.bounds[page])
