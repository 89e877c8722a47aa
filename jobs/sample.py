"""Composes a sample crawl with the truth about every page beside it.

corpusmill sample DIR --pages 10000 --seed 1
corpusmill sample DIR --against RUN
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from curation.audit.truth import compare, comparison_tables
from curation.sample import write_sample
from jobs import command
from jobs.command import output, status


def main(
    folder: Annotated[Path, typer.Argument(help="Folder of the sample: crawl/ and truth/ lie in it.")],
    pages: Annotated[int, typer.Option(min=1, help="Pages to compose.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another crawl; the same seed, the same bytes.")] = 1,
    pages_per_file: Annotated[int, typer.Option(min=1, help="Pages of an archive.")] = 1000,
    against: Annotated[str, typer.Option(help="Compare with this run's ledger instead of composing.")] = "",
) -> None:
    """Compose a sample crawl and its truth, or hold a run of it against that truth (exit code 1 if a fate differs)."""
    if against:
        comparison = compare(folder, against)
        for table in comparison_tables(comparison):
            output.print(table)
        if comparison.differences:
            raise typer.Exit(1)
        return
    columns = (TextColumn("sample"), BarColumn(24), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=status, disable=not status.is_terminal) as bar:
        task = bar.add_task("sample", total=pages)
        summary = write_sample(folder, pages, seed, pages_per_file, lambda done: bar.update(task, completed=done))
    output.print(
        f"{pages:,} pages in {summary.files} archives, {summary.bytes / 1e6:.1f} MB, below {folder}/crawl; "
        f"what should become of each: {folder}/truth",
        highlight=False,
        soft_wrap=True,
    )


if __name__ == "__main__":
    command.run(main)
