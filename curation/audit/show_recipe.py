"""A recipe's account for a person to read: its steps, its rules, its passes, and what a worker holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from curation.audit.pages import open_table
from curation.audit.show import number, plain
from curation.dedup.banding import datasketch_choice, s_curve
from curation.pipeline.explain import Account, StepAccount
from curation.pipeline.fired import Fired
from curation.quality.rules import Rule
from curation.recipes.dedup import MinHash
from curation.run.documents import EDIT, MEASURE

UNITS = ("bytes", "kB", "MB", "GB", "TB")


def recipe_page(account: Account, fired: Sequence[Fired] | None = None) -> list[RenderableType]:
    """All tables of an account in order; with how often each rule fired where a run is asked about."""
    head = Text(plain(account.recipe), style="bold") + Text(f"  {plain(account.source)}", style="not bold dim")
    parts: list[RenderableType] = [head, Text(), step_table(account.steps)]
    if any(step.rules for step in account.steps):
        parts += [Text(), rule_table(account.steps, fired)]
    if account.near is not None:
        parts += [Text(), curve_table(account.near)]
    return [*parts, Text(), pass_table(account), Text(), memory_table(account)]


def step_table(steps: Sequence[StepAccount]) -> Table:
    """A row a step, in the order in which they are done."""
    table = open_table("Steps of the pass refine", "step", "what it does", "reads", "adds")
    for step in steps:
        table.add_row(plain(step.step), description(step), ", ".join(step.needs), ", ".join(added(step)))
    return table


def description(step: StepAccount) -> Text:
    """What a step does, its parameters, its source and files, each on a line of its own."""
    files = [f"{path} ({in_bytes(size)})" for path, size in step.files]
    lines = [
        settings_of(step.settings),
        f"source: {step.source}" if step.source else "",
        f"files: {', '.join(files)}" if files else "",
        f"columns unknown: {step.trouble}" if step.trouble else "",
        *step.notes,
    ]
    told = Text(plain(step.what))
    for line in filter(None, lines):
        told.append(f"\n{plain(line)}", style="dim")
    return told


def rule_table(steps: Sequence[StepAccount], fired: Sequence[Fired] | None) -> Table:
    """A row a rule: what is measured, in which unit, when it removes a document, the reason that it gives."""
    counted = () if fired is None else ("fired",)
    names = ("step", "measure", "unit", "removed if", "reason", *counted, "source of the measure")
    table = open_table("Rules, of which the first that fires decides", *names, right=("removed if", "fired"))
    counts = {(each.step, each.reason): each.documents for each in fired or ()}
    for step in steps:
        for rule in step.rules:
            documents = counts.get((step.step, rule.reason))
            count = () if fired is None else ("–" if documents is None else f"{documents:,}",)
            measure = rule.measure
            cells = (step.step, measure.name, measure.unit, removed_if(rule), rule.reason, *count, measure.source)
            table.add_row(*map(plain, cells))
    return table


def curve_table(near: MinHash) -> Table:
    """Which pairs become candidates, by their similarity; the target's row is marked."""
    theirs = datasketch_choice(near.target, near.values)
    ours, datasketch = f"{near.banding}, as here", f"{theirs}, datasketch's choice for {near.target:g}"
    title = "Pairs of documents that share a key, by their Jaccard similarity"
    table = open_table(title, "similarity", ours, datasketch, right=("similarity", ours, datasketch))
    for row in s_curve(near.banding, near.target, near.values):
        style = "bold" if row.similarity == near.target else None
        table.add_row(f"{row.similarity:g}", f"{row.ours:.2%}", f"{row.datasketch:.2%}", style=style)
    return table


def pass_table(account: Account) -> Table:
    """What each pass does, and where the shuffle is."""
    table = open_table("Passes", "pass", "what it does")
    for name, what in account.passes:
        table.add_row(name, plain(what))
    return table


def memory_table(account: Account) -> Table:
    """What a worker holds at most, as far as it is bounded by the code or by files."""
    table = open_table("What a worker holds beside its code", "what", "at most", right=("at most",))
    for what, size in account.memory:
        table.add_row(plain(what), in_bytes(size))
    return table


def added(step: StepAccount) -> list[str]:
    """The columns that a step adds, measures and edits by their number."""
    measures = sum(name.startswith(MEASURE) for name in step.adds)
    edits = sum(name.startswith(EDIT) for name in step.adds)
    others = [name for name in step.adds if not name.startswith((MEASURE, EDIT))]
    counted = [
        f"{count} {what}{'s' if count > 1 else ''}" for count, what in ((measures, "measure"), (edits, "edit")) if count
    ]
    return [*others, *counted, *(["verdict"] if step.ends else [])]


def removed_if(rule: Rule) -> str:
    """`< 50` or `> 0.3`."""
    return f"< {number(rule.threshold)}" if rule.min is not None else f"> {number(rule.threshold)}"


def settings_of(settings: Mapping[str, Any]) -> str:
    """The parameters that say something, as `key: value`."""
    told = {name: value for name, value in settings.items() if value not in (None, (), [], "")}
    return "; ".join(f"{name}: {in_words(value)}" for name, value in told.items())


def in_words(value: Any) -> str:
    """A parameter's value as a recipe would have it."""
    if isinstance(value, Mapping):
        return f"{{{settings_of(value).replace('; ', ', ')}}}"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(in_words, value))
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def in_bytes(size: int) -> str:
    """A size in the largest unit (of 1,024) in which it is 1 or more."""
    power = min(max(size, 1).bit_length() - 1, 10 * (len(UNITS) - 1)) // 10
    return f"{size / 1024**power:,.{0 if power == 0 or size >= 10 * 1024**power else 1}f} {UNITS[power]}"
