"""Where the kept text comes from: inputs, capture dates, and the sites that give most of it."""

from __future__ import annotations

from curation.audit.story import Ledger
from curation.report.charts import bar
from curation.report.markup import Child, Html, count, joined, paragraph, share, table, web
from curation.report.tables import ask, ask_one

ORDER = 50
TITLE = "Sources and sites"

MOST_SITES = 25
_DAY = 10  # characters of the day in an RFC 3339 time
_SITE = "regexp_extract(url, '^[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)', 1)"


def render(ledger: Ledger) -> Html:
    """A row a source, and the sites with the most kept documents."""
    return joined(_sources(ledger), _sites(ledger))


def _sources(ledger: Ledger) -> Html:
    rows = ask(
        ledger,
        f"""SELECT source, entered, archives, earliest, latest, kept, tokens
            FROM (SELECT source, count(*)::BIGINT AS entered, count(DISTINCT archive)::BIGINT AS archives,
                         min(left(date, {_DAY})) FILTER (date <> '') AS earliest,
                         max(left(date, {_DAY})) FILTER (date <> '') AS latest FROM records GROUP BY source)
            LEFT JOIN (SELECT source, coalesce(sum(documents) FILTER (fate = 'kept'), 0)::BIGINT AS kept,
                              sum(tokens)::BIGINT AS tokens FROM ends GROUP BY source) USING (source)
            ORDER BY tokens DESC, kept DESC, source""",
    )
    total = sum(row["tokens"] for row in rows)
    cells: list[list[Child]] = [
        [
            row["source"],
            count(row["archives"]),
            count(row["entered"]),
            count(row["kept"]),
            count(row["tokens"]) if total else "",
            share(row["tokens"], total),
            row["earliest"] or "",
            row["latest"] or "",
        ]
        for row in rows
    ]
    heads = ["Source", "Files", "Records", "Kept", "Tokens", "Of all tokens", "First capture", "Last capture"]
    return table("Sources", heads, cells, "-rrrrr--")


def _sites(ledger: Ledger) -> Html:
    counted = ask_one(
        ledger, f"SELECT count(DISTINCT {_SITE})::BIGINT AS sites, count(*)::BIGINT AS kept FROM documents"
    )
    if not counted["kept"]:
        return paragraph("No document was kept, so there is no site to name.")
    rows = ask(
        ledger,
        f"""SELECT {_SITE} AS site, count(*)::BIGINT AS kept, coalesce(sum(tokens), 0)::BIGINT AS tokens
            FROM documents GROUP BY site ORDER BY kept DESC, tokens DESC, site LIMIT {MOST_SITES}""",
    )
    held = sum(row["kept"] for row in rows)
    cells: list[list[Child]] = [
        [
            web(row["site"]),
            count(row["kept"]),
            bar(row["kept"], rows[0]["kept"]),
            share(row["kept"], counted["kept"]),
            count(row["tokens"]) if row["tokens"] else "",
        ]
        for row in rows
    ]
    words = (
        f"Kept documents come from {count(counted['sites'])} sites; the {count(len(rows))} largest, below, give "
        f"{share(held, counted['kept'])} of them."
    )
    return joined(
        paragraph(words),
        table("Sites with the most kept documents", ["Site", "Kept", "", "Of all kept", "Tokens"], cells, "-r-rr"),
    )
