"""Writes the auditor's page of a run.

corpusmill report RUN
"""

from __future__ import annotations

from typing import Annotated

import typer

from curation.report.page import PATH, write_report
from jobs import command
from jobs.command import output, status


def main(run: Annotated[str, typer.Argument(help="Folder of the run.")]) -> None:
    """One self-contained page for the auditor: RUN/report/index.html, to open in a browser."""
    with status.status("reading the ledger"):
        written = write_report(run)
    path = f"{run.rstrip('/')}/{PATH}"
    output.print(f"{path}  {written.bytes / 1000:,.0f} kB", markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    command.run(main)
