"""The run's ledger as SQL tables, for aggregates; nothing here holds a document in Python.

    records, measures, edits, near_duplicates, elsewhere, removal_rates, documents   the Parquet files of that part
    fates                                 refine and finish: one row for every record
    ends                                  the fates counted: source, fate, step, reason, documents, tokens, extremes

Every question orders its rows by all that tells them apart, so that the answer has one form.
"""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa

from connectors import storage
from connectors.errors import UserError
from curation.audit.story import Ledger, as_pattern
from curation.run.documents import LANG, LANG_SCORE, META, RECORD_FIELDS, TEXT
from curation.run.ledger import (
    EDITS,
    ELSEWHERE,
    FATES,
    NEAR_DUPLICATES,
    RECORDS,
    REMOVAL_RATES,
    TOKENS,
    measures_schema,
)

Row = dict[str, Any]

_DOCUMENTS = pa.schema(
    [
        *RECORD_FIELDS,
        pa.field(LANG, pa.string()),
        pa.field(LANG_SCORE, pa.float32()),
        pa.field(TEXT, pa.string()),
        pa.field(META, pa.string()),
        pa.field(TOKENS, pa.uint32()),
    ]
)
_PARTS: dict[str, tuple[pa.Schema, tuple[str, ...]]] = {
    "records": (RECORDS, ("ledger/records",)),
    "fates": (FATES, ("ledger/refine", "ledger/finish")),
    "measures": (measures_schema(()), ("ledger/measures",)),
    "edits": (EDITS, ("ledger/edits",)),
    "near_duplicates": (NEAR_DUPLICATES, ("ledger/near_duplicates",)),
    "elsewhere": (ELSEWHERE, ("ledger/elsewhere",)),
    "removal_rates": (REMOVAL_RATES, ("ledger/removal_rates",)),
    "documents": (_DOCUMENTS, ("documents",)),
}

_ENDS = """
CREATE TEMP TABLE ends AS
SELECT r.source, coalesce(f.fate, '') AS fate, coalesce(f.step, '') AS step, coalesce(f.reason, '') AS reason,
       count(*)::BIGINT AS documents, coalesce(sum(f.tokens), 0)::BIGINT AS tokens,
       min(f.value) AS least, max(f.value) AS greatest,
       min(f.threshold) AS threshold, max(f.threshold) AS threshold_to
FROM records r LEFT JOIN fates f USING (doc_id)
GROUP BY ALL
"""


def open_tables(run: str) -> Ledger:
    """A run's ledger with the tables above. Raises `UserError` for no run, one that is not finished, or missing files."""
    ledger = Ledger(run)
    for path in ledger.manifest["files"]:
        if path.startswith(("ledger/", "documents/")) and not storage.exists(ledger.folder.uri(path)):
            raise UserError(f"{run} is not whole: {path} is missing. `corpusmill verify` tells what else is")
    for name, (schema, folders) in _PARTS.items():
        ledger.database.register(f"no_{name}", schema.empty_table())
        found = [folder for folder in folders if storage.list_files(ledger.folder.uri(folder), ".parquet")]
        parts = [f"SELECT * FROM read_parquet({_quoted(ledger.folder.uri(path))})" for path in found]
        together = " UNION ALL BY NAME ".join([f"SELECT * FROM no_{name}", *parts])
        ledger.database.execute(f"CREATE VIEW {name} AS {together}")
    ledger.database.execute(_ENDS)
    return ledger


def ask(ledger: Ledger, query: str, *values: Any) -> list[Row]:
    """The rows of an SQL question, as dictionaries."""
    cursor = ledger.database.execute(query, list(values))
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def ask_one(ledger: Ledger, query: str, *values: Any) -> Row:
    """The one row of an aggregate."""
    (row,) = ask(ledger, query, *values)
    return row


def column(name: str) -> str:
    """A column's name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def columns(ledger: Ledger, table: str) -> list[str]:
    """The names of a table's columns."""
    return [row["column_name"] for row in ask(ledger, f"DESCRIBE {table}")]


def damaged(run: str, error: duckdb.Error) -> UserError:
    """What to say where DuckDB cannot read the ledger; never its own words, which may quote content."""
    return UserError(
        f"The ledger of {run} cannot be read ({type(error).__name__}): `corpusmill verify` tells what is wrong"
    )


def _quoted(folder: str) -> str:
    return "'" + f"{as_pattern(folder)}/**/*.parquet".replace("'", "''") + "'"
