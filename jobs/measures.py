"""Lists the measures that a recipe's rules can name.

corpusmill measures
"""

from __future__ import annotations

from rich.table import Table

from curation.quality.measure import shipped
from jobs import command
from jobs.command import output


def main() -> None:
    """List the shipped measures: name, unit, what each catches, and where it comes from."""
    table = Table(header_style="bold", pad_edge=False)
    for name in ("measure", "unit", "catches", "source"):
        table.add_column(name, overflow="fold")
    for measure in shipped().values():
        table.add_row(measure.name, measure.unit, measure.catches, measure.source)
    output.print(table)


if __name__ == "__main__":
    command.run(main)
