"""Makes the shards of a run without what was erased from them: a new order, for trainings that begin.

corpusmill compact RUN --yes
"""

from __future__ import annotations

import datetime
import sys
from typing import Annotated

import typer

from connectors.errors import UserError
from curation.audit.erase.compaction import compact
from curation.audit.erase.erasing import erasing
from jobs import command
from jobs.command import output, status


def main(
    run: Annotated[str, typer.Argument(help="Folder of the run.")],
    yes: Annotated[bool, typer.Option("--yes", help="Compact without asking.")] = False,
    date: Annotated[str, typer.Option(help="Of the account, YYYY-MM-DD; default: today.")] = "",
) -> None:
    """Take erased spans out of the shards. Documents move up: trainings that have begun can't go on with the run."""
    try:
        day = datetime.date.fromisoformat(date).isoformat() if date else datetime.date.today().isoformat()
    except ValueError:
        raise UserError(f"--date {date[:20]} is no day: write it as 2026-01-31") from None
    with erasing(run, ()) as erasure:
        if not yes:
            if not sys.stdin.isatty():
                raise UserError("Nothing was changed: say --yes to compact")
            typer.confirm(f"Compact {run}? Trainings that have begun can't go on with it", abort=True)
        with status.status("compacting"):
            number = compact(erasure, day)
    told = (
        f"✓ compacted; the account is {run}/erasures/{number}.json"
        if number
        else "✓ nothing was erased: nothing to compact"
    )
    output.print(told, markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    command.run(main)
