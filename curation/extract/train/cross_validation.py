"""How good the weights are on domains that they have seen nothing of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import mean

import numpy as np
import numpy.typing as npt

from curation.extract.main_text.extractor import MIN_WORDS, PLAIN, Extractor
from curation.extract.main_text.weights import model_of
from curation.extract.train.boosted_trees import Arrays
from curation.extract.train.corpus import Corpus
from curation.extract.train.domains import FOLDS
from curation.extract.train.gold import GoldPage
from curation.extract.train.stages import Told, fit_weights
from curation.extract.train.text_overlap import ShingleScore, word_f1, words

ARTICLES = "scrapinghub"  # the source whose own measure is that of shingles


@dataclass(frozen=True)
class HeldOut:
    """A page's text by weights that were fitted to other domains.

    page      place in the corpus
    expected  word F1, before any calibration; NaN where the text did not come of the choice of blocks
    """

    page: int
    text: str
    expected: float


def fitted_folds(corpus: Corpus, threads: int, tell: Told) -> Iterator[tuple[int, Arrays]]:
    """For each fold that has pages, weights that were fitted to all others."""
    for fold in range(FOLDS):
        if (corpus.folds == fold).any():
            tell(f"fold {fold}")
            yield fold, fit_weights(corpus, fold, threads, tell)


def held_out(corpus: Corpus, fold: int, weights: Arrays) -> Iterator[HeldOut]:
    """The texts of a fold's pages, as the engine gives them with these weights."""
    extractor = Extractor(model_of(weights))
    for page in np.flatnonzero(corpus.folds == fold).tolist():
        found = extractor.extract(corpus.pages[page].html, PLAIN)
        is_chosen = len(words(found.text)) >= MIN_WORDS
        yield HeldOut(page, found.text, found.expected_f1 if is_chosen else np.nan)


def figures(pages: Sequence[GoldPage], texts: Sequence[str]) -> dict[str, tuple[int, float]]:
    """Pages and mean word F1 by type and over all typed pages, and F1 of shingles over the articles of the second set."""
    by_type: dict[str, list[float]] = defaultdict(list)
    articles = ShingleScore()
    for page, text in zip(pages, texts, strict=True):
        if page.source == ARTICLES:
            articles.add(text, page.main or "")
        elif page.main is not None:
            by_type[page.page_type or "other"].append(word_f1(text, page.main))
    found = {name: (len(values), mean(values)) for name, values in sorted(by_type.items())}
    typed = [value for values in by_type.values() for value in values]
    if typed:
        found["f1_types"] = (len(typed), mean(typed))
    if articles.recalls:
        found["f1_articles"] = (len(articles.recalls), articles.f1)
    return found


def expected_and_measured(corpus: Corpus, found: Sequence[HeldOut]) -> tuple[npt.NDArray[np.float64], ...]:
    """Expected and measured word F1 of the pages whose text came of the choice of blocks."""
    chosen = [held for held in found if np.isfinite(held.expected)]
    measured = [word_f1(held.text, corpus.pages[held.page].main or "") for held in chosen]
    return np.array([held.expected for held in chosen]), np.array(measured)
