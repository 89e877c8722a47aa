"""The engine `fast`, each page by weights that saw nothing of its domain: those that a cross-validation has left in a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from connectors.errors import UserError
from curation.extract.main_text.extractor import Extractor
from curation.extract.main_text.weights import load_model
from curation.extract.train.domains import FOLDS, fold_of
from curation.extract.train.gold import GoldPage


def extractor_of_page(folder: Path) -> Callable[[GoldPage], Extractor]:
    """Which extractor is blind to a page. Raises `UserError` where the folder lacks weights of a fold."""
    paths = [folder / f"fold-{fold}.npz" for fold in range(FOLDS)]
    for path in paths:
        if not path.is_file():
            raise UserError(
                f"No weights '{path}': make them with python -m curation.extract.train DATA --folds-to {folder}"
            )
    extractors = [Extractor(load_model(path)) for path in paths]
    return lambda page: extractors[fold_of(page.url or page.id)]
