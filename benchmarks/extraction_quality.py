"""What the engine `fast` expects of its texts against what is measured, and what leaning to precision or recall gives.

    python -m benchmarks.extraction_quality GOLD --folds FOLDER    each page by the weights that saw nothing of its domain
    python -m benchmarks.extraction_quality GOLD                   by the weights that ship, which have seen these pages

Three tables: pages by their measure `extraction_quality`; what stays, and how good it is, where a recipe draws a line
(`extract.min_quality`); precision, recall and F1 of words with each `extract.favour`. Means over pages with a main text that is
known in full. The last line has the mean distance between expected and measured F1 over ten groups of equally many pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import mean
from typing import Annotated

import numpy as np
import numpy.typing as npt
import typer
from rich.table import Table

from benchmarks.fold_weights import extractor_of_page
from benchmarks.gold_pages import gold_pages
from benchmarks.script_words import precision_recall_f1
from curation.extract import charset
from curation.extract.main_text.extractor import Extractor, MainText, Output
from curation.extract.main_text.weights import shipped_model
from curation.extract.step import BETAS
from curation.extract.train.gold import GoldPage
from jobs import command
from jobs.command import output

GROUPS = 10
LINES = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9)
NUMBERS = (0.4, 1.6)  # of beta, beside those that have a word

Extract = Callable[[GoldPage, Output], MainText]
Values = npt.NDArray[np.float64]
Score = tuple[float, float, float]  # precision, recall, F1


def main(
    data: Annotated[str, typer.Argument(help="Folder of the gold pages.")],
    folds: Annotated[Path | None, typer.Option(help="Folder of the weights of each fold.")] = None,
) -> None:
    """Prints the tables, and the distance in one line at the end."""
    pages = [page for page in gold_pages(data) if page.main]
    extract = by_folds(folds) if folds else by_shipped()
    found = [extract(page, Output()) for page in pages]
    scores = [precision_recall_f1(text.text, page.main or "") for text, page in zip(found, pages, strict=True)]
    expected, measured = np.array([text.expected_f1 for text in found]), np.array([score[2] for score in scores])
    groups = np.array_split(np.argsort(expected, kind="stable"), GROUPS)
    output.print(reliability(expected, measured, groups))
    output.print(lines(expected, measured))
    output.print(leaning(pages, extract, scores))
    distance = mean(abs(float(expected[group].mean() - measured[group].mean())) for group in groups)
    output.print(
        f"extraction_quality pages={len(pages)} expected={expected.mean():.3f} measured={measured.mean():.3f}"
        f" distance={distance:.3f}",
        highlight=False,
        soft_wrap=True,
    )


def by_shipped() -> Extract:
    """The weights that ship."""
    extractor = Extractor(shipped_model())
    return lambda page, wanted: extractor.extract(utf8(page), wanted)


def by_folds(folder: Path) -> Extract:
    """Each page by the weights that saw nothing of its domain."""
    extractor_of = extractor_of_page(folder)
    return lambda page, wanted: extractor_of(page).extract(utf8(page), wanted)


def utf8(page: GoldPage) -> bytes:
    """A page as the engine takes it."""
    return charset.to_utf8(page.html, page.charset) or b""


def reliability(expected: Values, measured: Values, groups: Sequence[npt.NDArray[np.int64]]) -> Table:
    """Expected beside measured F1 in groups of equally many pages."""
    drawn = Table("expected from", "to", "pages", "mean expected", "mean measured", title="Expected and measured F1")
    for group in groups:
        values = (expected[group].min(), expected[group].max())
        means = (expected[group].mean(), measured[group].mean())
        drawn.add_row(*(f"{v:.2f}" for v in values), str(len(group)), *(f"{v:.3f}" for v in means))
    return drawn


def lines(expected: Values, measured: Values) -> Table:
    """What stays above a line, and how good it is; a page without text is below every line but the first."""
    drawn = Table("min_quality", "pages that stay", "F1 of those", "F1 of the removed", title="A line")
    for line in LINES:
        stays = expected >= line
        removed = f"{measured[~stays].mean():.3f}" if not stays.all() else "–"
        drawn.add_row(f"{line:.1f}", f"{stays.mean():.1%}", f"{measured[stays].mean():.3f}", removed)
    return drawn


def leaning(pages: Sequence[GoldPage], extract: Extract, balanced: Sequence[Score]) -> Table:
    """Precision, recall and F1 with each word and number that a recipe can favour."""
    drawn = Table("favour", "beta", "precision", "recall", "F1", title="Leaning")
    wanted = [*BETAS.items(), *((f"{number:g}", number) for number in NUMBERS)]
    for word, beta in wanted:
        if beta is None:
            scores, told = balanced, "the weights' own"
        else:
            scores, told = list(scored(pages, extract, beta)), f"{beta:g}"
        drawn.add_row(word, told, *(f"{mean(column):.3f}" for column in zip(*scores, strict=True)))
    return drawn


def scored(pages: Sequence[GoldPage], extract: Extract, beta: float) -> Iterator[Score]:
    """The scores of all pages with a beta."""
    for page in pages:
        yield precision_recall_f1(extract(page, Output(beta=beta)).text, page.main or "")


if __name__ == "__main__":
    command.run(main)
