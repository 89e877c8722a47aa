"""How far two cases lie apart, and the table that says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from trainer.backends.protocol import Role
from trainer.checkpoint.layout import whole
from trainer.checkpoint.store import Checkpoint
from trainer.prove.toy import Result

FIRST_LOSS, GRADIENT, LOSS = 1e-6, 1e-5, 1e-5
FLOOR = 1e-5


@dataclass(frozen=True)
class Difference:
    """Of two cases: first losses, the canonical gradient that is furthest off (relative L2), losses and norms of all steps,
    sums by source (relative), the forward-only loss at the end, and the parameter that is furthest off (relative L2)."""

    first_loss: float
    gradient: float
    gradient_name: str
    loss: float
    norm: float
    by_source: float
    forward: float
    parameter: float

    @property
    def holds(self) -> bool:
        """Whether all that is promised is within its tolerance; not-a-number is not."""
        limits = ((self.first_loss, FIRST_LOSS), (self.gradient, GRADIENT))
        return all(value <= limit for value, limit in limits) and all(
            value <= LOSS for value in (self.loss, self.by_source, self.forward)
        )


def difference(one: Result, other: Result) -> Difference:
    """How far two cases of the same steps lie apart; both have kept their first gradients."""
    gradient, name = furthest(one, other, "gradient")
    return Difference(
        abs(one.losses[0] - other.losses[0]),
        gradient,
        name,
        float(np.max(np.abs(np.subtract(one.losses, other.losses)))),
        float(np.max(np.abs(np.subtract(one.norms, other.norms)))),
        _relative(np.array(one.by_source), np.array(other.by_source)),
        abs(one.forward - other.forward),
        furthest(one, other, "parameter")[0],
    )


def furthest(one: Result, other: Result, role: Role) -> tuple[float, str]:
    """The largest relative L2 distance between tensors of a role, and the tensor's name.

    Gradients are those of the first step, other roles those after the last. Softmax does not see a key's bias: its gradient is
    rounding alone, so distances are relative to `FLOOR` of all tensors' norm at least; Adam makes that rounding as large as
    any update, so the bias itself is not compared.
    """
    folders = [result.after_first if role == "gradient" else result.last for result in (one, other)]
    first, second = (Checkpoint(folder) for folder in folders)
    if first.index.keys() != second.index.keys():
        return float("inf"), "not the same tensors"
    pairs: dict[str, list[Any]] = {
        name: [checkpoint.read(name, role, whole(entry.shape)).double().numpy() for checkpoint in (first, second)]
        for (name, found), entry in first.index.items()
        if found == role and (role == "gradient" or not name.endswith("key.bias"))
    }
    floor = FLOOR * float(np.sqrt(sum(np.sum(np.square(pair[0])) for pair in pairs.values())))
    distances = {name: _relative(pair[0], pair[1], floor) for name, pair in pairs.items()}
    broken = [name for name, distance in distances.items() if not np.isfinite(distance)]
    name = broken[0] if broken else max(distances, key=lambda name: distances[name])
    return distances[name], name


def _relative(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64], floor: float = 0.0) -> float:
    """L2 distance over L2 norm of the first, or over the floor where that is more."""
    size = max(float(np.linalg.norm(one)), floor)
    distance = float(np.linalg.norm(one - other))
    return distance / size if size else distance


def report(console: Console, title: str, rows: dict[str, Difference], figure: str) -> bool:
    """Prints the table and, last, the figure. Whether all rows hold."""
    table = Table(title=title, title_justify="left")
    for column in ("", "first loss", "gradient", "20 steps: loss", "norm", "by source", "forward", "parameters", ""):
        table.add_column(column, justify="left" if not column else "right")
    for name, row in rows.items():
        numbers = (row.first_loss, row.gradient, row.loss, row.norm, row.by_source, row.forward, row.parameter)
        table.add_row(name, *(f"{number:.1e}" for number in numbers), "✓" if row.holds else f"✗ {row.gradient_name}")
    console.print(table)
    holds = bool(rows) and all(row.holds for row in rows.values())
    console.print(figure, markup=False, highlight=False, soft_wrap=True)
    return holds
