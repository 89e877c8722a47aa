"""Where the documents went: the run's steps as a table, its sources as another, and what to ask next."""

from __future__ import annotations

from typing import Any

from rich.table import Table
from rich.text import Text

MOST_REASONS = 6


def funnel_table(manifest: dict[str, Any]) -> Table:
    """A row a step: documents in and out, and those whose way ended, by reason."""
    table = Table(title="Where every document went", title_justify="left", header_style="bold", pad_edge=False)
    for name in ("step", "in", "out", "ended"):
        table.add_column(name, justify="left" if name == "step" else "right")
    table.add_column("by reason", overflow="fold")
    for step in manifest["steps"]:
        fates: dict[str, dict[str, int]] = step["ended"]
        ended = sum(sum(reasons.values()) for fate, reasons in fates.items() if fate != "kept")
        kept = sum(fates.get("kept", {}).values())
        named = sorted(
            (
                (count, reason, fate)
                for fate, reasons in fates.items()
                for reason, count in reasons.items()
                if fate != "kept"
            ),
            key=lambda row: (-row[0], row[1]),
        )
        words = [
            f"{reason} {count:,}" + (" (quarantined)" if fate == "quarantined" else "") for count, reason, fate in named
        ]
        rest = sum(count for count, _, _ in named[MOST_REASONS:])
        shown = words[:MOST_REASONS] + ([f"{len(words) - MOST_REASONS} more reasons {rest:,}"] if rest else [])
        table.add_row(
            step["step"],
            f"{step['entered']:,}",
            f"{step['went_on'] + kept:,}",
            f"{ended:,}" if ended else "",
            ", ".join(shown),
        )
    return table


def source_table(manifest: dict[str, Any]) -> Table:
    """A row a source: in = kept + removed + duplicate + quarantined, and its tokens."""
    table = Table(title="The balance", title_justify="left", header_style="bold", pad_edge=False)
    table.add_column("source")
    names = ("in", "kept", "removed", "duplicate", "quarantined")
    for name in (*names, "tokens"):
        table.add_column(name, justify="right")
    tokens: dict[str, int] = {}
    for shard in manifest["shards"]:
        source = shard["source"]
        tokens[source] = tokens.get(source, 0) + shard["tokens"]
    for source, counts in manifest["sources"].items():
        table.add_row(source, *[f"{counts[name]:,}" for name in names], f"{tokens.get(source, 0):,}")
    return table


def next_steps(run: str, manifest: dict[str, Any]) -> Text:
    """What lies where, and three commands to go on with."""
    kept = f"documents: {run}/documents   " if manifest["plan"]["recipe"].get("documents", True) else ""
    lines = [f"{kept}shards: {run}/shards   ledger: {run}/ledger", "Next:"]
    shard = next((s for s in manifest["shards"] if s["tokens"]), None)
    lines += [f"  corpusmill why {run} --url URL              why a page is in or out"]
    if shard:
        lines += [f"  corpusmill trace {run} --shard {shard['shard']} --token {shard['tokens'] // 2}"]
    lines += [f"  corpusmill verify {run}                     every byte and count again"]
    lines += [f"  corpusmill report {run}                     the whole account as one page for a browser"]
    return Text("\n".join(lines))
