"""Records of a text corpus a column at a time: what `fields.text_record` makes of each row, for whole Arrow batches.

A row that is no document (no text, too long, blank) is left to `text_record`, and so is a whole batch that cannot be read
in bulk (broken UTF-8, times that Python cannot hold). So there is one place that says what a record is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from connectors.fields import DATE_COLUMNS, URL_CHARACTERS, fit_date, fit_url, json_of, plain_text
from connectors.record_columns import AreUtf8, RecordColumns, columns_of
from connectors.records import Limits, Record, Refusal

PLAIN_DATE = r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)\z"

UNFIT_IN_URL = np.ones(256, np.bool_)  # bytes of what `fit_url` may not leave as it is
UNFIT_IN_URL[0x21:0x7F] = False
UNFIT_IN_URL[list(b"<>")] = True
SEEN = np.ones(256, np.bool_)  # bytes that `bytes.isspace` does not take for white space
SEEN[list(b" \t\n\v\f\r")] = False
ESCAPED_IN_JSON = np.zeros(256, np.bool_)
ESCAPED_IN_JSON[:0x20] = ESCAPED_IN_JSON[list(b'"\\')] = True

Rows = npt.NDArray[np.bool_]
RowByRow = Callable[[pa.RecordBatch, int], Iterator[Record]]  # a batch and the number of its first row


def are_utf8_to_arrow(content: pa.Array) -> bool:
    """Whether Arrow takes all binaries of a column, with small or large offsets, for UTF-8."""
    try:
        content.cast(pa.string() if pa.types.is_binary(content.type) else pa.large_string())
    except pa.ArrowInvalid:
        return False
    return True


def text_columns(
    batch: pa.RecordBatch, first: int, limits: Limits, row_by_row: RowByRow, are_utf8: AreUtf8 = are_utf8_to_arrow
) -> RecordColumns:
    """The records of a batch whose first row has the number `first`; `row_by_row` is how they are read otherwise."""
    try:
        columns, plain = _in_bulk(batch, first, limits, are_utf8)
    except (pa.ArrowException, ValueError, OverflowError, RecursionError):  # a UnicodeError is a ValueError
        return columns_of(list(row_by_row(batch, first)))
    odd = np.flatnonzero(~plain).tolist()
    if not odd:
        return RecordColumns(columns)
    if 2 * len(odd) > len(plain):
        return columns_of(list(row_by_row(batch, first)))
    records = [next(row_by_row(batch.slice(place, 1), first + place)) for place in odd]
    return _without(columns, plain, {place: record.refusal for place, record in zip(odd, records, strict=True)})


def _in_bulk(batch: pa.RecordBatch, first: int, limits: Limits, are_utf8: AreUtf8) -> tuple[pa.RecordBatch, Rows]:
    """The columns as if each row were a document, and which rows are. Raises where a column cannot be read in bulk."""
    names = batch.schema.names
    if "text" not in names or len(set(names)) < len(names):
        raise ValueError("no column `text`, or two of one name")
    content = _content(batch.column(names.index("text")), are_utf8)
    rest = {name: batch.column(number) for number, name in enumerate(names) if name != "text"}
    rows = batch.num_rows
    urls = pa.repeat("", rows)
    if "url" in rest and _is_text(rest["url"].type):
        urls = _urls(_strings(rest.pop("url")))
    dates = pa.repeat("", rows)
    for name in DATE_COLUMNS:
        if name in rest and (_is_text(rest[name].type) or pa.types.is_timestamp(rest[name].type)):
            dates, rest[name] = _dates(dates, rest[name])
    columns = {
        "offset": pa.array(np.arange(first, first + rows, dtype=np.uint64)),
        "url": urls,
        "date": dates,
        "media": pa.repeat("text", rows),
        "charset": pa.repeat("", rows),
        "content": content,
        "meta": _meta(rest, rows),
    }
    return pa.RecordBatch.from_pydict(columns), _are_documents(content, limits)


def _are_documents(content: pa.Array, limits: Limits) -> Rows:
    lengths = pc.fill_null(pc.binary_length(content), 0).to_numpy(zero_copy_only=False)
    documents: Rows = (lengths > 0) & (lengths <= limits.record_bytes)
    for row in np.flatnonzero(documents & ~begin_with(content, SEEN)).tolist():
        documents[row] = not content[row].as_py().isspace()
    return documents


def begin_with(content: pa.Array, asked: Rows) -> Rows:
    """Which texts, binary with small or large offsets, begin with a byte that is asked for."""
    bounds, data = bounds_and_bytes(content)
    begin: Rows = bounds[1:] > bounds[:-1]
    begin[begin] = asked[data[bounds[:-1][begin]]]
    return begin


def bounds_and_bytes(column: pa.Array) -> tuple[npt.NDArray[Any], npt.NDArray[np.uint8]]:
    """Where each value of a column of strings or binaries begins, and the last one ends; and the bytes. Without a copy."""
    _, offsets, data = column.buffers()
    small = pa.types.is_binary(column.type) or pa.types.is_string(column.type)
    bounds = np.frombuffer(offsets, np.int32 if small else np.int64)[column.offset : column.offset + len(column) + 1]
    return bounds, np.frombuffer(data or b"", np.uint8)


def _has_any(strings: pa.Array, asked: Rows) -> bool:
    """Whether any byte of some strings is one that is asked for."""
    bounds, data = bounds_and_bytes(strings)
    return bool(asked[data[bounds[0] : bounds[-1]]].any())


def _content(column: pa.Array, are_utf8: AreUtf8) -> pa.Array:
    """The texts as binary. Raises where one is no UTF-8."""
    small = pa.types.is_string(column.type) or pa.types.is_binary(column.type)
    content = column.cast(pa.binary() if small else pa.large_binary())
    if not are_utf8(content):
        raise ValueError("a text is no UTF-8")
    return content


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _strings(column: pa.Array) -> pa.Array:
    """A column of text as plain strings. Raises where one is no UTF-8."""
    return column.cast(pa.large_binary()).cast(pa.string())


def _urls(urls: pa.Array) -> pa.Array:
    urls = pc.fill_null(urls, "")
    if not _has_any(urls, UNFIT_IN_URL) and (pc.max(pc.binary_length(urls)).as_py() or 0) <= URL_CHARACTERS:
        return urls
    return pa.array([fit_url(url) for url in urls.to_pylist()], pa.string())


def _dates(dates: pa.Array, column: pa.Array) -> tuple[pa.Array, pa.Array]:
    """The capture times with those that this column adds, and what is left of the column for `meta`."""
    if pa.types.is_timestamp(column.type):
        told = pa.array([plain_text(value) for value in values_of(column)], pa.string())
        fits = pa.array([bool(fit_date(date)) for date in told.to_pylist()])
    else:
        told = pc.fill_null(_strings(column), "")
        fits = pc.match_substring_regex(told, PLAIN_DATE)
    taken = pc.and_(fits, pc.equal(dates, ""))
    if not pc.any(taken).as_py():
        return dates, column
    left = pc.if_else(taken, pa.scalar(None, column.type), column) if not pc.all(taken).as_py() else None
    return pc.if_else(taken, told, dates), pa.nulls(len(column)) if left is None else left


def _meta(columns: dict[str, pa.Array], rows: int) -> pa.Array:
    """The columns as JSON objects, as `json_of` writes them; "" where a row has no value at all."""
    members = [_members(name, column) for name, column in sorted(columns.items()) if column.null_count < len(column)]
    if not members:
        return pa.repeat("", rows)
    inner = pc.binary_join_element_wise(*members, "")
    objects = pc.binary_join_element_wise("{", pc.utf8_slice_codeunits(inner, 1), "}", "")
    return pc.if_else(pc.equal(inner, ""), "", objects)


def _members(name: str, column: pa.Array) -> pa.Array:
    """`,"name":value` of each row, "" where there is no value."""
    key = f",{json.dumps(name, ensure_ascii=False)}:"
    if _is_text(column.type):
        strings = _strings(column)
        if not _has_any(strings, ESCAPED_IN_JSON):
            return pc.fill_null(pc.binary_join_element_wise(key + '"', strings, '"', ""), "")
    elif pa.types.is_integer(column.type):
        return pc.fill_null(pc.binary_join_element_wise(key, column.cast(pa.string()), ""), "")
    written = ["" if value is None else key + json_of({"": value})[4:-1] for value in values_of(column)]
    return pa.array(written, pa.string())


def values_of(column: pa.Array) -> Sequence[object]:
    """A column's values as Python has them; times to the microsecond. Raises ValueError where one cannot be."""
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    values: Sequence[object] = column.to_pylist()
    return values


def _without(columns: pa.RecordBatch, documents: Rows, refusals: Mapping[int, Refusal | None]) -> RecordColumns:
    """The columns with nothing in the rows that are no documents, and why."""
    for name, nothing in (("media", ""), ("content", b""), ("meta", "")):
        place = columns.schema.get_field_index(name)
        left = pc.if_else(pa.array(documents), columns.column(place), pa.scalar(nothing, columns.column(place).type))
        columns = columns.set_column(place, name, left)
    assert all(refusals.values())
    return RecordColumns(columns, {place: refusal for place, refusal in refusals.items() if refusal})
