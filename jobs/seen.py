"""Tells at which steps a page was or will be trained on, and what was in a step.

corpusmill seen RUN --url URL
corpusmill seen RUN --step 1234
"""

from __future__ import annotations

from collections import defaultdict
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
from trainer.data.plan import DataPlan
from trainer.data.trace import Part, documents_of_step, steps_of_document
from trainer.load_config import load_training, settled


def main(
    run: Annotated[str, typer.Argument(help="Folder of the curation run.")],
    url: Annotated[str, typer.Option(help="At which steps is this page trained on?")] = "",
    step: Annotated[int | None, typer.Option(min=0, help="Which documents are in this step?")] = None,
    name: Annotated[str, typer.Option(help="Which training of the run.")] = "train",
    config: Annotated[str, typer.Option(help="A training's YAML file, for one that has not started.")] = "",
    rows: Annotated[int, typer.Option(min=1, help="Most rows of a table.")] = 50,
) -> None:
    """At which steps a page was or will be trained on, or which documents are in a step. Computed, not logged."""
    if bool(url) == (step is not None):
        raise UserError("Name a page by --url, or a step by --step")
    plan = plan_of(run, name, config)
    if step is not None:
        output.print(step_table(plan, step, rows))
        return
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
    if fate["fate"] != "kept":
        return Group(Text(f"{page}\nis never trained on: it was {fate['fate']} by {fate['step']} ({ending(story)})"))
    source = fate["shard"].rpartition("/")[0]
    if source not in plan.source_names:
        return Group(Text(f"{page}\nis never trained on: its source '{source}' is in no stage of the training"))
    number = plan.source_names.index(source)
    document = plan.sources[number].document_at(fate["shard"], fate["position"])
    seen = steps_of_document(plan, number, document)
    trained, steps = sum(one.trained for one in seen), len({one.step for one in seen})
    told = f"source {source}, {fate['tokens']:,} tokens. {trained:,} tokens in {steps:,} of {plan.steps:,} steps"
    heading = Text(f"{page}\n{told}")
    if not seen:
        return Group(heading)
    table = _table(None, ("step", "epoch", "sequence", "from position", "tokens"))
    for one in seen[:most]:
        figures = (one.step, one.epoch + 1, one.sample, one.first, one.trained)
        table.add_row(*(f"{figure:,}" for figure in figures))
    return Group(heading, _capped(table, len(seen), most))


def step_table(plan: DataPlan, step: int, most: int) -> Table:
    """The documents of a step, those with most tokens first."""
    if step >= plan.steps:
        raise UserError(f"The training has the steps 0 to {plan.steps - 1}, not {step}")
    parts: dict[tuple[str, int], list[Part]] = defaultdict(list)
    for part in documents_of_step(plan, step):
        parts[part.shard, part.index].append(part)
    tokens = {document: sum(part.trained for part in of_document) for document, of_document in parts.items()}
    listed = sorted((document for document in parts if tokens[document]), key=lambda one: (-tokens[one], one))
    urls = _urls(str(plan.run), listed[:most])
    told = f"{plan.sequences:,} sequences, {sum(tokens.values()):,} trained tokens, {len(listed):,} documents"
    table = _table(f"Step {step:,} of {plan.steps:,}: {told}", ("tokens", "sequences"))
    for heading in ("source", "page"):
        table.add_column(heading, overflow="fold")
    for document in listed[:most]:
        of_document = parts[document]
        sequences = len({part.sample for part in of_document})
        page = Text(plain(urls.get(document, "") or "(no URL)"))
        table.add_row(f"{tokens[document]:,}", f"{sequences:,}", Text(of_document[0].source), page)
    return _capped(table, len(listed), most)


def _urls(run: str, documents: list[tuple[str, int]]) -> dict[tuple[str, int], str]:
    """The addresses of documents that are named by shard and row."""
    ledger = Ledger(run)
    ids: dict[tuple[str, int], bytes] = {}
    for shard in sorted({shard for shard, _ in documents}):
        rows = [row for of_shard, row in documents if of_shard == shard]
        found = ledger.database.execute(
            "SELECT file_row_number, doc_id FROM read_parquet(?, file_row_number=true) "
            "WHERE file_row_number IN (SELECT unnest(?::BIGINT[]))",
            [ledger.folder.uri(ledger.folder.shard(shard, "docs.parquet")), rows],
        )
        ids |= {(shard, int(row)): bytes(doc_id) for row, doc_id in found.fetchall()}
    records = ledger.rows("records", "doc_id IN (SELECT unnest(?::BLOB[]))", [list(ids.values())], "doc_id, url")
    urls = {bytes(record["doc_id"]): str(record["url"]) for record in records}
    return {document: urls.get(doc_id, "") for document, doc_id in ids.items()}


def _table(title: str | None, figures: tuple[str, ...]) -> Table:
    table = Table(title=title and Text(title), title_justify="left", header_style="bold", pad_edge=False)
    for heading in figures:
        table.add_column(heading, justify="right")
    return table


def _capped(table: Table, count: int, most: int) -> Table:
    if count > most:
        table.caption, table.caption_justify = Text(f"and {count - most:,} more; --rows {count} shows them all"), "left"
    return table


if __name__ == "__main__":
    command.run(main)
