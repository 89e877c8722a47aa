"""What was measured: a histogram of each measure with the thresholds of the recipe."""

from __future__ import annotations

from curation.audit.story import Ledger
from curation.quality.measure import shipped
from curation.report.binning import Distribution, distribution
from curation.report.charts import histogram, legend
from curation.report.markup import Html, count, figure, folded, joined, paragraph, share, tag
from curation.report.tables import columns
from curation.report.thresholds import Threshold, thresholds

ORDER = 40
TITLE = "What was measured"

_NO_MEASURES = ("doc_id", "row", "lang", "lang_score")


def render(ledger: Ledger) -> Html:
    """The measures, grouped by the step that asks for them first."""
    rules = thresholds(ledger.manifest)
    groups: dict[str, list[str]] = {}
    for name in columns(ledger, "measures"):
        if name not in _NO_MEASURES:
            step = next((rule.step for rule in rules if rule.measure == name), "without a threshold")
            groups.setdefault(step, []).append(name)
    sections = []
    for number, (step, names) in enumerate(groups.items()):
        charts = [chart for name in names if (chart := _chart(ledger, name, rules))]
        if charts:
            summary = f"{step} ({count(len(charts))})"
            sections.append(folded(summary, tag("div", *charts, class_="charts"), open_=number < 4))
    if not sections:
        return paragraph("No measure was computed in this run.")
    return joined(
        paragraph(
            "Each measure over the documents that reached its filter. Rules are applied in order, so a document beyond a "
            "threshold may have been removed by a rule before. Counts stand on a logarithmic scale, so that few beyond a "
            "threshold are seen beside many within."
        ),
        legend(
            ("within", "within the threshold"),
            ("beyond", "beyond it: removed, here or by a rule before"),
            ("threshold", "threshold"),
        ),
        *sections,
    )


def _chart(ledger: Ledger, name: str, rules: list[Threshold]) -> Html | None:
    asked = [rule for rule in rules if rule.measure == name]
    least = max((rule.least for rule in asked if rule.least is not None), default=None)
    greatest = min((rule.greatest for rule in asked if rule.greatest is not None), default=None)
    found = distribution(ledger, "measures", name, least, greatest)
    if found is None:
        return None
    low, high, _ = found.axis
    marks = [mark for mark in (least, greatest) if mark is not None and low <= mark <= high]
    known = shipped().get(name)
    title = name.replace("_", " ")
    drawn = histogram(title, _words(found, asked), found.bars, found.axis, marks)
    unit = f", {known.unit}" if known and known.unit else ""
    caption = tag(
        "figcaption", tag("strong", title), unit, tag("br"), tag("span", _words(found, asked), class_="quiet")
    )
    more = folded("what it is for", paragraph(f"Removes {known.catches}. Source: {known.source}.")) if known else None
    return tag("figure", caption, drawn, more)


def _words(found: Distribution, asked: list[Threshold]) -> str:
    words = f"{count(found.documents)} documents, {figure(found.least)} to {figure(found.greatest)}"
    for rule in asked:
        beyond = found.below if rule.least is not None else found.above
        bound = f"below {figure(rule.least)}" if rule.least is not None else f"above {figure(rule.greatest)}"
        words += f"; {bound}: {count(beyond)}" + (f" ({share(beyond, found.documents)})" if beyond else "")
    return words
