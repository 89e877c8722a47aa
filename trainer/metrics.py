"""metrics.jsonl: one line a step. A resumed run cuts it to its checkpoint, so that each step stands in it once."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from connectors import storage
from trainer.backends.protocol import StepResult


def step_record(
    step: int, samples: int, tokens: int, lr: float, result: StepResult, sources: Sequence[str]
) -> dict[str, Any]:
    """The line of a step.

    step      the step's number, from 0
    samples   sequences seen up to and with this step; tokens likewise, a packed sequence's padding among them
    loss      nats a trained token, over the whole step; by source under `loss_by_source`, sources of this step only
    seconds   wall time of the step; tokens_per_second over all ranks

    What is not finite is null: JSON has no NaN.
    """
    by_source = {
        name: _finite(total / count) for name, (total, count) in zip(sources, result.by_source.tolist()) if count
    }
    trained = int(result.by_source[:, 1].sum())
    return {
        "step": step,
        "samples": samples,
        "tokens": tokens,
        "trained_tokens": trained,
        "loss": _finite(result.loss),
        "loss_by_source": by_source,
        "gradient_norm": _finite(result.gradient_norm),
        "updated": result.updated,
        "lr": lr,
        "seconds": round(result.seconds, 6),
        "tokens_per_second": round(trained / result.seconds, 1) if result.seconds else None,
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


class MetricsLog:
    """Appends records to a file. Opening it keeps the lines of steps before `step` and drops the rest."""

    def __init__(self, path: Path, step: int) -> None:
        kept = [record for record in read_metrics(path) if record["step"] < step]
        storage.write_bytes(str(path), b"".join(_line(record) for record in kept))
        self._file = path.open("ab")

    def write(self, record: dict[str, Any]) -> None:
        """Appends a line; it is seen by readers at once."""
        self._file.write(_line(record))
        self._file.flush()

    def sync(self) -> None:
        """Makes the lines durable: before a checkpoint that counts on them."""
        os.fsync(self._file.fileno())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def _line(record: dict[str, Any]) -> bytes:
    return (json.dumps(record, allow_nan=False) + "\n").encode()


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The records of a file in order, up to the first line that a kill cut short; none where there is no file."""
    records: list[dict[str, Any]] = []
    if not path.exists():
        return records
    for line in path.read_bytes().split(b"\n"):
        try:
            record = json.loads(line)
            records.append(record | {"step": int(record["step"])})
        except (ValueError, TypeError, KeyError):
            break
    return records
