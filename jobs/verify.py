"""Checks that a run is still what its manifest says.

corpusmill verify RUN
"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from curation.audit.show import plain
from curation.audit.verify import verify
from jobs import command
from jobs.command import output, status


def main(run: Annotated[str, typer.Argument(help="Folder of the run.")]) -> None:
    """Check every file's hash, every count and every document's fate. Exit code 1 if anything is wrong."""
    with status.status("") as shown:
        problems = verify(run, lambda path: shown.update(Text(plain(path))))
    for problem in problems:
        output.print(f"✗ {problem}", markup=False, highlight=False, soft_wrap=True)
    if problems:
        raise typer.Exit(1)
    output.print(f"✓ {run}: every file, count and fate is as the manifest says", markup=False, soft_wrap=True)


if __name__ == "__main__":
    command.run(main)
