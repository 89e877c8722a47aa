"""How much deduplication took from each source, language and domain: whether one was eaten up."""

from __future__ import annotations

from curation.audit.story import Ledger
from curation.report.charts import bar
from curation.report.markup import Child, Html, count, joined, paragraph, share, table, web
from curation.report.tables import Row, ask

ORDER = 82
TITLE = "Removal rates"

MOST = 25
_WORST = "removed / documents DESC, documents DESC, name"
_LARGEST = "documents DESC, name"
_RATES = """
SELECT *, count(*) OVER ()::BIGINT AS listed FROM (
    SELECT name, documents, url + exact + minhash AS removed, url, exact, minhash, elsewhere
    FROM removal_rates WHERE kind = ? AND documents >= ?)
ORDER BY {order} LIMIT {most}
"""


def render(ledger: Ledger) -> Html:
    """Sources and languages, and the domains that lost most and that have most."""
    dedup = ledger.manifest["plan"]["recipe"].get("dedup")
    if not dedup:
        return paragraph("This run's recipe looks for no duplicates.")
    if not ask(ledger, "SELECT 1 AS one FROM removal_rates LIMIT 1"):
        return paragraph(
            "This run holds no removal rates: nothing came to deduplication, or an earlier version made it."
        )
    least = int(dedup["alarm"]["documents"])
    return joined(
        paragraph(
            "Of the documents that came to deduplication, those that were removed: as the same page (URL), the same text, or a "
            "similar one. The run counts them before it goes on, and warns of a share above the recipe's alarm."
        ),
        _table(ledger, "Removed from each source", "source", 1, _WORST),
        _table(ledger, "Removed from each language", "language", 1, _WORST),
        _table(ledger, f"Domains of {count(least)} documents or more that lost most", "domain", least, _WORST),
        _table(ledger, "Removed from the largest domains", "domain", 1, _LARGEST),
    )


def _table(ledger: Ledger, caption: str, kind: str, least: int, order: str) -> Html | None:
    rows = ask(ledger, _RATES.format(order=order, most=MOST), kind, least)
    if not rows:
        return None
    left_out = rows[0]["listed"] - len(rows)
    note = f"{count(left_out)} more stand in the ledger, part removal_rates." if left_out else ""
    heads = [kind.capitalize(), "Documents", "Removed", "", "Share", "URL", "Same text", "Similar", "Of an earlier run"]
    return table(caption, heads, [_cells(row) for row in rows], "-rr-rrrrr", note)


def _cells(row: Row) -> list[Child]:
    removed, documents = row["removed"], row["documents"]
    return [
        web(row["name"]),
        count(documents),
        count(removed),
        bar(removed, documents, "duplicate"),
        share(removed, documents),
        *[count(row[name]) if row[name] else "" for name in ("url", "exact", "minhash", "elsewhere")],
    ]
