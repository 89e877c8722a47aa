"""The step `Redact`: personal data leaves the text and the user's own columns; what was changed is counted."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Annotated, ClassVar, Literal

import pyarrow as pa
from pydantic import Field
from pydantic.dataclasses import dataclass

from curation.redact.fields import redact_json
from curation.redact.gates import Kind
from curation.redact.text import Unredactable, redact_text
from curation.run.documents import META, STRICT, TEXT, Verdict, with_column, with_verdicts

Column = Literal["text", "meta"]
REDACTIONS: dict[str, Callable[[str, Collection[Kind]], tuple[str, dict[str, int]]]] = {
    TEXT: redact_text,
    META: redact_json,
}


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Redact:
    """Replaces personal data of `kinds` by placeholders in `columns` (those of them that the batch has).

    Counts stand in the columns `edit:redact.KIND`, summed over the columns. What cannot be redacted goes to
    quarantine with all its columns emptied: `redaction_unsettled` and `redaction_too_many_figures` (see
    `Unredactable`), `redaction_bad_meta` (own columns that are no JSON). No value ever reaches a log, an exception or
    a reason.
    """

    kinds: Annotated[list[Kind], Field(min_length=1)]
    columns: tuple[Column, ...] = ("text", "meta")

    name: ClassVar[str] = "redact"

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with the columns rewritten, the counts, and the verdicts."""
        columns = [column for column in self.columns if column in batch.schema.names]
        rows = zip(*(batch.column(column).to_pylist() for column in columns), strict=True)
        outcomes = [self._row(columns, row) for row in rows] if columns else [((), {}, None)] * batch.num_rows
        for place, column in enumerate(columns):
            field = batch.schema.field(column)
            batch = with_column(batch, column, pa.array([values[place] for values, _, _ in outcomes], field.type))
        edits = {
            f"redact.{kind}": [counts.get(kind, 0) for _, counts, _ in outcomes] for kind in sorted(set(self.kinds))
        }
        return with_verdicts(batch, self.name, [verdict for _, _, verdict in outcomes], edits=edits)

    def _row(
        self, columns: list[Column], row: tuple[str | None, ...]
    ) -> tuple[tuple[str | None, ...], dict[str, int], Verdict | None]:
        values: list[str | None] = []
        total: dict[str, int] = {}
        try:
            for column, value in zip(columns, row, strict=True):
                redacted, counts = REDACTIONS[column](value or "", self.kinds)
                values.append(None if value is None else redacted)
                for kind, count in counts.items():
                    total[kind] = total.get(kind, 0) + count
        except Unredactable as refused:
            return ("",) * len(columns), {}, Verdict("quarantined", refused.reason, refused.value, refused.threshold)
        except ValueError:
            return ("",) * len(columns), {}, Verdict("quarantined", "redaction_bad_meta")
        return tuple(values), total, None
