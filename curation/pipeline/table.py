"""A recipe's filters over a table: no run folder, no engine, no Spark."""

from __future__ import annotations

from collections.abc import Iterator
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

    `table`: an Arrow table (or record batch), a pandas or a Polars frame; the result is of the same kind, an Arrow table for
    a batch. Added columns: `fate` (kept, removed or quarantined), `step`, `reason`, `value`, `threshold`, and `measure:…`; the
    text is as the filters leave it. The URL filter runs where there is a URL column. Deduplication, redaction and tokens
    belong to a run: see `curate`. Raises `UserError` where there is no text column, or one of a name that is to be added.
    """
    given = load_recipe(recipe) if isinstance(recipe, str) else recipe
    arrow = as_arrow(table)
    if text not in arrow.column_names:
        raise UserError(f"The table has no column '{text}' but {', '.join(arrow.column_names)}: name it with text=…")
    taken = next((name for name in _VERDICT if name in arrow.column_names), None)
    if taken:
        raise UserError(f"The table has a column '{taken}' already, which is to be added: rename it")
    steps = given.judging_steps
    if url not in arrow.column_names:
        steps = [step for step in steps if not isinstance(step, UrlFilter)]
    judged = judge(steps, documents(arrow, text, url))
    arrow = arrow.set_column(arrow.column_names.index(text), text, judged[TEXT])
    for name in [*_VERDICT, *(name for name in judged.column_names if name.startswith(MEASURE))]:
        arrow = arrow.append_column(name, judged[name])
    return like(table, arrow)


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
