"""A document's story for a person to read in a terminal. All of it is shown as plain text: it comes from the web."""

from __future__ import annotations

import unicodedata
from typing import Any

from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from curation.audit.differences import stretches
from curation.audit.story import Beside, Copies, Story

SHOWN_TEXT = 400  # characters
SHOWN_ITEMS = 5  # of evaluation sets
ALIKE = {"url": "the same page as", "exact": "the same text as"}
COLOURS = {"kept": "green", "removed": "red", "duplicate": "yellow", "quarantined": "magenta"}


def story_panel(story: Story, text: str) -> Panel:
    """Who the document is, its way, its end, and how its text begins."""
    fate = story.fate["fate"]
    parts: list[Table | Text] = [identity(story), Text(), way(story)]
    if text:
        parts += [Text(), beginning(text)]
    if story.beside:
        parts += [Text(), *original(story.beside)]
    if story.copies and story.copies.documents:
        parts += [Text(), behind(story.copies)]
    title = Text(f" {fate.upper()} ", style=f"bold {COLOURS[fate]}")
    return Panel(Group(*parts), title=title, title_align="left", border_style=COLOURS[fate])


def beginning(text: str) -> Text:
    """How a text begins."""
    return Text(plain(text[:SHOWN_TEXT]) + ("…" if len(text) > SHOWN_TEXT else ""), style="dim")


def original(beside: Beside) -> list[Table | Text]:
    """What a duplicate is a duplicate of, and both texts as one where the run has both."""
    table = Table.grid(padding=(0, 2))
    rows = [("kept", "a document of an earlier run, by its index" if beside.elsewhere else beside.place)]
    rows += [("document", beside.doc_id)]
    if beside.jaccard is not None:
        rows += [("Jaccard", f"{beside.jaccard:.3f}, measured on the whole texts")]
    for name, value in rows:
        table.add_row(Text(name, style="dim"), Text(plain(value), overflow="fold"))
    if beside.removed and beside.kept:
        return [table, Text(), *differences(beside.removed, beside.kept)]
    return [table, Text(), Text("The kept document begins:"), beginning(beside.kept)] if beside.kept else [table]


def differences(removed: str, kept: str) -> list[Table | Text]:
    """The beginnings of both as one text, with marks that are seen without colours."""
    shown = Text()
    for stretch in stretches(removed, kept):
        shown.append(plain(stretch.both), style="dim")
        shown.append(f"[-{plain(stretch.removed)}-]" if stretch.removed else "", style="red")
        shown.append(f"{{+{plain(stretch.kept)}+}}" if stretch.kept else "", style="green")
        shown.append(" ")
    return [Text("Both begin: [-only in this one-] {+only in the kept one+}"), shown]


def behind(copies: Copies) -> Text:
    """The duplicates that a kept document stands for."""
    counted = ", ".join(f"{reason} {count:,}" for reason, count in copies.reasons.items())
    noun = "duplicate was" if copies.documents == 1 else "duplicates were"
    lines = [f"{copies.documents:,} {noun} removed for it ({counted}):", *[f"  {url}" for url in copies.urls]]
    if copies.documents > len(copies.urls):
        lines.append(f"  and {copies.documents - len(copies.urls):,} more")
    return Text(plain("\n".join(line.replace("\n", " ") for line in lines)), overflow="fold")


def identity(story: Story) -> Table:
    """URL, archive, offset, date and id; the place in a shard for a kept document."""
    table = Table.grid(padding=(0, 2))
    record, fate = story.record, story.fate
    rows = [
        ("page", record["url"] or "(no URL)"),
        ("archive", f"{record['source']}/{record['archive']}, record at {record['offset']:,}"),
        ("captured", record["date"]),
        ("document", story.doc_id),
    ]
    if fate["shard"]:
        rows.append(
            ("shard", f"{fate['shard']}, tokens {fate['position']:,} to {fate['position'] + fate['tokens'] - 1:,}")
        )
    if story.tokens:
        place = story.tokens
        rows.append(
            ("token", f"{place['token']:,}: number {place['of_document'] + 1:,} of the document's {place['tokens']:,}")
        )
    for name, value in rows:
        if value:
            table.add_row(Text(name, style="dim"), Text(plain(value), overflow="fold"))
    return table


def way(story: Story) -> Table:
    """A row a step that the document went through, and the one where its way ended."""
    table = Table.grid(padding=(0, 2))
    for step in story.passed:
        if step not in ("tokenize",):
            table.add_row(Text("✓", style="green"), Text(step), Text(note(story, step), style="dim"))
    fate = story.fate
    if fate["fate"] == "kept":
        tokens = f"{fate['tokens']:,} tokens" if fate["tokens"] else ""
        table.add_row(Text("✓", style="green"), Text("kept"), Text(tokens, style="dim"))
    else:
        table.add_row(Text("✗", style=COLOURS[fate["fate"]]), Text(fate["step"]), Text(ending(story)))
    for item in story.contamination[:SHOWN_ITEMS]:
        table.add_row("", "", Text(evaluation_item(item), style="dim"))
    if len(story.contamination) > SHOWN_ITEMS:
        table.add_row("", "", Text(f"and {len(story.contamination) - SHOWN_ITEMS:,} more", style="dim"))
    return table


def evaluation_item(row: dict[str, Any]) -> str:
    """An item of an evaluation set that stands in the document, and where."""
    found = f"{row['ngrams']:,} n-grams, {row['covered']:.0%} of it, from character {row['position']:,}"
    return plain(f"{row['set']} {row['item']}: {found}")


def note(story: Story, step: str) -> str:
    """What is worth saying of a step that a document passed."""
    if step == "language" and story.language:
        return f"{story.language[0]} {story.language[1]:.2f}"
    return ", ".join(f"{kind.replace('_', ' ')} {count}" for name, kind, count in story.edits if name == step)


def ending(story: Story) -> str:
    """Why a document's way ended, with value and threshold."""
    fate = story.fate
    if fate["fate"] == "duplicate":
        alike = ALIKE.get(fate["reason"]) or f"similar ({fate['similarity']:.2f}) to"
        return plain(f"{fate['reason']}: {alike} {story.duplicate_of}")
    figures = ""
    if fate["value"] is not None:
        figures = f": {number(fate['value'])}"
        if fate["threshold"] is not None:
            figures += f", threshold {number(fate['threshold'])}"
    return f"{fate['reason']}{figures}"


def number(value: float) -> str:
    """A figure as short as it is exact enough."""
    return f"{value:,.0f}" if value == int(value) else f"{value:.4g}"


def plain(text: str) -> str:
    """Text from the web without what would steer a terminal or turn the reading direction."""
    return "".join(
        c if c == "\n" or unicodedata.category(c) not in ("Cc", "Cf", "Co", "Cs") else "\ufffd" for c in text
    )
