"""Duplicates: how right they are, clusters by size, similarities, and the largest clusters with their pages."""

from __future__ import annotations

import numpy as np

from curation.audit.duplicates import Precision
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
SOURCES = 20  # of a cluster
EXCERPT = 300  # characters of the kept text
SIZES = ((2, 2), (3, 3), (4, 4), (5, 9), (10, 99), (100, 999), (1000, None))

_LARGEST = f"""
WITH largest AS (
    SELECT duplicate_of AS kept, count(*)::BIGINT AS duplicates, count(*) FILTER (reason = 'exact')::BIGINT AS exact,
           count(*) FILTER (reason = 'url')::BIGINT AS same_page
    FROM fates WHERE fate = 'duplicate' GROUP BY kept ORDER BY duplicates DESC, kept LIMIT {LARGEST})
SELECT l.*, coalesce(r.url, e.address, '') AS url, r.doc_id IS NULL AS elsewhere, d.beginning, d.characters FROM largest l
LEFT JOIN records r ON r.doc_id = l.kept
LEFT JOIN (SELECT duplicate_of, min(address) AS address FROM elsewhere GROUP BY duplicate_of) e ON e.duplicate_of = l.kept
LEFT JOIN (SELECT doc_id, left(text, {EXCERPT}) AS beginning, length(text)::BIGINT AS characters FROM documents
           WHERE doc_id IN (SELECT kept FROM largest)) d ON d.doc_id = l.kept
ORDER BY l.duplicates DESC, l.kept
"""
_SOURCES = """
SELECT f.duplicate_of AS kept, r.source, count(*)::BIGINT AS n FROM fates f JOIN records r USING (doc_id)
WHERE f.fate = 'duplicate' AND f.duplicate_of IN (SELECT unnest(?::BLOB[]))
GROUP BY ALL ORDER BY kept, n DESC, source
"""
_MEMBERS = f"""
WITH chosen AS (
    SELECT duplicate_of AS kept, unnest(min(struct_pack(order_by := coalesce(similarity, 2), doc_id := doc_id,
           similarity := similarity, reason := reason), {MEMBERS})) AS page
    FROM fates WHERE fate = 'duplicate' AND duplicate_of IN (SELECT unnest(?::BLOB[])) GROUP BY kept)
SELECT c.kept, c.page.doc_id AS doc_id, c.page.similarity AS similarity, c.page.reason AS reason, r.url, r.archive,
       r.source, r."offset"
FROM chosen c JOIN records r ON r.doc_id = c.page.doc_id ORDER BY c.kept, c.page.order_by, c.page.doc_id
"""


def render(ledger: Ledger) -> Html:
    """Counts, precision, cluster sizes, similarities, the largest clusters."""
    dedup = ledger.manifest["plan"]["recipe"].get("dedup")
    if not dedup:
        return paragraph("This run's recipe looks for no duplicates.")
    total = ask_one(
        ledger,
        """SELECT count(*)::BIGINT AS n, count(*) FILTER (reason = 'exact')::BIGINT AS exact,
                  count(*) FILTER (reason = 'url')::BIGINT AS same_page,
                  count(DISTINCT duplicate_of)::BIGINT AS clusters, min(threshold) FILTER (reason = 'minhash') AS threshold
           FROM fates WHERE fate = 'duplicate'""",
    )
    if not total["n"]:
        return paragraph("No duplicate was found.")
    similar = total["n"] - total["exact"] - total["same_page"]
    minhash = dedup.get("minhash") or {}
    return joined(
        paragraph(
            f"{count(total['n'])} duplicates of {count(total['clusters'])} kept documents: {count(total['same_page'])} of the "
            f"same page, {count(total['exact'])} with the same text, {count(similar)} similar. Of a duplicate's text, a run "
            "keeps the beginnings of a few: a section below shows those beside what was kept."
        ),
        _precision(ledger, minhash.get("target") or total["threshold"]),
        tag(
            "div",
            _sizes(ledger, total["clusters"]),
            _similarities(ledger, total["threshold"], bool(minhash.get("verify"))),
            class_="beside",
        ),
        tag("h3", "The largest clusters"),
        *_largest(ledger),
    )


def _precision(ledger: Ledger, target: float | None) -> Html | None:
    """The share of the drawn pairs that are as similar as asked, and between which bounds that of all pairs lies."""
    if target is None:
        return None
    row = ask_one(
        ledger,
        """SELECT count(*)::BIGINT AS drawn, count(*) FILTER (jaccard >= ?::FLOAT)::BIGINT AS similar
           FROM near_duplicates WHERE jaccard IS NOT NULL""",
        target,
    )
    if not row["drawn"]:
        return paragraph("Precision: not known, since no near duplicate was drawn to be measured.")
    found = Precision(row["drawn"], row["similar"])
    low, high = found.interval
    return paragraph(
        tag("strong", f"Precision: {percent(found.share)}"),
        f" ({percent(low)} to {percent(high)} with 95 % confidence). Of {count(found.drawn)} near duplicates drawn by hash, "
        f"{count(found.similar)} have a true Jaccard similarity of at least {figure(target)} with the document that they were "
        "removed for.",
    )


def percent(part: float) -> str:
    """A share in percent."""
    return f"{100 * part:.1f} %"


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


def _similarities(ledger: Ledger, threshold: float | None, verified: bool) -> Html | None:
    where = "fate = 'duplicate' AND reason = 'minhash'"
    least = None if threshold is None else float(np.float32(threshold))  # as the ledger has similarities
    found = distribution(ledger, "fates", "similarity", least, None, where, axis=(0.0, 1.0))
    if found is None:
        return None
    words = (
        f"{count(found.documents)} near duplicates, similarity {figure(found.least)} to {figure(found.greatest)}; "
        f"{count(found.below)} below {figure(threshold)}"
    )
    drawn = histogram("Similarity of near duplicates", words, found.bars, found.axis, [least] if least else [])
    key = legend(
        ("within", "at or above the threshold"),
        ("beyond", "below it" if verified else "below it: joined to its cluster by another member"),
        ("threshold", "asked for" if verified else "similarity at which about two pairs of three are found"),
    )
    how = (
        "estimated from signatures, measured where that is too close to tell"
        if verified
        else "estimated from signatures"
    )
    quiet = tag("span", words, f"; {how}, standard error 0.04 at 0.8", class_="quiet")
    return tag(
        "figure", tag("figcaption", tag("strong", "Similarity with the kept document"), tag("br"), quiet), drawn, key
    )


def _largest(ledger: Ledger) -> list[Html]:
    clusters = ask(ledger, _LARGEST)
    kept = [bytes(cluster["kept"]) for cluster in clusters]
    members: dict[bytes, list[Row]] = {}
    for row in ask(ledger, _MEMBERS, kept):
        members.setdefault(bytes(row["kept"]), []).append(row)
    sources: dict[bytes, list[str]] = {}
    for row in ask(ledger, _SOURCES, kept):
        sources.setdefault(bytes(row["kept"]), []).append(f"{row['source']} {count(row['n'])}")
    return [
        _cluster(cluster, members.get(doc_id, []), sources.get(doc_id, [])) for doc_id, cluster in zip(kept, clusters)
    ]


def _cluster(cluster: Row, members: list[Row], sources: list[str]) -> Html:
    n = cluster["duplicates"]
    name = web(cluster["url"], 100) if cluster["url"] else code(bytes(cluster["kept"]).hex())
    where = " in an earlier run" if cluster["elsewhere"] else ""
    title = joined(f"{count(n + 1)} documents, kept{where}: ", name)
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
    left_out = f", and {count(len(sources) - SOURCES)} sources more" if len(sources) > SOURCES else ""
    excerpt = tag("blockquote", tag("bdi", escape(cluster["beginning"] or "", EXCERPT), more), class_="excerpt")
    return folded(
        title,
        paragraph(
            f"Of {count(n)} duplicates, {count(cluster['same_page'])} are of the same page and {count(cluster['exact'])} have "
            f"the same text. By source: {', '.join(sources[:SOURCES])}{left_out}.",
        ),
        excerpt if cluster["beginning"] else None,
        table("Duplicates of this document", heads, rows, "--r--", note),
    )
