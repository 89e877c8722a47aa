"""Fits the weights of the engine `fast` to annotated pages, and tells how good they are on domains that they have not seen.

python -m curation.extract.train DATA --weights weights.npz
python -m curation.extract.train DATA --folds-to FOLDER       the weights of each fold too, for benchmarks.extraction
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from connectors.errors import UserError
from curation.extract.train.boosted_trees import Arrays, lightgbm
from curation.extract.train.calibration import calibration
from curation.extract.train.command import run
from curation.extract.train.corpus import read_corpus
from curation.extract.train.cross_validation import HeldOut, expected_and_measured, figures, fitted_folds, held_out
from curation.extract.train.domains import FOLDS
from curation.extract.train.gold import gold_pages
from curation.extract.train.provenance import provenance
from curation.extract.train.stages import WHOLE, fit_weights
from curation.extract.train.weights_file import save_weights

LEAST_FOLDS = 3  # one that is held out, and two of which each can be blind to the other


def main(
    data: Annotated[str, typer.Argument(help="Folder of the annotated pages (see curation.extract.train.gold).")],
    folds_to: Annotated[Path | None, typer.Option(help="Folder for the weights of each fold.")] = None,
    weights: Annotated[Path, typer.Option(help="File for the weights from all pages.")] = Path("weights.npz"),
    threads: Annotated[int, typer.Option(help="Of LightGBM; the weights do not depend on it.", min=1)] = 1,
) -> None:
    """Cross-validates, then fits to all pages, and writes weights.npz and weights.txt."""
    lightgbm()  # its absence is told before the work begins
    corpus = read_corpus(gold_pages(data))
    tell(f"{len(corpus.pages)} pages, {len(corpus.labels)} blocks")
    folds = len(set(corpus.folds.tolist()))
    if folds < LEAST_FOLDS:
        raise UserError(
            f"'{data}' has pages with a main text in {folds} of {FOLDS} folds of registered domains: add sites"
        )
    found: list[HeldOut] = []
    by_fold: dict[int, Arrays] = {}
    for fold, arrays in fitted_folds(corpus, threads, tell):
        by_fold[fold] = arrays
        found += held_out(corpus, fold, arrays)
        if folds_to:
            save_weights(folds_to / f"fold-{fold}.npz", arrays)
    texts = {held.page: held.text for held in found}
    measured = figures(corpus.pages, [texts[page] for page in range(len(corpus.pages))])
    for name, (count, value) in measured.items():
        typer.echo(f"{name:<16}{count:>6} pages  {value:.4f}")
    tell("all folds")
    knots = calibration(*expected_and_measured(corpus, found))
    save_weights(weights, {**fit_weights(corpus, WHOLE, threads, tell, by_fold), "calibration": knots})
    told = provenance(weights, corpus, measured, knots.tolist())
    weights.with_suffix(".txt").write_text(told, encoding="utf-8")
    typer.echo(f"{weights} and {weights.with_suffix('.txt')}")


def tell(what: str) -> None:
    """Progress, on standard error."""
    print(f"{time.process_time():7.1f} CPU s  {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    run(main)
