"""What an index holds, or several as one. A run makes its index with `dedup: {index: true}` in the recipe.

corpusmill index RUN
corpusmill index RUN-2024 RUN-2025 --to INDEX
"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from curation.dedup.index import merge_indexes, read_index
from jobs import command
from jobs.command import output


def main(
    indexes: Annotated[list[str], typer.Argument(help="Runs that made an index, or folders of indexes.")],
    to: Annotated[str, typer.Option(help="Folder to write all of them to, as one index.")] = "",
) -> None:
    """Show what indexes of kept documents hold, or merge them; a later run drops what they have by `dedup.against`."""
    opened = [read_index(path) for path in indexes]
    if to:
        opened = [merge_indexes(opened, to)]
    table = Table(title="Indexes of kept documents", title_justify="left", header_style="bold", pad_edge=False)
    for name in ("index", "documents", "files", "MB", "near duplicates"):
        table.add_column(name, justify="left" if name in ("index", "near duplicates") else "right", overflow="fold")
    for index in opened:
        near = (
            "no signatures" if index.signing is None else "{bands} bands of {rows}".format(**index.signing["banding"])
        )
        size = sum(file.bytes for file in index.files) / 1e6
        table.add_row(index.folder, f"{index.documents:,}", f"{len(index.files):,}", f"{size:,.1f}", near)
    output.print(table)


if __name__ == "__main__":
    command.run(main)
