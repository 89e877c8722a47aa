"""Where a run's time went: CPU seconds by step, from its receipts, the one place in a run that holds a clock."""

from __future__ import annotations

from rich.table import Table

from curation.run.folder import RunFolder
from curation.run.receipt import total_counts


def cpu_seconds(run: str) -> dict[str, float]:
    """CPU seconds of all workers, by step, in order."""
    seconds: dict[str, float] = {}
    for stage in ("refine", "finish", "shards", "places"):
        for receipt in RunFolder(run.rstrip("/")).receipts(stage):
            for step, value in receipt.timing.items():
                if step != "wall":
                    seconds[step] = seconds.get(step, 0.0) + value
    return seconds


def profile_table(run: str) -> Table:
    """A row a step: documents in, CPU seconds, share, documents a second."""
    folder = RunFolder(run.rstrip("/"))
    counts = total_counts([receipt for stage in ("refine", "finish") for receipt in folder.receipts(stage)])
    seconds = cpu_seconds(run)
    total = sum(seconds.values()) or 1.0
    table = Table(title="Where the time went (CPU seconds)", title_justify="left", header_style="bold", pad_edge=False)
    for name in ("step", "in", "seconds", "share", "documents/s"):
        table.add_column(name, justify="left" if name == "step" else "right")
    for name, value in seconds.items():
        entered = counts[name].entered if name in counts else 0
        rate = f"{entered / value:,.0f}" if entered and value > 0 else ""
        shown = f"{entered:,}" if entered else ""
        table.add_row(name, shown, f"{value:.2f}", f"{100 * value / total:.0f} %", rate)
    return table
