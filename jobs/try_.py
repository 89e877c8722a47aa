"""Tries a recipe on one document: what every step and every rule says of it, and where.

corpusmill try fineweb --file page.html
corpusmill try mine.yaml --file page.html --html blocks.html
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from connectors.errors import UserError
from connectors.records import Media
from curation.audit.pages import page
from curation.audit.show_page import page_parts
from curation.audit.show_trial import SHOWN_TEXT, as_json, only, trial_page
from curation.pipeline.try_document import Trial, try_document
from curation.recipes.load import load_recipe
from curation.report.trial_page import trial_html
from jobs import command
from jobs.command import output

STANDARD_INPUT = "-"
MEDIA: dict[str, Media] = {".html": "html", ".htm": "html", ".xhtml": "html", ".txt": "text"}


def main(
    recipe: Annotated[str, typer.Argument(help="A shipped recipe's name (fineweb), or a YAML file.")],
    text: Annotated[str | None, typer.Option(help="The document's text; - reads it from standard input.")] = None,
    file: Annotated[str | None, typer.Option(help="A page (.html) or a text (.txt); - reads a text.")] = None,
    url: Annotated[str, typer.Option(help="The document's address; alone, only the url filter is asked.")] = "",
    set: Annotated[
        list[str] | None, typer.Option("--set", help="Changes the recipe: key.key=value; may be repeated.")
    ] = None,
    mark: Annotated[str, typer.Option(help="Marks only what this reason is about; default: all that fired.")] = "",
    characters: Annotated[int, typer.Option(min=0, help="Of each text shown, at most so many; 0: all.")] = SHOWN_TEXT,
    html: Annotated[
        str | None, typer.Option(help="Also writes the page block by block into this file; engine fast.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The same as JSON.")] = False,
) -> None:
    """Take one document through every step of a recipe, past the first verdict; show values, thresholds and offending places."""
    if text is not None and file is not None or not (url or text is not None or file is not None):
        raise UserError("Give the document by --text or by --file, or an address alone by --url")
    loaded = load_recipe(recipe, set or [])
    media, content = document(text, file, loaded.read.record_bytes)
    trial = try_document(loaded, url=url, media=media, content=content)
    if mark:
        trial = only(trial, mark)
    if html is not None:
        write_html(trial, html)
    if json:
        print(as_json(trial))
        return
    console = page(output)
    for part in (*trial_page(trial, console.is_terminal, characters), *page_parts(trial.page, characters)):
        console.print(part, soft_wrap=not console.is_terminal)


def write_html(trial: Trial, path: str) -> None:
    """Writes the page of a trial block by block. Raises `UserError` where there is none, or the file cannot be written."""
    if trial.page is None:
        raise UserError("--html is for a page (--file page.html) and a recipe with 'extract: {engine: fast}'")
    try:
        Path(path).write_text(trial_html(trial.recipe, trial.url, trial.page), encoding="utf-8")
    except OSError as error:
        raise UserError(f"Cannot write {path}: {(error.strerror or 'refused').lower()}") from None


def document(text: str | None, file: str | None, most: int) -> tuple[Media, bytes | None]:
    """What was given, as a reader of records would give it; a byte more than `most` at most. Raises `UserError`."""
    if STANDARD_INPUT in (text, file):
        return "text", sys.stdin.buffer.read(most + 1)
    if text is not None:
        return "text", text.encode("utf-8", "surrogateescape")  # bytes on the command line that are no UTF-8 stay
    if file is None:
        return "", None
    suffix = Path(file).suffix.lower()
    if suffix not in MEDIA:
        raise UserError(f"{file} is neither a page nor a text by its name: a file ends in {', '.join(MEDIA)}")
    try:
        with open(file, "rb") as opened:
            return MEDIA[suffix], opened.read(most + 1)
    except OSError as error:
        raise UserError(f"Cannot read {file}: {(error.strerror or 'refused').lower()}") from None


if __name__ == "__main__":
    command.run(main)
