"""How to ask further: one document, one token, every byte, and SQL over the ledger."""

from __future__ import annotations

import shlex

from curation.audit.story import Ledger
from curation.report.markup import Html, definitions, joined, paragraph, tag
from curation.report.tables import ask

ORDER = 120
TITLE = "Ask further"

_SQL = """import duckdb

duckdb.sql(\"\"\"
SELECT r.url, f.value, f.threshold
FROM read_parquet('RUN/ledger/refine/**/*.parquet') f
JOIN read_parquet('RUN/ledger/records/**/*.parquet') r USING (doc_id)
WHERE f.reason = REASON
ORDER BY abs(f.value - f.threshold) LIMIT 20
\"\"\")"""


def render(ledger: Ledger) -> Html:
    """Commands that run as they stand once RUN is the folder."""
    some = ask(
        ledger,
        """SELECT step, reason, min(doc_id) AS doc_id, count(*)::BIGINT AS n FROM fates
           WHERE fate = 'removed' AND threshold IS NOT NULL GROUP BY ALL ORDER BY n DESC, step, reason LIMIT 1""",
    )
    reason = some[0]["reason"] if some else "REASON"
    document = bytes(some[0]["doc_id"]).hex() if some else "ID"
    shard = next((s for s in ledger.manifest["shards"] if s["tokens"]), None)
    commands = [
        ("Why is a page in or out?", "corpusmill why RUN --url URL"),
        ("The same, by the id that this page shows", f"corpusmill why RUN --id {document}"),
    ]
    if shard:
        place = f"--shard {shlex.quote(shard['shard'])} --token {shard['tokens'] // 2}"
        commands.append(("Which page does a token come from?", f"corpusmill trace RUN {place}"))
    commands.append(("Is every file still what the manifest says?", "corpusmill verify RUN"))
    sql = _SQL.replace("REASON", "'" + reason.replace("'", "''") + "'")
    return joined(
        definitions([(name, tag("pre", command, tabindex=0)) for name, command in commands]),
        paragraph(
            "The ledger is Parquet: anything that reads it can ask. The pages that one rule removed, nearest first:"
        ),
        tag("pre", sql, tabindex=0),
        paragraph("Tables and columns are described in docs/auditing.md."),
    )
