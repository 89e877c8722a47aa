"""Duplicates: clusters by size, similarities, and the largest clusters with their pages."""

from __future__ import annotations

from curation.audit.story import Ledger
from curation.report.binning import distribution
from curation.report.charts import bar, histogram, legend
from curation.report.markup import (
    Child,
    Html,
    code,
    count,
    escape,
    figure,
    folded,
    joined,
    paragraph,
    share,
    table,
    tag,
    web,
)
from curation.report.tables import Row, ask, ask_one

ORDER = 80
TITLE = "Duplicates"

LARGEST = 10
MEMBERS = 5
EXCERPT = 300  # characters of the kept text
SIZES = ((2, 2), (3, 3), (4, 4), (5, 9), (10, 99), (100, 999), (1000, None))

_LARGEST = f"""
WITH largest AS (
    SELECT duplicate_of AS kept, count(*)::BIGINT AS duplicates, count(*) FILTER (reason = 'exact')::BIGINT AS exact
    FROM fates WHERE fate = 'duplicate' GROUP BY kept ORDER BY duplicates DESC, kept LIMIT {LARGEST})
SELECT l.*, r.url, r.source, d.beginning, d.characters FROM largest l
LEFT JOIN records r ON r.doc_id = l.kept
LEFT JOIN (SELECT doc_id, left(text, {EXCERPT}) AS beginning, length(text)::BIGINT AS characters FROM documents
           WHERE doc_id IN (SELECT kept FROM largest)) d ON d.doc_id = l.kept
ORDER BY l.duplicates DESC, l.kept
"""
_MEMBERS = f"""
WITH chosen AS (
    SELECT duplicate_of AS kept, unnest(min(struct_pack(similarity := similarity, doc_id := doc_id, reason := reason),
           {MEMBERS})) AS page
    FROM fates WHERE fate = 'duplicate' AND duplicate_of IN (SELECT unnest(?::BLOB[])) GROUP BY kept)
SELECT c.kept, c.page.doc_id AS doc_id, c.page.similarity AS similarity, c.page.reason AS reason, r.url, r.archive,
       r.source, r."offset"
FROM chosen c JOIN records r ON r.doc_id = c.page.doc_id ORDER BY c.kept, similarity, c.page.doc_id
"""


def render(ledger: Ledger) -> Html:
    """Counts, cluster sizes, similarities, the largest clusters."""
    if not ledger.manifest["plan"]["recipe"].get("dedup"):
        return paragraph("This run's recipe looks for no duplicates.")
    total = ask_one(
        ledger,
        """SELECT count(*)::BIGINT AS n, count(*) FILTER (reason = 'exact')::BIGINT AS exact,
                  count(DISTINCT duplicate_of)::BIGINT AS clusters, min(threshold) FILTER (reason = 'minhash') AS threshold
           FROM fates WHERE fate = 'duplicate'""",
    )
    if not total["n"]:
        return paragraph("No duplicate was found.")
    similarities = _similarities(ledger, total["threshold"])
    return joined(
        paragraph(
            f"{count(total['n'])} duplicates of {count(total['clusters'])} kept documents: {count(total['exact'])} with the "
            f"same text, {count(total['n'] - total['exact'])} similar. Of a duplicate's text, a run keeps the beginnings of a "
            "few: see the next section for those beside what was kept."
        ),
        tag("div", _sizes(ledger, total["clusters"]), similarities, class_="beside"),
        tag("h3", "The largest clusters"),
        *_largest(ledger),
    )


def _sizes(ledger: Ledger, clusters: int) -> Html:
    found = ask(
        ledger,
        """SELECT size, count(*)::BIGINT AS clusters FROM (
               SELECT count(*)::BIGINT + 1 AS size FROM fates WHERE fate = 'duplicate' GROUP BY duplicate_of)
           GROUP BY size ORDER BY size""",
    )
    rows: list[list[Child]] = []
    for low, high in SIZES:
        here = [row for row in found if low <= row["size"] and (high is None or row["size"] <= high)]
        n = sum(row["clusters"] for row in here)
        removed = sum(row["clusters"] * (row["size"] - 1) for row in here)
        name = str(low) if low == high else f"{count(low)} to {count(high)}" if high else f"{count(low)} and more"
        if n:
            rows.append([name, count(n), bar(n, clusters, "duplicate"), share(n, clusters), count(removed)])
    heads = ["Documents", "Clusters", "", "Share", "Removed"]
    return table("Clusters by size, the kept document included", heads, rows, "rr-rr")


def _similarities(ledger: Ledger, threshold: float | None) -> Html | None:
    where = "fate = 'duplicate' AND reason = 'minhash'"
    found = distribution(ledger, "fates", "similarity", threshold, None, where, axis=(0.0, 1.0))
    if found is None:
        return None
    words = (
        f"{count(found.documents)} near duplicates, similarity {figure(found.least)} to {figure(found.greatest)}; "
        f"{count(found.below)} below {figure(threshold)}"
    )
    drawn = histogram("Similarity of near duplicates", words, found.bars, found.axis, [threshold] if threshold else [])
    key = legend(
        ("within", "at or above the threshold"),
        ("beyond", "below it: joined to its cluster by another member"),
        ("threshold", "similarity at which about two pairs of three are found"),
    )
    quiet = tag("span", words, "; estimated from signatures, standard error 0.04 at 0.8", class_="quiet")
    return tag(
        "figure", tag("figcaption", tag("strong", "Similarity with the kept document"), tag("br"), quiet), drawn, key
    )


def _largest(ledger: Ledger) -> list[Html]:
    clusters = ask(ledger, _LARGEST)
    members: dict[bytes, list[Row]] = {}
    for row in ask(ledger, _MEMBERS, [bytes(cluster["kept"]) for cluster in clusters]):
        members.setdefault(bytes(row["kept"]), []).append(row)
    return [_cluster(cluster, members.get(bytes(cluster["kept"]), [])) for cluster in clusters]


def _cluster(cluster: Row, members: list[Row]) -> Html:
    n = cluster["duplicates"]
    title = joined(f"{count(n + 1)} documents, kept: ", web(cluster["url"] or "", 100))
    rows: list[list[Child]] = [
        [
            web(row["url"]),
            row["reason"],
            figure(row["similarity"]),
            joined(f"{row['source']}/", row["archive"], f" at {row['offset']:,}"),
            code(bytes(row["doc_id"]).hex()),
        ]
        for row in members
    ]
    note = f"{count(n - len(members))} more; these are the least similar." if n > len(members) else ""
    more = "…" if (cluster["characters"] or 0) > EXCERPT else ""
    heads = ["URL", "Kind", "Similarity", "Record", "Document"]
    return folded(
        title,
        paragraph(f"{count(cluster['exact'])} of {count(n)} duplicates have the same text."),
        tag("blockquote", tag("bdi", escape(cluster["beginning"] or "", EXCERPT), more), class_="excerpt"),
        table("Duplicates of this document", heads, rows, "--r--", note),
    )
