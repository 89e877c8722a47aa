"""`prove layouts`: every layout trains as one process does.

Compared are the first loss, each canonical gradient of the first step before clipping (Adam hides a wrong scale, gradients do
not), the losses of 20 AdamW steps, sums by source, and a forward-only pass at the end.
"""

from __future__ import annotations

from dataclasses import replace

from rich.console import Console

from trainer.prove.compare import difference, report
from trainer.prove.toy import Case, run_cases, toy_folder

STYLES = ("llama", "gpt2")
LAYOUTS = (
    Case("accumulation 8", backend="megatron", micro=1),
    Case("dp2", backend="megatron", ranks=2),
    Case("tp2", backend="megatron", ranks=2, tensor=2),
    Case("tp2+sp", backend="megatron", ranks=2, tensor=2, sequence_parallel=True),
    Case("pp2", backend="megatron", ranks=2, pipeline=2),
    Case("tp2 x pp2", backend="megatron", ranks=4, tensor=2, pipeline=2),
    Case("dp2 x tp2+sp", backend="megatron", ranks=4, tensor=2, sequence_parallel=True),
    Case("dp2 x pp2", backend="megatron", ranks=4, pipeline=2),
)
REFERENCE_LAYOUTS = (Case("accumulation 8", micro=1), Case("dp2", ranks=2), Case("dp4", ranks=4))


def cases(style: str) -> dict[Case, list[Case]]:
    """What each case of a style is held against: one process of the same backend → its layouts."""
    found = {}
    for backend, layouts in (("reference", REFERENCE_LAYOUTS), ("megatron", LAYOUTS)):
        base = Case(f"{backend} {style}, one process", backend=backend, architecture=style, gradients=True)
        found[base] = [
            replace(case, name=f"{backend} {style}, {case.name}", architecture=style, gradients=True)
            for case in layouts
        ]
    return found


def prove(console: Console) -> bool:
    """Runs every layout in both styles; prints the table and the largest distance. Whether all hold."""
    pairs = {base: layouts for style in STYLES for base, layouts in cases(style).items()}
    with toy_folder() as folder:
        results = run_cases(folder, [case for base, layouts in pairs.items() for case in (base, *layouts)])
        rows = {
            case.name: difference(results[base.name], results[case.name])
            for base, layouts in pairs.items()
            for case in layouts
        }
    worst = max(max(row.gradient, row.first_loss, row.loss) for row in rows.values())
    held = sum(row.holds for row in rows.values())
    figure = f"{held} of {len(rows)} layouts train as one process does; largest distance {worst:.1e}"
    return report(console, "Layouts against one process", rows, figure)
