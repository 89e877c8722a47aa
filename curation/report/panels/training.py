"""Trainings in the run folder: the loss over the steps, in all and by source."""

from __future__ import annotations

from curation.audit.story import Ledger
from curation.report.charts import Series, lines
from curation.report.markup import Child, Html, count, figure, joined, paragraph, share, table, tag
from curation.report.metrics import Training, trainings

ORDER = 100
TITLE = "Training"

MOST_SOURCES = 7


def render(ledger: Ledger) -> Html:
    """A section a training."""
    found = trainings(ledger.folder)
    if not found:
        return paragraph("No training lies in this run folder.")
    return joined(*[_training(training) for training in found])


def _training(training: Training) -> Html:
    heading = tag("h3", training.name)
    if not training.loss:
        return joined(heading, paragraph("Its metrics hold no step yet."))
    first, last = training.loss[0], training.loss[-1]
    words = f"Loss {figure(first[1])} at step {count(int(first[0]))}, {figure(last[1])} at step {count(int(last[0]))}"
    words += f" after {count(training.tokens)} tokens." if training.tokens else "."
    by_size = sorted(training.by_source, key=lambda name: (-len(training.by_source[name]), name))
    series = [Series("all", training.loss)]
    series += [Series(name, training.by_source[name]) for name in sorted(by_size[:MOST_SOURCES])]
    rows: list[list[Child]] = []
    for name, points in [("all", training.loss), *sorted(training.by_source.items())]:
        low = min(value for _, value in points)
        rows.append([name, figure(points[0][1]), figure(low), figure(points[-1][1])])
    left_out = (
        f" {count(len(by_size) - MOST_SOURCES)} sources are only in the table." if len(by_size) > MOST_SOURCES else ""
    )
    notes = f"Lines of its metrics that could not be read: {count(training.unread)}." if training.unread else ""
    smoothed = " Each point is the mean of neighbouring steps." if training.steps > len(training.loss) else ""
    return joined(
        heading,
        paragraph(words, smoothed, left_out),
        tag(
            "div",
            tag("figure", lines(f"Loss of {training.name}", words, series, "step")),
            table(f"Loss by source, {training.name}", ["Source", "First", "Least", "Last"], rows, "-rrr", notes),
            class_="beside",
        ),
        _packing(training),
        _settings(training),
    )


def _packing(training: Training) -> Html | None:
    """How full the sequences are, where documents are packed."""
    if not training.fills:
        return None
    rows: list[list[Child]] = [
        [
            name,
            count(fill.documents),
            count(fill.sequences),
            share(fill.tokens, fill.tokens + fill.padding),
            share(fill.padding, fill.tokens + fill.padding),
            share(fill.cut, fill.documents),
        ]
        for name, fill in training.fills.items()
    ]
    heads = ["Source", "Documents", "Sequences", "Full", "Padding", "Longer than a sequence"]
    note = "Of its documents, only those that are longer than a sequence are cut."
    return table(f"How full the sequences are, {training.name}", heads, rows, "-rrrrr", note)


def _settings(training: Training) -> Html | None:
    """Learning rate and gradient norm, where they are logged."""
    charts = [
        tag(
            "figure",
            tag("figcaption", tag("strong", name)),
            lines(f"{name} of {training.name}", f"{name} over the steps", [Series(name, points)], "step"),
        )
        for name, points in (("learning rate", training.learning_rate), ("gradient norm", training.gradient_norm))
        if points
    ]
    return tag("div", *charts, class_="charts large") if charts else None
