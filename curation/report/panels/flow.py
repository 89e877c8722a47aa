"""Where every document went, and whether none was lost: counted from the ledger, held against the manifest."""

from __future__ import annotations

from curation.audit.find import NOT_A_RESPONSE
from curation.audit.story import Ledger
from curation.report.charts import legend
from curation.report.flow_chart import End, Stage, flow_chart
from curation.report.markup import Child, Html, count, joined, paragraph, share, table, tag
from curation.report.tables import Row, ask

ORDER = 20
TITLE = "Where every document went"

FATES = ("kept", "removed", "duplicate", "quarantined")
WORDS = {"removed": "removed", "duplicate": "duplicate", "quarantined": "quarantined", "aside": "no page"}


def render(ledger: Ledger) -> Html:
    """The balance in a sentence, the diagram with its table, and the balance of each source."""
    ends = ask(
        ledger,
        """SELECT step, CASE WHEN reason = ? AND fate = 'removed' THEN 'aside' ELSE fate END AS kind,
                  sum(documents)::BIGINT AS documents FROM ends GROUP BY ALL ORDER BY ALL""",
        NOT_A_RESPONSE,
    )
    sources = balance(ledger)
    stages = _stages(ledger, ends)
    kept = sum(row["kept"] for row in sources)
    pages = _without_aside(stages)
    left_out = sum(row["documents"] for row in ends if row["kind"] == "aside")
    aside = paragraph(
        f"Not drawn: {count(left_out)} records that are no page but only accompany one (requests, metadata). They have their "
        "fate in the ledger like all others, removed at the first step."
    )
    key = legend(
        ("kept", "goes on"),
        ("removed", "removed by a rule, or not a page"),
        ("duplicate", "duplicate"),
        ("quarantined", "quarantined: could not be read or processed"),
    )
    return joined(
        verdict(ledger, sources, stages),
        tag(
            "div",
            tag("div", flow_chart(pages, kept, "pages"), aside if left_out else None, key),
            _steps(stages, kept),
            class_="beside",
        ),
        _sources(sources),
    )


def balance(ledger: Ledger) -> list[Row]:
    """For each source: records in, documents by fate, and those without one."""
    fates = ", ".join(f"coalesce(sum(documents) FILTER (fate = '{fate}'), 0)::BIGINT AS {fate}" for fate in FATES)
    return ask(
        ledger,
        f"""SELECT r.source, any_value(r.entered) AS entered, {fates},
                   coalesce(sum(documents) FILTER (fate = ''), 0)::BIGINT AS lost
            FROM (SELECT source, count(*)::BIGINT AS entered FROM records GROUP BY source) r
            LEFT JOIN ends USING (source) GROUP BY r.source ORDER BY r.source""",
    )


def verdict(ledger: Ledger, sources: list[Row], stages: list[Stage]) -> Html:
    """Whether the ledger balances and the manifest says the same."""
    total = {name: sum(row[name] for row in sources) for name in ("entered", *FATES)}
    whole = all(row["entered"] == sum(row[fate] for fate in FATES) and not row["lost"] for row in sources)
    told = ledger.manifest["sources"]
    counted = {row["source"]: {"in": row["entered"], **{fate: row[fate] for fate in FATES}} for row in sources}
    same = counted == {name: row for name, row in told.items() if row["in"]} and all(
        stage.entered == step["entered"] for stage, step in zip(stages, ledger.manifest["steps"])
    )
    equation = f"{count(total['entered'])} in = " + " + ".join(f"{count(total[fate])} {fate}" for fate in FATES)
    good = whole and same
    words = (
        "Nothing is lost. Counted anew from the ledger, for every source: in = kept + removed + duplicate + quarantined; "
        "the manifest says the same."
        if good
        else "THE COUNTS DO NOT AGREE. Run `corpusmill verify`: "
        + ("the ledger and the manifest differ." if whole else "not every record has one fate.")
    )
    return tag(
        "p",
        tag("strong", "✓ " if good else "✗ ", words),
        tag("br"),
        equation,
        class_="good" if good else "bad",
        role="status",
    )


def _stages(ledger: Ledger, ends: list[Row]) -> list[Stage]:
    entered = sum(row["documents"] for row in ends)
    stages = []
    for step in ledger.steps():
        here = sorted(
            (row for row in ends if row["step"] == step and row["kind"] in WORDS),
            key=lambda row: (-row["documents"], row["kind"]),
        )
        stages.append(Stage(step, entered, [End(r["documents"], r["kind"], WORDS[r["kind"]]) for r in here]))
        entered -= sum(row["documents"] for row in here)
    return stages


def _without_aside(stages: list[Stage]) -> list[Stage]:
    """The stages for pages alone: what only accompanies a page leaves no room for the rest of the drawing."""
    aside = sum(end.documents for stage in stages for end in stage.ends if end.kind == "aside")
    drawn = []
    for stage in stages:
        ends = [end for end in stage.ends if end.kind != "aside"]
        drawn.append(Stage(stage.name, stage.entered - aside, ends))
        aside -= sum(end.documents for end in stage.ends if end.kind == "aside")
    return drawn


def _steps(stages: list[Stage], kept: int) -> Html:
    kinds = ("aside", "removed", "duplicate", "quarantined")
    rows: list[list[Child]] = []
    for stage in stages:
        ended = {end.kind: end.documents for end in stage.ends}
        rows.append([stage.name, count(stage.entered), *[count(ended.get(kind)) for kind in kinds]])
    rows.append(["kept", count(kept), *["" for _ in kinds]])
    return table("Step by step", ["Step", "In", "No page", "Removed", "Duplicate", "Quarantined"], rows, "-rrrrr")


def _sources(sources: list[Row]) -> Html:
    rows: list[list[Child]] = [
        [
            row["source"],
            count(row["entered"]),
            *[count(row[fate]) for fate in FATES],
            share(row["kept"], row["entered"]),
            "✓ balances" if row["entered"] == sum(row[fate] for fate in FATES) else "✗ does not balance",
        ]
        for row in sources
    ]
    if not rows:
        return paragraph("No record entered this run.")
    heads = ["Source", "In", "Kept", "Removed", "Duplicate", "Quarantined", "Kept of in", "Check"]
    return table("The balance of each source", heads, rows, "-rrrrrr-")
