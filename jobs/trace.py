"""Tells which page a token comes from, and which pages were or will be in a whole step of a training.

corpusmill trace RUN --shard SOURCE/00000 --token 123456
corpusmill trace RUN --step 1234
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Annotated, Any

import pyarrow as pa
import typer
from rich.table import Table
from rich.text import Text

from connectors.errors import UserError
from curation.audit.find import text_of, trace
from curation.audit.pages import page
from curation.audit.show import plain, story_panel
from curation.audit.story import NO_TEXT, Ledger
from curation.audit.tokens import FIRST_TOKEN, documents_numbered, records_of
from jobs import command
from jobs.command import output
from jobs.seen import capped, figures_table, plan_of
from trainer.data.plan import DataPlan
from trainer.data.trace import Part, documents_of_step

IDENTITY = ("source", "url", "archive", "offset")


def main(
    run: Annotated[str, typer.Argument(help="Folder of the run.")],
    shard: Annotated[str, typer.Option(help="The shard, SOURCE/00000.")] = "",
    token: Annotated[int | None, typer.Option(help="Position of the token in the shard, from 0.")] = None,
    step: Annotated[int | None, typer.Option(min=0, help="A step of a training, from 0.")] = None,
    name: Annotated[str, typer.Option(help="Which training of the run.")] = "train",
    config: Annotated[str, typer.Option(help="A training's YAML file, for one that has not started.")] = "",
    rows: Annotated[int, typer.Option(min=1, help="Most documents of a step that are listed.")] = 50,
) -> None:
    """Which page does a token come from, or a training step? From tokens to URL, archive and offset, fate and edits."""
    if bool(shard) != (token is not None) or bool(shard) == (step is not None):
        raise UserError("Name a token by --shard and --token, or a training's step by --step")
    if step is not None:
        page(output).print(step_table(plan_of(run, name, config), step, rows))
    elif token is not None:
        ledger = Ledger(run)
        story = trace(ledger, shard, token)
        output.print(story_panel(story, text_of(ledger, story)))
        if not ledger.keeps_text:
            output.print(f"This run {NO_TEXT}", style="dim")


@dataclass(frozen=True, slots=True)
class Share:
    """What a document has of a step: its shard and its number there, trained tokens, and the sequences that they are in."""

    shard: str
    number: int
    tokens: int
    sequences: int


def shares_of_step(plan: DataPlan, step: int) -> list[Share]:
    """The documents that a step trains on, those with most tokens first. Raises `UserError` for a step that is none."""
    if step >= plan.steps:
        raise UserError(f"The training has the steps 0 to {plan.steps - 1}, not {step}")
    parts: dict[tuple[str, int], list[Part]] = defaultdict(list)
    for part in documents_of_step(plan, step):
        if part.trained:
            parts[part.shard, part.index].append(part)
    shares = [
        Share(shard, number, sum(part.trained for part in found), len({part.sample for part in found}))
        for (shard, number), found in parts.items()
    ]
    return sorted(shares, key=lambda share: (-share.tokens, share.shard, share.number))


def step_table(plan: DataPlan, step: int, most: int) -> Table:
    """The documents of a step with their shares, and where each comes from."""
    shares = shares_of_step(plan, step)
    trained = sum(share.tokens for share in shares)
    told = f"{plan.sequences:,} sequences, {trained:,} trained tokens, {len(shares):,} documents"
    table = figures_table(f"Step {step:,} of {plan.steps:,}: {told}", ("tokens", "share", "sequences"))
    for heading in ("shard and token", "page", "record"):
        table.add_column(heading, overflow="fold")
    for share, who in zip(shares, identities(Ledger(str(plan.run)), shares[:most])):
        table.add_row(
            f"{share.tokens:,}",
            f"{share.tokens / trained:.2%}",
            f"{share.sequences:,}",
            Text(plain(f"{share.shard} {who[FIRST_TOKEN]}")),
            Text(plain(who["url"] or "(no URL)")),
            Text(plain(f"{who['source']}/{who['archive']} at {who['offset']}")),
        )
    return capped(table, len(shares), most)


def identities(ledger: Ledger, shares: list[Share]) -> list[dict[str, Any]]:
    """Where each document starts in its shard, and who it is: the columns `IDENTITY` of its record."""
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for shard in sorted({share.shard for share in shares}):
        numbers = [share.number for share in shares if share.shard == shard]
        documents = documents_numbered(ledger, shard, numbers)
        records: pa.Table = records_of(ledger, documents, IDENTITY).append_column(FIRST_TOKEN, documents[FIRST_TOKEN])
        found |= {(shard, number): row for number, row in zip(numbers, records.to_pylist(), strict=True)}
    return [found[share.shard, share.number] for share in shares]


if __name__ == "__main__":
    command.run(main)
