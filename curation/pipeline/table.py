"""A recipe's filters over a table: no run folder, no engine, no Spark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from connectors.errors import UserError
from curation.pipeline.tally import Tally, unified
from curation.quality.url import UrlFilter
from curation.recipes.load import load_recipe
from curation.recipes.model import Recipe
from curation.run.documents import DOC_ID, FATE, MEASURE, TEXT, URL, VERDICT_FIELDS, Step, with_column

BATCH_ROWS = 256
_VERDICT = [field.name for field in VERDICT_FIELDS]


def apply(recipe: str | Recipe, table: Any, *, text: str = TEXT, url: str = URL) -> Any:
    """Runs a recipe's language step and filters over a table's text column, each row for itself.

    `table`: an Arrow table (or record batch), a pandas or a Polars frame, or a Spark DataFrame; the result is of the same
    kind, an Arrow table for a batch, a DataFrame that is computed when it is used for Spark. Added columns: `fate` (kept,
    removed or quarantined), `step`, `reason`, `value`, `threshold`, and `measure:…`; the text is as the filters leave it. The
    URL filter runs where there is a URL column. Deduplication, redaction and tokens belong to a run: see `curate`. Raises
    `UserError` where there is no text column, or one of a name that is to be added.
    """
    given = load_recipe(recipe) if isinstance(recipe, str) else recipe
    if hasattr(table, "mapInArrow"):
        return over_spark(given, table, text, url)
    arrow = as_arrow(table)
    judging = Judging(steps_for(given, arrow.column_names, text, url), text, url)
    return like(table, judging(arrow))


def steps_for(recipe: Recipe, columns: Sequence[str], text: str, url: str) -> list[Step]:
    """The steps that judge a table of these columns. Raises `UserError` for columns that do not fit."""
    if text not in columns:
        raise UserError(f"The table has no column '{text}' but {', '.join(columns)}: name it with text=…")
    steps = recipe.judging_steps
    added = [*_VERDICT, *measures_of(steps)]
    taken = next((name for name in added if name in columns), None)
    if taken:
        raise UserError(f"The table has a column '{taken}' already, which is to be added: rename it")
    return steps if url in columns else [step for step in steps if not isinstance(step, UrlFilter)]


def measures_of(steps: Sequence[Step]) -> list[str]:
    """The measure columns that steps add, in order."""
    return list(dict.fromkeys(MEASURE + name for step in steps for name in getattr(step, "measures", ())))


@dataclass(frozen=True)
class Judging:
    """A table in, the same rows with verdicts and measures out."""

    steps: list[Step]
    text: str
    url: str

    def __call__(self, table: pa.Table) -> pa.Table:
        judged = judge(self.steps, documents(table, self.text, self.url))
        table = table.set_column(table.column_names.index(self.text), self.text, judged[TEXT])
        for name in [*_VERDICT, *measures_of(self.steps)]:
            known = name in judged.column_names
            table = table.append_column(name, judged[name] if known else pa.nulls(len(table), pa.float64()))
        return table

    def batches(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The same for the batches of a Spark task, one at a time."""
        for batch in batches:
            yield from self(pa.Table.from_batches([batch])).combine_chunks().to_batches()


def over_spark(recipe: Recipe, frame: Any, text: str, url: str) -> Any:
    """The DataFrame with its columns added, by `mapInArrow`: rows stay where they are, nothing is shuffled."""
    judging = Judging(steps_for(recipe, frame.columns, text, url), text, url)
    schema = type(frame.schema)(list(frame.schema.fields))
    for field in VERDICT_FIELDS:
        schema = schema.add(field.name, "string" if pa.types.is_string(field.type) else "double")
    for name in measures_of(judging.steps):
        schema = schema.add(name, "double")
    return frame.mapInArrow(judging.batches, schema)


def documents(table: pa.Table, text: str, url: str) -> pa.Table:
    """What the steps look at, with the row's number as its id; a null text is an empty one."""
    ids = [number.to_bytes(16, "big") for number in range(table.num_rows)]
    columns = {DOC_ID: pa.array(ids, pa.binary(16)), TEXT: pc.fill_null(table[text].cast(pa.string()), "")}
    if url in table.column_names:
        columns[URL] = pc.fill_null(table[url].cast(pa.string()), "")
    return pa.table(columns)


def judge(steps: list[Step], table: pa.Table) -> pa.Table:
    """The table's rows in order, with text, verdict and measures."""
    batches = table.to_batches(max_chunksize=BATCH_ROWS) or [pa.RecordBatch.from_pylist([], table.schema)]
    parts = [part for batch in batches for part in run_steps(steps, batch)]
    return pa.Table.from_batches(unified(parts)).sort_by(DOC_ID)


def run_steps(steps: list[Step], batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """One batch through the steps: the rows that ended at each step, then those that none removed."""
    tally = Tally([step.name for step in steps], keep_text=True)
    for step in steps:
        batch = tally.step(step.name, step, batch)
    yield from tally.take_ended()
    for field in VERDICT_FIELDS:
        fate = ["kept" if field.name == FATE else None] * batch.num_rows
        batch = with_column(batch, field.name, pa.array(fate, field.type))
    yield batch


def as_arrow(table: Any) -> pa.Table:
    """The table in Arrow. Raises `UserError` for what is none."""
    if isinstance(table, pa.RecordBatch):
        return pa.Table.from_batches([table])
    if isinstance(table, pa.Table):
        return table
    if hasattr(table, "to_arrow"):
        return table.to_arrow()
    try:
        return pa.Table.from_pandas(table, preserve_index=False)
    except (AttributeError, TypeError):
        raise UserError(f"A table is an Arrow table or a data frame, not a {type(table).__name__}") from None


def like(table: Any, arrow: pa.Table) -> Any:
    """An Arrow table as the kind that `table` is."""
    if isinstance(table, (pa.Table, pa.RecordBatch)):
        return arrow
    return type(table)(arrow) if hasattr(table, "to_arrow") else arrow.to_pandas()
