"""Tells why a page is in or out.

corpusmill why RUN --url URL
"""

from __future__ import annotations

from typing import Annotated

import typer

from connectors.errors import UserError
from curation.audit.find import NOT_A_RESPONSE, text_of, why
from curation.audit.show import story_panel
from curation.audit.story import NO_TEXT, Ledger
from jobs import command
from jobs.command import output


def main(
    run: Annotated[str, typer.Argument(help="Folder of the run.")],
    url: Annotated[str, typer.Option(help="The page's URL.")] = "",
    id: Annotated[str, typer.Option(help="The document's id, 32 hex digits.")] = "",
) -> None:
    """Why is this page in, or out: its way through the steps, the reason, the value and the threshold."""
    if bool(url) == bool(id):
        raise UserError("Name the page by --url, or the document by --id")
    stories, ledger = why(run, url, id), Ledger(run)
    pages = [story for story in stories if story.fate["reason"] != NOT_A_RESPONSE] or stories
    for story in pages:
        output.print(story_panel(story, text_of(ledger, story)))
    if not ledger.keeps_text:
        output.print(f"This run {NO_TEXT}", style="dim")
    if others := len(stories) - len(pages):
        output.print(f"and {others} records of the same URL that are no response (request, metadata)", style="dim")


if __name__ == "__main__":
    command.run(main)
