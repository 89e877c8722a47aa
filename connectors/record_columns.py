"""Records as Arrow columns: what a format may offer beside `read`, where its files hold columns already."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa

from connectors.records import Limits, Record, Refusal

SCHEMA = pa.schema(
    [
        pa.field("offset", pa.uint64()),
        pa.field("url", pa.string()),
        pa.field("date", pa.string()),
        pa.field("media", pa.string()),
        pa.field("charset", pa.string()),
        pa.field("content", pa.large_binary()),
        pa.field("meta", pa.string()),
    ]
)


AreUtf8 = Callable[[pa.Array], bool]


@dataclass(frozen=True, slots=True)
class RecordColumns:
    """Records one behind the other, in columns of `SCHEMA`; `content` may have small offsets. See `Record`.

    refusals  of those that are no documents, by their place in the columns
    """

    columns: pa.RecordBatch
    refusals: Mapping[int, Refusal] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.columns.num_rows)

    def slice(self, first: int, stop: int) -> RecordColumns:
        """The records [first, stop) of these, without a copy."""
        refusals = {place - first: refusal for place, refusal in self.refusals.items() if first <= place < stop}
        return RecordColumns(self.columns.slice(first, stop - first), refusals)


class ColumnReader(Protocol):
    """Reads what the format's `Reader` reads: the same records in the same order, with the same refusals.

    are_utf8   says of a column of binaries whether each is UTF-8; a caller may know a faster way than Arrow's
    """

    def __call__(
        self, uri: str, limits: Limits, first: int = 0, stop: int | None = None, are_utf8: AreUtf8 = ...
    ) -> Iterator[RecordColumns]: ...


def columns_of(records: Sequence[Record]) -> RecordColumns:
    """Records that were made one by one, as columns."""
    columns = [pa.array([getattr(record, field.name) for record in records], field.type) for field in SCHEMA]
    refusals = {place: record.refusal for place, record in enumerate(records) if record.refusal is not None}
    return RecordColumns(pa.RecordBatch.from_arrays(columns, schema=SCHEMA), refusals)
