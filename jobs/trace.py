"""Tells which page a token comes from.

corpusmill trace RUN --shard SOURCE/00000 --token 123456
"""

from __future__ import annotations

from typing import Annotated

import typer

from curation.audit.find import text_of, trace
from curation.audit.show import story_panel
from jobs import command
from jobs.command import output


def main(
    run: Annotated[str, typer.Argument(help="Folder of the run.")],
    shard: Annotated[str, typer.Option(help="The shard, SOURCE/00000.")],
    token: Annotated[int, typer.Option(help="Position of the token in the shard, from 0.")],
) -> None:
    """Which page does a token come from: shard and position to URL, archive and offset."""
    story = trace(run, shard, token)
    output.print(story_panel(story, text_of(run, story)))


if __name__ == "__main__":
    command.run(main)
