"""Tells at which steps a page was or will be trained on. The other way, from a step to its pages, is `corpusmill trace`.

corpusmill seen RUN --url URL
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group
from rich.table import Table
from rich.text import Text

from connectors.errors import UserError, nearest
from curation.audit.find import NOT_A_RESPONSE, why
from curation.audit.show import ending, plain
from curation.audit.story import Ledger, Story
from jobs import command
from jobs.command import output
from trainer.data.manifest import TRAIN
from trainer.data.plan import DataPlan
from trainer.data.trace import steps_of_document
from trainer.load_config import load_training, settled


def main(
    run: Annotated[str, typer.Argument(help="Folder of the curation run.")],
    url: Annotated[str, typer.Option(help="The page's URL.")],
    name: Annotated[str, typer.Option(help="Which training of the run.")] = "train",
    config: Annotated[str, typer.Option(help="A training's YAML file, for one that has not started.")] = "",
    rows: Annotated[int, typer.Option(min=1, help="Most rows of a table.")] = 50,
) -> None:
    """At which steps was, or will, a page be trained on? Computed, not logged; `trace --step` is the other way."""
    plan = plan_of(run, name, config)
    stories = why(str(plan.run), url)
    for story in [story for story in stories if story.fate["reason"] != NOT_A_RESPONSE] or stories:
        output.print(page_account(plan, story, rows))


def plan_of(run: str, name: str, config: str) -> DataPlan:
    """The plan of a training of the run, or of one that a file describes."""
    folder = Path(run)
    if not folder.is_dir():
        raise UserError(f"'{run}' holds no run: there is no such folder. Curate one: corpusmill curate")
    path = Path(config) if config else folder / "train" / name / "config.yaml"
    if not config and not path.is_file():
        others = sorted(found.parent.name for found in (folder / "train").glob("*/config.yaml"))
        hint = (
            nearest(name, others)
            if others
            else f" Start one: corpusmill train --run {run}; or ask before: --config FILE"
        )
        raise UserError(f"There is no training '{name}' in '{run}'.{hint}")
    return settled(load_training(path), folder)[1]


def page_account(plan: DataPlan, story: Story, most: int) -> Group:
    """Where a page is trained on, a row a sample; a sentence where it is not."""
    page, fate = plain(story.record["url"] or story.doc_id), story.fate
    if fate["fate"] != "kept" and fate["shard"]:
        return Group(Text(f"{page}\nis not trained on any more: it was erased, and its tokens weigh nothing"))
    if fate["fate"] != "kept":
        return Group(Text(f"{page}\nis never trained on: it was {fate['fate']} by {fate['step']} ({ending(story)})"))
    source = fate["shard"].rpartition("/")[0]
    if source not in plan.source_names:
        part = Ledger(str(plan.run)).shards[fate["shard"]].get("part", TRAIN)
        cause = (
            f"its source '{source}' is in no stage of the training" if part == TRAIN else f"it is held out for {part}"
        )
        return Group(Text(f"{page}\nis never trained on: {cause}"))
    number = plan.source_names.index(source)
    document = plan.sources[number].document_at(fate["shard"], fate["position"])
    seen = steps_of_document(plan, number, document)
    trained, steps = sum(one.trained for one in seen), len({one.step for one in seen})
    told = f"source {source}, {fate['tokens']:,} tokens. {trained:,} tokens in {steps:,} of {plan.steps:,} steps"
    heading = Text(f"{page}\n{told}")
    if not seen:
        return Group(heading)
    table = figures_table(None, ("step", "epoch", "sequence", "from position", "tokens"))
    for one in seen[:most]:
        figures = (one.step, one.epoch + 1, one.sample, one.first, one.trained)
        table.add_row(*(f"{figure:,}" for figure in figures))
    return Group(heading, capped(table, len(seen), most))


def figures_table(title: str | None, figures: tuple[str, ...]) -> Table:
    """A table whose first columns are figures."""
    table = Table(title=title and Text(title), title_justify="left", header_style="bold", pad_edge=False)
    for heading in figures:
        table.add_column(heading, justify="right")
    return table


def capped(table: Table, count: int, most: int) -> Table:
    """The table with a line below it that says what was left out."""
    if count > most:
        table.caption, table.caption_justify = Text(f"and {count - most:,} more; --rows {count} shows them all"), "left"
    return table


if __name__ == "__main__":
    command.run(main)
