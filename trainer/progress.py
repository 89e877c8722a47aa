"""How far a run is, for the person who waits: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

SECONDS_BETWEEN_LINES = 30.0


class TrainingProgress:
    """Shows step, loss, tokens a second and time left. `console` is None on ranks that say nothing."""

    def __init__(self, console: Console | None, name: str, steps: int) -> None:
        self._console, self._name, self._first, self._steps = console, name, 0, steps
        self._start = self._told = time.monotonic()
        self._bar: Progress | None = None
        if console is not None and console.is_terminal:
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[said]}"),
                TimeRemainingColumn(),
            )
            self._bar = Progress(*columns, console=console)
            self._task = self._bar.add_task(name, total=steps, said="")

    def begin(self, step: int) -> None:
        """The first of the steps to come."""
        self._first, self._start = step, time.monotonic()
        if self._bar is not None:
            self._bar.update(self._task, completed=step)

    def update(self, record: dict[str, Any]) -> None:
        """A step has ended; `record` is its line of metrics."""
        done = record["step"] + 1
        loss = "not finite" if record["loss"] is None else f"{record['loss']:.4f}"
        said = f"loss {loss} · {record['tokens_per_second'] or 0:,.0f} tokens/s"
        if self._bar is not None:
            self._bar.update(self._task, completed=done, said=said)
        elif self._console is not None and (
            done in (self._first + 1, self._steps) or time.monotonic() - self._told > SECONDS_BETWEEN_LINES
        ):
            self._told = time.monotonic()
            left = (self._told - self._start) / (done - self._first) * (self._steps - done)
            self.say(f"{self._name}: step {done}/{self._steps} · {said} · {_clock(left)} left")

    def say(self, line: str) -> None:
        """Prints a line, above the bar where there is one."""
        if self._console is not None:
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"
