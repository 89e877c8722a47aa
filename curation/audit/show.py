"""A document's story for a person to read in a terminal. All of it is shown as plain text: it comes from the web."""

from __future__ import annotations

import unicodedata

from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from curation.audit.story import Story

SHOWN_TEXT = 400  # characters
COLOURS = {"kept": "green", "removed": "red", "duplicate": "yellow", "quarantined": "magenta"}


def story_panel(story: Story, text: str) -> Panel:
    """Who the document is, its way, its end, and how its text begins."""
    fate = story.fate["fate"]
    parts: list[Table | Text] = [identity(story), Text(), way(story)]
    if text:
        parts += [Text(), Text(plain(text[:SHOWN_TEXT]) + ("…" if len(text) > SHOWN_TEXT else ""), style="dim")]
    title = Text(f" {fate.upper()} ", style=f"bold {COLOURS[fate]}")
    return Panel(Group(*parts), title=title, title_align="left", border_style=COLOURS[fate])


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
    return table


def note(story: Story, step: str) -> str:
    """What is worth saying of a step that a document passed."""
    if step == "language" and story.language:
        return f"{story.language[0]} {story.language[1]:.2f}"
    return ", ".join(f"{kind.replace('_', ' ')} {count}" for name, kind, count in story.edits if name == step)


def ending(story: Story) -> str:
    """Why a document's way ended, with value and threshold."""
    fate = story.fate
    if fate["fate"] == "duplicate":
        alike = "the same text as" if fate["reason"] == "exact" else f"similar ({fate['similarity']:.2f}) to"
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
