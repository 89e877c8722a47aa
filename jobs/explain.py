"""Explains a recipe: its steps, rules and passes, in the order in which they are done.

corpusmill explain fineweb
"""

from __future__ import annotations

from typing import Annotated

import typer

from curation.audit.pages import page
from curation.audit.show_recipe import recipe_page
from curation.audit.story import Ledger
from curation.pipeline.explain import explain
from curation.pipeline.fired import fired, never_fired
from curation.recipes.load import load_recipe
from jobs import command
from jobs.command import output


def main(
    recipe: Annotated[str, typer.Argument(help="A shipped recipe's name (fineweb), or a YAML file.")],
    set: Annotated[
        list[str] | None, typer.Option("--set", help="Changes the recipe: key.key=value; may be repeated.")
    ] = None,
    run: Annotated[str, typer.Option(help="A finished run: counts how often each rule fired in it.")] = "",
) -> None:
    """What a recipe does: steps, measures, thresholds, columns, files, passes, memory, sources."""
    loaded = load_recipe(recipe, set or [])
    manifest = Ledger(run).manifest if run else None
    console = page(output)
    for part in recipe_page(explain(loaded), None if manifest is None else fired(manifest)):
        console.print(part)
    if manifest is not None and (told := never_fired(manifest)):
        output.print(f"\n{told}", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    command.run(main)
