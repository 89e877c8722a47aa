"""Languages: what was recognised, what was kept, and how sure the recogniser was."""

from __future__ import annotations

from curation.audit.story import Ledger
from curation.report.binning import distribution
from curation.report.charts import bar, histogram, legend
from curation.report.markup import Child, Html, count, figure, joined, paragraph, share, table, tag
from curation.report.tables import ask

ORDER = 60
TITLE = "Languages"

MOST_LANGUAGES = 30


def render(ledger: Ledger) -> Html:
    """Languages by documents, and the scores of those with a wanted language."""
    settings = ledger.manifest["plan"]["recipe"].get("language")
    rows = ask(
        ledger,
        """SELECT coalesce(nullif(lang, ''), 'none') AS lang, n, coalesce(kept, 0)::BIGINT AS kept
           FROM (SELECT lang, count(*)::BIGINT AS n FROM measures WHERE lang IS NOT NULL GROUP BY lang)
           LEFT JOIN (SELECT lang, count(*)::BIGINT AS kept FROM documents GROUP BY lang) USING (lang)
           ORDER BY n DESC, lang""",
    )
    if not rows:
        return paragraph(
            "This run's recipe recognises no languages." if not settings else "No document reached this step."
        )
    total = sum(row["n"] for row in rows)
    cells: list[list[Child]] = [
        [row["lang"], count(row["n"]), bar(row["n"], rows[0]["n"], "aside"), share(row["n"], total), count(row["kept"])]
        for row in rows[:MOST_LANGUAGES]
    ]
    rest = rows[MOST_LANGUAGES:]
    note = f"{count(len(rest))} more languages with {count(sum(row['n'] for row in rest))} documents." if rest else ""
    heads = ["Language", "Recognised", "", "Share", "Kept in the end"]
    return joined(
        paragraph(_rule(settings or {})),
        tag(
            "div",
            table("Languages, the best label of each document", heads, cells, "-r-rr", note),
            _scores(ledger, settings or {}),
            class_="beside",
        ),
    )


def _rule(settings: dict[str, object]) -> str:
    keep = settings.get("keep")
    wanted = ", ".join(map(str, keep)) if isinstance(keep, list) and keep else "any language"
    return (
        f"Recogniser: {settings.get('engine', '')}. A document goes on if it scores above "
        f"{figure(_least(settings))} for {wanted}. Codes are ISO 639."
    )


def _least(settings: dict[str, object]) -> float:
    value = settings.get("min_score", 0.0)
    return float(value) if isinstance(value, (int, float)) else 0.0


def _scores(ledger: Ledger, settings: dict[str, object]) -> Html | None:
    """Scores of the documents whose best label is wanted. The bound is strict: a score at it is removed."""
    ledger.database.execute("CREATE OR REPLACE TEMP TABLE wanted (lang VARCHAR)")
    keep = settings.get("keep")
    for language in keep if isinstance(keep, list) else []:
        ledger.database.execute("INSERT INTO wanted VALUES (?)", [str(language)])
    least = _least(settings)
    where = "lang IN (FROM wanted) OR NOT EXISTS (FROM wanted)"
    found = distribution(ledger, "measures", "lang_score", least, None, where, axis=(0.0, 1.0))
    if found is None:
        return None
    words = f"{count(found.documents)} documents whose best label is wanted, {count(found.below)} below {figure(least)}"
    drawn = histogram("Language score", words, found.bars, found.axis, [least])
    key = legend(("within", "goes on"), ("beyond", "removed"), ("threshold", "least score"))
    return tag(
        "figure",
        tag("figcaption", tag("strong", "Language score"), tag("br"), tag("span", words, class_="quiet")),
        drawn,
        key,
    )
