"""What trainings logged: `RUN/train/NAME/metrics.jsonl`, a JSON object a line, read as a stream into a bounded curve."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from connectors import storage
from curation.run.folder import RunFolder

POINTS = 400  # of one curve, at most about
MOST_NAMES = 64  # sources of one training that are followed

Curve = list[tuple[float, float]]


class Fill(NamedTuple):
    """How full a source's packed sequences are, in all its documents."""

    sequences: int
    tokens: int
    padding: int
    documents: int
    cut: int


@dataclass(slots=True)
class Training:
    """One training: its curves (step, value), steps logged, tokens at the last, lines that were no metrics; how its sources are
    packed, where they are.
    """

    name: str
    loss: Curve = field(default_factory=list)
    by_source: dict[str, Curve] = field(default_factory=dict)
    learning_rate: Curve = field(default_factory=list)
    gradient_norm: Curve = field(default_factory=list)
    steps: int = 0
    tokens: int = 0
    unread: int = 0
    fills: dict[str, Fill] = field(default_factory=dict)


def trainings(folder: RunFolder) -> list[Training]:
    """All trainings of a run folder, by name."""
    found = []
    for path in storage.list_files(folder.uri("train"), "metrics.jsonl"):
        name, _, file = path.rpartition("/")
        if name and file == "metrics.jsonl":
            training = _read(name, folder.uri(f"train/{path}"))
            training.fills = _fills(folder.uri(f"train/{name}/packing.json"))
            found.append(training)
    return found


def _fills(uri: str) -> dict[str, Fill]:
    """What `packing.json` says of each source; nothing where there is no such file, or it says something else."""
    try:
        with storage.open_input(uri) as file:
            by_source = json.loads(file.read())["by_source"]
        return {str(name): Fill(*(int(row[key]) for key in Fill._fields)) for name, row in by_source.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _read(name: str, uri: str) -> Training:
    """Two readings: how many lines there are, then means over as many neighbours as keep a curve short."""
    training = Training(name)
    with storage.open_input(uri) as file:
        together = math.ceil(sum(1 for _ in file) / POINTS) or 1
    group: list[dict[str, Any]] = []
    for line in _lines(uri):
        if line is None:
            training.unread += 1
            continue
        training.steps += 1
        if (tokens := _number(line.get("tokens"))) is not None:
            training.tokens = int(tokens)
        group.append(line)
        if len(group) == together:
            _add(training, group)
            group = []
    if group:
        _add(training, group)
    return training


def _lines(uri: str) -> Iterator[dict[str, Any] | None]:
    """The objects of the file; None for a line that is none, as the last one after a kill can be."""
    with storage.open_input(uri) as file:
        for raw in file:
            try:
                line = json.loads(raw)
            except (ValueError, RecursionError):
                line = None
            yield line if isinstance(line, dict) and _number(line.get("step")) is not None else None


def _add(training: Training, group: list[dict[str, Any]]) -> None:
    """One point of each curve: the mean of a group of lines, at its last step."""
    step = float(group[-1]["step"])
    curves = {"loss": training.loss, "lr": training.learning_rate, "gradient_norm": training.gradient_norm}
    for key, curve in curves.items():
        _point(curve, step, [line.get(key) for line in group])
    sources = [line["loss_by_source"] for line in group if isinstance(line.get("loss_by_source"), dict)]
    for name in sorted({str(name) for losses in sources for name in losses}):
        if name in training.by_source or len(training.by_source) < MOST_NAMES:
            _point(training.by_source.setdefault(name, []), step, [losses.get(name) for losses in sources])
    for name in [name for name, curve in training.by_source.items() if not curve]:
        del training.by_source[name]


def _point(curve: Curve, step: float, values: list[Any]) -> None:
    numbers = [number for value in values if (number := _number(value)) is not None]
    if numbers:
        curve.append((step, math.fsum(numbers) / len(numbers)))


def _number(value: Any) -> float | None:
    """A finite number, None for all else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value)
