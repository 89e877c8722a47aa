"""A recipe's filters over a table: no run folder, no engine, no Spark."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from connectors.errors import UserError
from curation.quality.url import UrlFilter
from curation.recipes.load import load_recipe
from curation.recipes.model import Recipe
from curation.run.documents import FATE, TEXT, VERDICT_FIELDS, Step

BATCH_ROWS = 256
_POSITION = "position in the table"


def apply(recipe: str | Recipe, table: Any, *, text: str = TEXT, url: str = "url") -> Any:
    """Runs a recipe's language step and filters over a table's text column, each row for itself.

    `table`: an Arrow table or record batch, or a pandas frame; the result is of the same kind. Added columns: `fate` (kept
    or removed), `step`, `reason`, `value`, `threshold`, and `measure:…`; `text` is as the filters leave it. The URL filter
    runs where there is a URL column. Deduplication, redaction and tokens belong to a run: see `curate`.
    Raises `UserError` where there is no text column.
    """
    given = load_recipe(recipe) if isinstance(recipe, str) else recipe
    arrow = as_arrow(table)
    if text not in arrow.column_names:
        raise UserError(f"The table has no column '{text}' but {', '.join(arrow.column_names)}: name it with text=…")
    steps = given.judging_steps
    if url not in arrow.column_names:
        steps = [step for step in steps if not isinstance(step, UrlFilter)]
    renamed = arrow.rename_columns(
        [TEXT if name == text else "url" if name == url else name for name in arrow.column_names]
    )
    parts = [result for batch in batches(renamed) for result in run_steps(steps, batch)]
    if not parts:
        return table
    order = pa.concat_tables([pa.Table.from_batches([part]) for part in parts], promote_options="default")
    judged = order.sort_by(_POSITION).drop_columns([_POSITION])
    names = [text if name == TEXT else url if name == "url" else name for name in judged.column_names]
    judged = judged.rename_columns(names)
    return judged.to_pandas() if not isinstance(table, (pa.Table, pa.RecordBatch)) else judged


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
        raise UserError(f"A table is an Arrow table or a pandas frame, not a {type(table).__name__}") from None


def batches(table: pa.Table) -> Iterator[pa.RecordBatch]:
    """The table in batches with their rows numbered; a null text is an empty one."""
    index = table.schema.get_field_index(TEXT)
    table = table.set_column(index, TEXT, pc.fill_null(table[TEXT].cast(pa.string()), ""))
    table = table.append_column(_POSITION, pa.array(range(table.num_rows), pa.int64()))
    yield from table.to_batches(max_chunksize=BATCH_ROWS)


def run_steps(steps: list[Step], batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """One batch through the steps: the rows that ended at each step, then those that none removed."""
    for step in steps:
        if not batch.num_rows:
            return
        batch = step(batch)
        if FATE in batch.schema.names:
            over = pc.is_valid(batch.column(FATE))
            yield batch.filter(over)
            batch = batch.filter(pc.invert(over)).drop_columns([field.name for field in VERDICT_FIELDS])
    nulls = {field.name: pa.nulls(batch.num_rows, field.type) for field in VERDICT_FIELDS}
    nulls[FATE] = pa.array(["kept"] * batch.num_rows, pa.string())
    for name, values in nulls.items():
        batch = batch.append_column(name, values)
    yield batch
