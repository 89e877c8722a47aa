"""Why documents were removed or quarantined: each reason with its rule, and pages that it ended."""

from __future__ import annotations

from curation.audit.find import NOT_A_RESPONSE
from curation.audit.story import Ledger
from curation.report.charts import bar
from curation.report.markup import Child, Html, code, count, figure, folded, joined, paragraph, share, table, tag, web
from curation.report.tables import Row, ask
from curation.report.thresholds import thresholds

ORDER = 30
TITLE = "Why documents were removed"

DRAWN, NEAREST = 3, 2  # sample pages of a reason: drawn by their ids, and those whose value is nearest to the threshold
MOST_REASONS = 120

_SAMPLES = f"""
WITH ended AS (SELECT * FROM fates WHERE fate IN ('removed', 'quarantined') AND reason IS NOT NULL AND reason <> ?),
lists AS (
    SELECT fate, step, reason,
           min(struct_pack(doc_id := doc_id, value := value, threshold := threshold), {DRAWN}) AS drawn,
           min(struct_pack(away := abs(value - threshold), doc_id := doc_id, value := value, threshold := threshold),
               {NEAREST}) FILTER (isfinite(value - threshold)) AS nearest
    FROM ended GROUP BY fate, step, reason),
pages AS (
    SELECT fate, step, reason, 'drawn' AS how, unnest(drawn, recursive := true) FROM lists
    UNION ALL BY NAME SELECT fate, step, reason, 'nearest' AS how, unnest(nearest, recursive := true) FROM lists)
SELECT p.fate, p.step, p.reason, p.doc_id, p.value, p.threshold, max(p.how) AS how, abs(p.value - p.threshold) AS away,
       r.source, r.url, r.archive, r."offset"
FROM pages p JOIN records r USING (doc_id) GROUP BY ALL ORDER BY how, away, p.doc_id
"""


def render(ledger: Ledger) -> Html:
    """All reasons in a table, and below it the samples of each."""
    reasons = ask(
        ledger,
        """SELECT fate, step, reason, sum(documents)::BIGINT AS documents, min(least) AS least, max(greatest) AS greatest,
                  min(threshold) AS threshold, max(threshold_to) AS threshold_to
           FROM ends WHERE fate IN ('removed', 'quarantined') GROUP BY fate, step, reason
           ORDER BY documents DESC, step, reason, fate""",
    )
    if not reasons:
        return paragraph("No document was removed.")
    steps = {name: i for i, name in enumerate(ledger.steps())}
    shown = sorted(
        reasons[:MOST_REASONS], key=lambda r: (steps.get(r["step"], len(steps)), -r["documents"], r["reason"])
    )
    samples: dict[tuple[str, str, str], list[Row]] = {}
    for row in ask(ledger, _SAMPLES, NOT_A_RESPONSE):
        samples.setdefault((row["fate"], row["step"], row["reason"]), []).append(row)
    return joined(
        paragraph(
            "A document has one reason: the first rule that it broke. The text of a removed document is not kept in a run; its "
            "URL, its place in the archive, and the value against the threshold are. Addresses are shown as text and not as "
            "links, since anybody can have written the page."
        ),
        _overview(ledger, shown, len(reasons) - len(shown)),
        tag("h3", "Sample pages of each reason"),
        paragraph(
            f"For each reason up to {DRAWN} pages drawn by their ids, and up to {NEAREST} whose value lies nearest to the "
            "threshold: the closest decisions."
        ),
        *[_sample(row, samples[key]) for row in shown if (key := (row["fate"], row["step"], row["reason"])) in samples],
    )


def _overview(ledger: Ledger, reasons: list[Row], left_out: int) -> Html:
    rules: dict[tuple[str, str], list[str]] = {}
    for rule in thresholds(ledger.manifest):
        rules.setdefault((rule.step, rule.reason), []).append(rule.words)
    entered = {step["step"]: step["entered"] for step in ledger.manifest["steps"]}
    most = max((row["documents"] for row in reasons if row["reason"] != NOT_A_RESPONSE), default=0)
    rows: list[list[Child]] = []
    for row in reasons:
        asked = " or ".join(rules.get((row["step"], row["reason"]), []))
        if not asked and row["threshold"] is not None:
            asked = f"threshold {_range(row['threshold'], row['threshold_to'])}"
        rows.append(
            [
                joined(row["step"], ": ", row["reason"]),
                count(row["documents"]),
                bar(row["documents"], most, row["fate"]) if row["reason"] != NOT_A_RESPONSE else "",
                share(row["documents"], entered.get(row["step"], 0)),
                asked,
                tag("span", _range(row["least"], row["greatest"]), class_="whole"),
                "quarantined" if row["fate"] == "quarantined" else "removed",
            ]
        )
    heads = ["Step: reason", "Documents", "", "Of the step's", "Rule", "Values found", "Fate"]
    note = f"{count(left_out)} rarer reasons are left out." if left_out else ""
    return table("Reasons, in the order of the steps", heads, rows, "-r-r---", note)


def _range(least: float | None, greatest: float | None) -> str:
    low, high = figure(least), figure(greatest)
    return low if low == high else f"{low} to {high}"


def _sample(reason: Row, pages: list[Row]) -> Html:
    rows: list[list[Child]] = [
        [
            web(page["url"]),
            figure(page["value"]),
            figure(page["threshold"]),
            "nearest" if page["how"] == "nearest" else "drawn",
            joined(f"{page['source']}/", page["archive"], f" at {page['offset']:,}"),
            code(bytes(page["doc_id"]).hex()),
        ]
        for page in pages
    ]
    name = f"{reason['step']}: {reason['reason']}"
    heads = ["URL", "Value", "Threshold", "Chosen", "Record", "Document"]
    title = joined(name, tag("span", f" {count(reason['documents'])}", class_="quiet"))
    return folded(title, table(f"Pages ended by {name}", heads, rows, "-rr---"))
