"""`prove backends`: the megatron backend trains as the reference does, which reads like the paper."""

from __future__ import annotations

from rich.console import Console

from trainer.prove.compare import difference, report
from trainer.prove.toy import Case, run_cases, toy_folder

STYLES = ("llama", "gpt2")


def prove(console: Console) -> bool:
    """One process of each backend, in both styles; prints the table and the largest distance. Whether all hold."""
    names = {style: (f"reference {style}", f"megatron {style}") for style in STYLES}
    cases = [
        Case(name, backend=backend, architecture=style, gradients=True)
        for style, pair in names.items()
        for name, backend in zip(pair, ("reference", "megatron"))
    ]
    with toy_folder() as folder:
        results = run_cases(folder, cases)
        rows = {style: difference(results[one], results[other]) for style, (one, other) in names.items()}
    worst = max(max(row.gradient, row.first_loss, row.loss) for row in rows.values())
    figure = (
        f"{sum(row.holds for row in rows.values())} of {len(rows)} model styles agree; largest distance {worst:.1e}"
    )
    return report(console, "The megatron backend against the reference", rows, figure)
