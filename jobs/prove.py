"""Proves what is promised of training: each proof prints a table and, as its last line, one figure.

corpusmill prove
corpusmill prove layouts resume
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from connectors.errors import UserError, missing_extra, nearest
from jobs import command
from jobs.command import output, status
from trainer.launch import RankCrashed


def main(
    proofs: Annotated[
        list[str] | None,
        typer.Argument(help="order, layouts, resume, reshard, backends, mutants; without one, all of them."),
    ] = None,
) -> None:
    """Prove order, layouts, resume, reshard and backends on a toy model. Exit code 1 unless all hold."""
    chosen = list(dict.fromkeys(proofs or PROOFS))
    for name in chosen:
        if name not in PROOFS:
            raise UserError(f"There is no proof '{name}'.{nearest(name, PROOFS)}")
        for module, package in NEEDS.get(name, {}).items():
            if importlib.util.find_spec(module) is None:
                raise missing_extra(package, "train")
    try:
        held = [_shown(name, PROOFS[name]) for name in chosen]
    except RankCrashed as crash:
        status.print(str(crash), markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None
    if not all(held):
        raise typer.Exit(1)


def _shown(name: str, proof: Callable[[Console], bool]) -> bool:
    with status.status(f"prove {name}"):
        return proof(output)


def _order(console: Console) -> bool:
    from trainer.prove.order import prove_order

    proof = prove_order()
    table = Table(title="The data's order against a slow, obvious one", title_justify="left")
    for column in ("", "compared", "differ", ""):
        table.add_column(column, justify="right" if column else "left")
    for row in proof.rows:
        sound = bool(row.compared) and not row.differences
        table.add_row(row.what, f"{row.compared:,}", f"{row.differences:,}", "✓" if sound else "✗")
    console.print(table)
    compared = sum(row.compared for row in proof.rows)
    console.print(f"{sum(row.differences for row in proof.rows)} of {compared:,} comparisons differ", highlight=False)
    return proof.holds


def _proof(name: str) -> Callable[[Console], bool]:
    """A proof of the room `trainer.prove`, imported when it is asked for."""

    def prove(console: Console) -> bool:
        return bool(importlib.import_module(f"trainer.prove.{name}").prove(console))

    return prove


PROOFS: dict[str, Callable[[Console], bool]] = {
    "order": _order,
    **{name: _proof(name) for name in ("layouts", "resume", "reshard", "backends", "mutants")},
}
NEEDS = {name: {"torch": "torch", "megatron": "megatron-core"} for name in PROOFS if name != "order"}

if __name__ == "__main__":
    command.run(main)
