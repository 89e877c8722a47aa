"""Personal data that was replaced: counts by kind, never a value."""

from __future__ import annotations

from curation.audit.story import Ledger
from curation.report.charts import bar
from curation.report.markup import Child, Html, code, count, joined, paragraph, share, table
from curation.report.tables import ask, ask_one

ORDER = 70
TITLE = "Personal data"

_KEPT_EDITS = """
CREATE OR REPLACE TEMP TABLE kept_edits AS
SELECT doc_id, kind, "count" FROM edits WHERE step = 'redact' AND doc_id IN (SELECT doc_id FROM documents)
"""


def render(ledger: Ledger) -> Html:
    """A row for each kind that the recipe looks for."""
    kinds = ledger.manifest["plan"]["recipe"].get("redact") or []
    if not kinds:
        return paragraph("This run's recipe looks for no personal data: nothing was replaced.")
    ledger.database.execute(_KEPT_EDITS)
    found = {
        row["kind"]: row
        for row in ask(
            ledger,
            """SELECT kind, count(DISTINCT doc_id)::BIGINT AS documents, sum("count")::BIGINT AS replaced
               FROM kept_edits GROUP BY kind ORDER BY kind""",
        )
    }
    some = ask_one(ledger, "SELECT count(DISTINCT doc_id)::BIGINT AS n FROM kept_edits")["n"]
    kept = ask_one(ledger, "SELECT count(*)::BIGINT AS n FROM documents")["n"]
    urls = ask_one(ledger, "SELECT count(*)::BIGINT AS n FROM records WHERE contains(url, '<EMAIL>')")["n"]
    names = [*kinds, *sorted(found.keys() - set(kinds))]
    most = max((row["replaced"] for row in found.values()), default=1)
    rows: list[list[Child]] = []
    for name in names:
        row = found.get(name, {"documents": 0, "replaced": 0})
        cells = [count(row["replaced"]), bar(row["replaced"], most, "aside"), count(row["documents"])]
        rows.append([name.replace("_", " "), *cells, share(row["documents"], kept)])
    heads = ["Kind", "Replaced", "", "Documents", "Of kept documents"]
    return joined(
        paragraph(
            f"{count(some)} of {count(kept)} kept documents held something. What was found is replaced in the text and in the "
            "user's own columns by a mark such as ",
            code("<EMAIL>"),
            "; the values stand nowhere in the run, and no excerpt of this page shows one. Text of removed documents is not kept "
            "at all.",
        ),
        table("Replacements in kept documents, by kind", heads, rows, "-r-rr"),
        paragraph(
            f"URLs of records in which an e-mail address was replaced: {count(urls)}."
            if "email" in kinds or urls
            else "URLs were not changed."
        ),
        paragraph(
            "These are the finds of pattern recognisers with checks (checksums, number plans): they miss what is written in "
            "no known form, and personal names are not looked for."
        ),
    )
