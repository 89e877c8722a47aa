"""Tells how well a run's tokenizer fits its text.

corpusmill vocabulary RUN
"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from connectors.errors import UserError
from curation.audit.fertility import Fit, fits
from curation.audit.show import plain
from curation.audit.story import Ledger
from jobs import command
from jobs.command import output


def main(
    run: Annotated[str, typer.Argument(help="Folder of the run.")],
    rows: Annotated[int, typer.Option(help="Rows to show at most.", min=1)] = 40,
) -> None:
    """How well does the vocabulary fit? Tokens a word, bytes a token and tokens used, by source and language."""
    ledger = Ledger(run)
    found = fits(ledger)
    if not found:
        raise UserError(f"The run in {run} has no tokens, or no text was kept: there is no vocabulary to look at")
    whole = found[0]
    output.print(
        f"{whole.vocabulary:,} tokens, measured on {whole.documents:,} documents, {whole.bytes / 1e6:,.1f} MB",
        highlight=False,
    )
    output.print(table_of(found[:rows]))
    if len(found) > rows:
        output.print(f"and {len(found) - rows} rows more: --rows {len(found)}", style="dim")


def table_of(found: list[Fit]) -> Table:
    """A row for each fit."""
    table = Table()
    for name in ("source", "language"):
        table.add_column(name)
    for name in ("MB", "tokens/word", "bytes/token", "chars/token", "used"):
        table.add_column(name, justify="right", no_wrap=True)
    for fit in found:
        figures = (fit.tokens_a_word, fit.bytes_a_token, fit.characters_a_token)
        table.add_row(
            "all" if fit.source is None else plain(fit.source),
            "all" if fit.lang is None else plain(fit.lang) or "none",
            f"{fit.bytes / 1e6:,.2f}",
            *("" if value is None else f"{value:.2f}" for value in figures),
            f"{fit.used / fit.vocabulary:.1%}",
        )
    return table


if __name__ == "__main__":
    command.run(main)
