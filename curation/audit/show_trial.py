"""A document's trial for a person to read: what every step and rule says of it, the lines edited, the text with its marks.

Everything that comes from the document is shown as plain text; what would steer a terminal, or turn the reading direction, is
shown by its code, such as `\\x1b` or `\\u202e`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from connectors.errors import UserError, nearest
from curation.audit.pages import open_table
from curation.audit.show import COLOURS, number, plain
from curation.pipeline.try_document import LineTrial, MarkedText, RuleTrial, StepTrial, Trial
from curation.run.documents import Verdict
from curation.text.segmentation import Span

OPENED, CLOSED = "▸", "◂"  # around what is marked, where there are no colours
MARKED = "black on yellow"
DECIDES = "◀ decides"
SHOWN_TEXT = 4000  # characters
SHOWN_LINE = 100
SHOWN_LINES = 20  # of a step
BEFORE_MARK = 200  # characters that are shown before a first mark far down in the text


def trial_page(trial: Trial, colours: bool, characters: int = SHOWN_TEXT) -> list[RenderableType]:
    """All of a trial in order. Without `colours` marks are written; of each text at most so many characters, 0 for all."""
    parts: list[RenderableType] = [headline(trial), Text(), trial_table(trial)]
    for step in trial.steps:
        if step.lines:
            parts += [Text(), line_table(step)]
    for text in trial.texts:
        parts += [Text(), Text(heading(text), style="bold"), marked(text, colours, characters)]
    return parts


def headline(trial: Trial) -> Text:
    """What becomes of the document, and by what."""
    page = f"  {visible(trial.url)}" if trial.url else ""
    deciding = trial.deciding
    if deciding is None or deciding.verdict is None:
        if not trial.texts:
            return Text(f"Not removed by the url filter of {plain(trial.recipe)}{page}")
        tokens = f", {trial.tokens:,} tokens with the end of document" if trial.tokens is not None else ""
        kept = Text("KEPT", style=f"bold {COLOURS['kept']}")
        return kept.append(
            f" by {plain(trial.recipe)}, unless it is a duplicate{tokens}{page}", style="not bold default"
        )
    verdict = deciding.verdict
    told = Text(verdict.fate.upper(), style=f"bold {COLOURS[verdict.fate]}")
    return told.append(
        f" by {plain(trial.recipe)}, step {plain(deciding.step)}: {plain(verdict.reason)}{figures(verdict)}{page}",
        style="not bold default",
    )


def trial_table(trial: Trial) -> Table:
    """A row a step, and for a step of rules a row a rule; the one that decides is marked."""
    names = ("step", "measure", "value", "threshold", "verdict", "reason", "")
    table = open_table("Every step and rule", *names, right=("value", "threshold"))
    deciding = trial.deciding
    for step in trial.steps:
        decides = step is deciding
        if not step.rules:
            table.add_row(*step_cells(step, decides))
            continue
        first = next((rule for rule in step.rules if rule.outcome == "fires"), None) if decides else None
        for place, rule in enumerate(step.rules):
            table.add_row(Text(plain(step.step) if place == 0 else ""), *rule_cells(rule, rule is first))
        if step.verdict and step.verdict.fate != "removed":  # the step failed on the document
            table.add_row(*step_cells(step, decides))
    return table


def step_cells(step: StepTrial, decides: bool) -> tuple[Text, ...]:
    """The cells of a step without rules."""
    verdict = step.verdict
    told = [f"{name} {shown_value(value)}" for name, value in step.findings.items()]
    told += [f"{kind} {count:,}" for kind, count in step.edits.items() if count]
    if verdict is None:
        ending = (Text(""), Text(""), Text("holds", style="green"), Text(""))
    else:
        value, threshold = ("" if n is None else number(n) for n in (verdict.value, verdict.threshold))
        ending = (
            Text(value),
            Text(threshold),
            Text(verdict.fate, style=COLOURS[verdict.fate]),
            Text(plain(verdict.reason)),
        )
    return (
        Text(plain(step.step)),
        Text(plain(", ".join(told))),
        *ending,
        Text(DECIDES if decides else "", style="bold"),
    )


def rule_cells(rule: RuleTrial, decides: bool) -> tuple[Text, ...]:
    """The cells of a rule behind the step's name."""
    bound = f"≥ {number(rule.min)}" if rule.min is not None else f"≤ {number(rule.max or 0.0)}"
    style = {"holds": "green", "fires": "red", "undefined": "dim"}[rule.outcome]
    value = "" if rule.value is None else number(rule.value)
    last = [DECIDES] if decides else []
    last += [f"{rule.places:,} place{'s' if rule.places > 1 else ''}"] if rule.places else []
    cells = (rule.measure, value, bound)
    return (
        *map(Text, map(plain, cells)),
        Text(rule.outcome, style=style),
        Text(plain(rule.reason)),
        Text("  ".join(last)),
    )


def line_table(step: StepTrial) -> Table:
    """The lines that a step dropped or changed, or by which it ended the document, with the reason; blank ones are counted."""
    table = open_table(f"Lines that {plain(step.step)} dropped or changed", "line", "reason", "text", right=("line",))
    filled = [line for line in step.lines if line.text.strip()]
    for line in filled[:SHOWN_LINES]:
        table.add_row(f"{line.number:,}", Text(plain(", ".join(line.kinds))), Text(beginning(line)))
    rest, blank = len(filled[SHOWN_LINES:]), len(step.lines) - len(filled)
    for count, what in ((rest, "more; --json has all"), (blank, "blank")):
        if count:
            table.add_row("", "", Text(f"and {count:,} {what}", style="dim"))
    return table


def heading(text: MarkedText) -> str:
    """Which text it is, and what is marked in it."""
    if not text.steps:
        return "The text behind the last step"
    seen = f"The text as {plain(', '.join(text.steps))} saw it"
    reasons = [reason for _, reason in text.marks]
    return f"{seen}; marked: {plain(', '.join(reasons))}" if reasons else f"{seen}; its marks cannot be placed"


def marked(text: MarkedText, colours: bool, characters: int) -> Text:
    """The text with what is marked in it, from near the first mark on."""
    spans = merged(span for places in text.marks.values() for span in places)
    start, stop = 0, characters or len(text.text)
    if spans and spans[0][0] >= stop:
        start = max(0, spans[0][0] - BEFORE_MARK)
        stop += start
    told = Text()
    told.append(f"… {start:,} characters before\n" if start else "", style="dim")
    at = start
    for first, last in ((first, min(last, stop)) for first, last in spans if first < stop):
        told.append(shown(text.text[at:first], colours))
        inside = shown(text.text[first:last], colours).replace("\n", "⏎\n")
        told.append(inside if colours else f"{OPENED}{inside}{CLOSED}", style=MARKED)
        at = last
    told.append(shown(text.text[at:stop], colours))
    rest = len(text.text) - stop
    return told.append(f"\n… {rest:,} more characters; --characters 0 shows all" if rest > 0 else "", style="dim")


def only(trial: Trial, reason: str) -> Trial:
    """The trial with the marks of one reason alone. Raises `UserError` for one that marks nothing."""
    known = {name for text in trial.texts for _, name in text.marks}
    if reason not in known:
        hint = nearest(reason, known) if known else ""
        raise UserError(f"Nothing in the document is marked for '{reason}'.{hint}")
    kept = [
        replace(text, marks={key: spans for key, spans in text.marks.items() if key[1] == reason})
        for text in trial.texts
    ]
    return replace(trial, texts=tuple(text for text in kept if text.marks))


def merged(spans: Iterable[Span]) -> list[Span]:
    """The spans in order, those that overlap as one."""
    joined: list[Span] = []
    for start, stop in sorted(spans):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], stop))
        else:
            joined.append((start, stop))
    return joined


def visible(text: str) -> str:
    """Text with the code of each character that `plain` would not let through, such as `\\t` and `\\u202e`."""
    return "".join(c if plain(c) == c else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def shown(text: str, colours: bool) -> str:
    """`visible`; where marks are written, those that stand in the text are shown by their code."""
    told = visible(text)
    return told if colours else "".join(f"\\u{ord(c):04x}" if c in (OPENED, CLOSED) else c for c in told)


def beginning(line: LineTrial) -> str:
    """The beginning of a line."""
    return visible(line.text[:SHOWN_LINE]) + ("…" if len(line.text) > SHOWN_LINE else "")


def shown_value(value: Any) -> str:
    """A finding: a label, a figure, or that there is none."""
    return "undefined" if value is None else number(value) if isinstance(value, float) else str(value)


def figures(verdict: Verdict) -> str:
    """Value and threshold of a verdict, where it has them."""
    value = "" if verdict.value is None else f": {number(verdict.value)}"
    return value + ("" if verdict.threshold is None or not value else f", threshold {number(verdict.threshold)}")


def as_json(trial: Trial) -> str:
    """The whole trial as JSON; characters beyond ASCII are written by their codes. An address alone may have no fate."""
    deciding = trial.deciding
    steps: Sequence[dict[str, Any]] = [{**asdict(step), "decides": step is deciding} for step in trial.steps]
    fate = deciding.verdict.fate if deciding and deciding.verdict else "kept" if trial.texts else None
    texts = [
        {
            "steps": text.steps,
            "text": text.text,
            "marks": [{"step": step, "reason": reason, "spans": spans} for (step, reason), spans in text.marks.items()],
        }
        for text in trial.texts
    ]
    content = {**asdict(trial), "fate": fate, "steps": steps, "texts": texts}
    return json.dumps(
        {key: content[key] for key in ("recipe", "url", "fate", "tokens", "steps", "texts", "page")}, indent=1
    )
