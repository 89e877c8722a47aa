"""Reads a column of scores, and of weights, from a run's ledger or from Parquet and JSONL files."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from connectors import storage
from connectors.errors import UserError, nearest
from curation.run.documents import MEASURE

ROWS = 1 << 16  # decoded at a time
LEDGER = "ledger/measures"

Floats = npt.NDArray[np.float64]
Part = tuple[Floats, Floats | None]


def read_scores(source: str, column: str, weight: str = "") -> Iterator[Part]:
    """The scores of a source in parts, NaN where there is none, with the weights where a column of them is named.

    `source` is a run folder, whose measures are read, or a file, folder or glob of Parquet and JSONL files (`.jsonl`,
    `.json`, `.ndjson`, also with `.gz`). A column may be named with or without `measure:`. Raises `UserError`, with file
    and line, for what cannot be read.
    """
    ledger = f"{source}/{LEDGER}"
    if storage.exists(ledger):
        paths = [Path(ledger) / name for name in storage.list_files(ledger, ".parquet")]
    else:
        paths = [Path(file.uri) for file in storage.list_inputs(source)]
    for path in paths:
        yield from _file(path, [column, weight] if weight else [column])


def _file(path: Path, names: list[str]) -> Iterator[Part]:
    suffix = path.suffixes[-2:] if path.suffix == ".gz" else path.suffixes[-1:]
    try:
        if path.suffix == ".parquet":
            yield from _parquet(path, names)
        elif suffix and suffix[0] in (".jsonl", ".json", ".ndjson"):
            with gzip.open(path, "rb") if path.suffix == ".gz" else open(path, "rb") as file:
                yield from _json(path, file, names)
        else:
            raise UserError(
                f"'{path}' is neither JSONL nor Parquet by its name. Name it .jsonl, .jsonl.gz or .parquet."
            )
    except (OSError, EOFError, pa.ArrowException):
        raise UserError(f"'{path}' is damaged or no such format as its name says.") from None


def _parquet(path: Path, names: list[str]) -> Iterator[Part]:
    file = pq.ParquetFile(path)
    known = file.schema_arrow.names
    columns = [name if name in known else MEASURE + name for name in names]
    for name, column in zip(names, columns, strict=True):
        if column not in known:
            raise UserError(f"'{path}': no column '{name}'.{nearest(name, known)}")
        if not _is_number(file.schema_arrow.field(column).type):
            raise UserError(
                f"'{path}': the column '{name}' holds no numbers but {file.schema_arrow.field(column).type}."
            )
    for batch in file.iter_batches(batch_size=ROWS, columns=columns):
        yield _part([batch.column(column).cast(pa.float64()).to_numpy(zero_copy_only=False) for column in columns])


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind))


def _json(path: Path, lines: Iterable[bytes], names: list[str]) -> Iterator[Part]:
    rows = (_numbers(path, number, line, names) for number, line in enumerate(lines, start=1) if line.strip())
    while some := list(islice(rows, ROWS)):
        yield _part(list(np.array(some, np.float64).T))


def _numbers(path: Path, number: int, line: bytes, names: list[str]) -> list[float]:
    try:
        row = json.loads(line)
        values = [row.get(name, row.get(MEASURE + name)) for name in names]
        found = [float("nan") if value is None else float(value) for value in values]
    except (ValueError, AttributeError, TypeError, OverflowError, RecursionError):
        raise UserError(f"'{path}', line {number}: no JSON object with numbers under {' and '.join(names)}.") from None
    if any(isinstance(value, (bool, str)) for value in values):
        raise UserError(f"'{path}', line {number}: {' and '.join(names)} must be numbers.")
    return found


def _part(columns: list[Floats]) -> Part:
    return columns[0], columns[1] if len(columns) > 1 else None
