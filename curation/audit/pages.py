"""Where tables of many columns are printed: as wide as a terminal is, and without any wrapping into a file or a pipe."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

WIDE = 10_000  # characters: no line is longer, so that each row of a table stays one line


def page(console: Console) -> Console:
    """The console itself in a terminal, else one that writes to the same place, plain and unwrapped."""
    if console.is_terminal:
        return console
    return Console(file=console.file, markup=False, highlight=False, no_color=True, width=WIDE)


def open_table(title: str, *columns: str, right: tuple[str, ...] = ()) -> Table:
    """A table without lines, whose columns fold where they must."""
    table = Table(
        title=title, title_justify="left", header_style="bold", pad_edge=False, box=None, padding=(0, 2, 0, 0)
    )
    for column in columns:
        table.add_column(column, overflow="fold", justify="right" if column in right else "left")
    return table
