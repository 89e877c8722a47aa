"""`prove reshard`: what one layout saved, any other goes on from.

A checkpoint of each layout is loaded in every layout and saved again without a step: all tensors, optimizer state among them,
have to be the same bits. Then five steps more: as near to the layout that never changed as `prove layouts` asks.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from trainer.checkpoint import store
from trainer.prove.compare import LOSS
from trainer.prove.toy import Case, run_cases, toy_folder

SAVED, STEPS = 5, 10
LAYOUTS = (
    Case("reference"),
    Case("reference dp2", ranks=2),
    Case("megatron dp2", backend="megatron", ranks=2),
    Case("megatron tp2+sp", backend="megatron", ranks=2, tensor=2, sequence_parallel=True),
    Case("megatron pp2", backend="megatron", ranks=2, pipeline=2),
    Case("megatron tp2 x pp2", backend="megatron", ranks=4, tensor=2, pipeline=2),
)
STYLE = "gpt2"  # tied embeddings, positions and biases: the harder of the two to cut


def cases(folder: Path, style: str = STYLE) -> tuple[list[Case], dict[tuple[str, str], Case]]:
    """The layouts' own runs, and for each pair (saved in, loaded in) a save without a step and the steps that follow."""
    saves = [replace(case, architecture=style, stop=SAVED) for case in LAYOUTS]
    pairs = {}
    for one in LAYOUTS:
        loaded = Case("", architecture=style, first=SAVED, stop=STEPS, start=_saved(folder, one.name), resaved=True)
        for other in LAYOUTS:
            layout = {
                name: getattr(other, name) for name in ("backend", "ranks", "tensor", "pipeline", "sequence_parallel")
            }
            pairs[one.name, other.name] = replace(loaded, name=f"{one.name} to {other.name}", **layout)
    return saves, pairs


def _saved(folder: Path, name: str) -> str:
    return str(folder / "cases" / name / "last")


def prove(console: Console) -> bool:
    """Runs all pairs; prints the table and how many hold. Whether all do."""
    with toy_folder() as folder:
        saves, pairs = cases(folder)
        run_cases(folder, saves)
        results = run_cases(folder, list(pairs.values()))
        equal = {
            pair: store.equal_tensors(store.Checkpoint(Path(case.start)), store.Checkpoint(results[case.name].loaded))
            for pair, case in pairs.items()
        }
        going_on = {pair: results[case.name].losses for pair, case in pairs.items()}
    distance = {
        pair: float(np.max(np.abs(np.subtract(losses, going_on[pair[0], pair[0]]))))
        for pair, losses in going_on.items()
    }
    holds = {pair: equal[pair] and distance[pair] <= LOSS for pair in pairs}
    table = Table(
        title="Saved in the row's layout, loaded in the column's: loss apart after 5 more steps", title_justify="left"
    )
    for column in ("", *(case.name for case in LAYOUTS)):
        table.add_column(column)
    for one in LAYOUTS:
        cells = [(one.name, other.name) for other in LAYOUTS]
        table.add_row(one.name, *(f"{'✓' if holds[cell] else '✗'} {distance[cell]:.1e}" for cell in cells))
    console.print(table)
    figure = (
        f"{sum(equal.values())} of {len(equal)} pairs bit-equal; largest distance after {max(distance.values()):.1e}"
    )
    console.print(figure, highlight=False)
    return all(holds.values())
