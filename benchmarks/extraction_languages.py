"""Main text in eight languages: `fast` beside resiliparse and trafilatura on composed pages (see benchmarks.language_pages).

    python -m benchmarks.extraction_languages

A figure is the mean F1 over a language's pages, counted in words or, where a script has no blanks between them, in pairs of
characters (see benchmarks.script_words). The headline is neither required nor held against a text. The last line has, for each
language, the F1 of `fast` less that of the better of the two others, and the least of these.
"""

from __future__ import annotations

from statistics import mean
from typing import Annotated

import typer
from rich.table import Table

from benchmarks.extractors import EXTRACTORS
from benchmarks.language_pages.composing import LANGUAGES, ComposedPage, composed_pages
from benchmarks.language_pages.templating import templates
from benchmarks.script_words import precision_recall_f1
from jobs import command
from jobs.command import output

Scores = dict[tuple[str, str, str], list[tuple[float, float, float]]]  # by language, template and extractor


def main(
    detail: Annotated[bool, typer.Option(help="A table by template, too.")] = False,
) -> None:
    """Prints the tables, and the differences in one line at the end."""
    found = scores()
    output.print(by_language(found))
    if detail:
        output.print(by_template(found))
    ahead = {
        language: f1(found, language, "fast") - max(f1(found, language, peer) for peer in EXTRACTORS if peer != "fast")
        for language in LANGUAGES
    }
    line = " ".join(f"{language}={value:+.3f}" for language, value in ahead.items())
    output.print(
        f"extraction_languages worst_against_best_peer={min(ahead.values()):+.3f} {line}",
        highlight=False,
        soft_wrap=True,
    )


def scores() -> Scores:
    """Precision, recall and F1 of each page."""
    extractors = {name: make() for name, make in EXTRACTORS.items()}
    found: Scores = {}
    for language in LANGUAGES:
        for page in composed_pages(language):
            for name, extract in extractors.items():
                text = without_title(extract(page.html, "utf-8"), page)
                found.setdefault((language, page.template, name), []).append(precision_recall_f1(text, page.main))
    return found


def without_title(text: str, page: ComposedPage) -> str:
    """A text without the lines that are the page's headline."""
    return "\n".join(line for line in text.splitlines() if line.strip(" #\t") != page.title)


def f1(found: Scores, language: str, extractor: str) -> float:
    """Mean F1 over a language's pages."""
    return mean(
        value[2] for (of, _, by), values in found.items() if (of, by) == (language, extractor) for value in values
    )


def by_language(found: Scores) -> Table:
    """F1, precision and recall by language."""
    drawn = Table("", *(f"{name} F1 (P / R)" for name in EXTRACTORS), title="Composed pages by language")
    for language in LANGUAGES:
        cells = []
        for extractor in EXTRACTORS:
            values = [v for (of, _, by), vs in found.items() if (of, by) == (language, extractor) for v in vs]
            precision, recall, together = (mean(column) for column in zip(*values, strict=True))
            cells.append(f"{together:.3f} ({precision:.3f} / {recall:.3f})")
        drawn.add_row(language, *cells)
    return drawn


def by_template(found: Scores) -> Table:
    """F1 of `fast` by template and language, with the better of the others behind it."""
    drawn = Table("", *LANGUAGES, title="F1 of fast / of the better of the others")
    for template in templates():
        cells = []
        for language in LANGUAGES:
            means = {name: mean(v[2] for v in found[language, template, name]) for name in EXTRACTORS}
            cells.append(f"{means.pop('fast'):.2f}/{max(means.values()):.2f}")
        drawn.add_row(template, *cells)
    return drawn


if __name__ == "__main__":
    command.run(main)
