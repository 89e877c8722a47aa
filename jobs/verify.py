"""Reads every byte of a run again and counts every document.

corpusmill verify RUN
corpusmill verify RUN --file shards/web/00000.bin
"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.text import Text

from connectors.errors import UserError
from curation.audit.finding import findings_table
from curation.audit.pages import page
from curation.audit.show import plain
from curation.audit.story import Ledger
from curation.audit.verify import prove_file, root_of, verify
from jobs import command
from jobs.command import output, status

SHOWN = 40  # characters of a path beside the bar


def main(
    run: Annotated[str, typer.Argument(help="Folder of the run.")],
    file: Annotated[str, typer.Option(help="One file only: its hash, and the proof that it is part of the run.")] = "",
    root: Annotated[str, typer.Option(help="The Merkle root that the run must have, as it was published.")] = "",
) -> None:
    """Check every file's hash, every count and every document's place and fate. Exit code 1 if anything is wrong."""
    ledger = Ledger(run)
    found = root_of(ledger)
    if root and root.lower() != found:
        raise UserError(f"{run} has the Merkle root {found}, not {root}: it is another run, or was made again")
    if file:
        prove(run, file, found)
        return
    sizes = {path: int(written["bytes"]) for path, written in ledger.manifest["files"].items()}
    with bar(sum(size * (1 + path.endswith(".bin")) for path, size in sizes.items())) as shown:  # tokens are read twice
        task = shown.task_ids[0]
        findings = verify(run, lambda path, count: shown.update(task, advance=count, description=short(path)))
    if findings:
        page(output).print(findings_table(findings))
        raise typer.Exit(1)
    output.print(f"✓ {run}: every file, count and fate is as the manifest says", markup=False, soft_wrap=True)
    output.print(f"  Merkle root {found}", highlight=False, soft_wrap=True)


def bar(total: int) -> Progress:
    """A bar over bytes, on standard error; none where that is no terminal."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    progress = Progress(*columns, console=status, transient=True, disable=not status.is_terminal)
    progress.add_task("", total=total)
    return progress


def short(path: str) -> str:
    """The end of a path, which tells it apart."""
    shown = plain(path)
    return shown if len(shown) <= SHOWN else f"…{shown[1 - SHOWN :]}"


def prove(run: str, file: str, root: str) -> None:
    """Prints a file's leaf and the hashes beside it on its way to the root."""
    line, proof, findings = prove_file(run, file)
    if findings:
        page(output).print(findings_table(findings))
        raise typer.Exit(1)
    steps = [f"{'left ' if sibling.is_left else 'right'} {sibling.hash.hex()}" for sibling in proof]
    output.print(Text("\n".join([f"leaf  {line}", *steps, f"root  {root}"])), soft_wrap=True)


if __name__ == "__main__":
    command.run(main)
