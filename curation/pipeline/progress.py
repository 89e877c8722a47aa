"""What a person sees while a run works: stage, documents, MB/s, kept %, time left.

Watches the run folder (receipts of finished units, heartbeats of those at work), so that it shows the same whatever engine
does the work, and wherever.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from connectors import storage
from curation.run.folder import RunFolder
from curation.run.heartbeat import read_heartbeat
from curation.run.receipt import Receipt

SECONDS_BETWEEN_LOOKS = 0.5
SECONDS_BETWEEN_LINES = 15.0  # where nobody watches a terminal


@dataclass
class StageWatch:
    """The figures of one stage: units and their bytes, what is done of them."""

    run: RunFolder
    stage: str
    sizes: dict[str, int]
    _done: dict[str, tuple[int, int]] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)

    def look(self) -> tuple[int, int, int]:
        """Documents, kept documents and bytes so far."""
        self._take_receipts()
        figures = [(*self._done[unit], self.sizes[unit]) for unit in self._done]
        beats = self.run.uri(f"{self.run.work}/heartbeats/{self.stage}")
        for name in storage.list_files(beats, ".json"):
            unit = name.removesuffix(".json")
            if unit in self.sizes and unit not in self._done:
                documents, kept, done = read_heartbeat(f"{beats}/{name}")
                figures.append((documents, kept, min(done, self.sizes[unit])))
        documents, kept, done = (sum(column) for column in zip(*figures, strict=True)) if figures else (0, 0, 0)
        return documents, kept, done

    def parts(self) -> str:
        """For a stage of many parts: how many are done, and which was the last."""
        folder = storage.local_path(self.run.uri(f"receipts/{self.stage}"))
        with suppress(OSError):
            done = sorted((path.stat().st_mtime_ns, path.stem) for path in folder.glob("*.json"))
            if done:
                return f"{len(done)} parts done, the last {done[-1][1]}"
        return "at work"

    def _take_receipts(self) -> None:
        """Reads the receipts that have come since the last look."""
        folder = self.run.uri(f"receipts/{self.stage}")
        for name in storage.list_files(folder, ".json"):
            unit = name.removesuffix(".json")
            if name not in self._seen and unit in self.sizes:
                self._seen.add(name)
                with suppress(OSError, ValueError):
                    receipt = Receipt.from_json(storage.read_bytes(f"{folder}/{name}"))
                    went_on = receipt.facts.get("survivors", receipt.facts.get("documents", 0))
                    self._done[unit] = (receipt.records, went_on)


class RunProgress:
    """Shows a run's stages on a console; silent where `console` is None."""

    def __init__(self, console: Console | None, run: RunFolder) -> None:
        self.console, self.run = console, run

    @contextmanager
    def stage(self, title: str, stage: str = "", sizes: Sequence[tuple[str, int]] = ()) -> Iterator[None]:
        """Shows a stage while the block runs: a bar for one with units, else its title, the time, and its parts if `stage` has."""
        if self.console is None:
            yield
            return
        watch = StageWatch(self.run, stage, dict(sizes))
        started = time.monotonic()
        bar = Progress(
            TextColumn("{task.description:<12}"),
            BarColumn(24),
            TextColumn("{task.fields[figures]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        task = bar.add_task(title, total=max(1, sum(watch.sizes.values())), figures="")
        ended = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(watch, bar, task, title, started, ended), daemon=True)
        with bar:
            watcher.start()
            try:
                yield
            finally:
                ended.set()
                watcher.join()
                self._show(watch, bar, task, started)
        if not self.console.is_terminal:
            done = f" {figures(watch.look(), started)}" if watch.sizes else ""
            self.console.print(f"{title:<12}{done} in {time.monotonic() - started:.1f} s")

    def _watch(
        self, watch: StageWatch, bar: Progress, task: TaskID, title: str, started: float, ended: threading.Event
    ) -> None:
        assert self.console is not None
        line_due = started + SECONDS_BETWEEN_LINES
        while not ended.wait(SECONDS_BETWEEN_LOOKS):
            self._show(watch, bar, task, started)
            if not self.console.is_terminal and time.monotonic() > line_due:
                line_due += SECONDS_BETWEEN_LINES
                self.console.print(f"{title:<12} {figures(watch.look(), started) if watch.sizes else watch.parts()}")

    def _show(self, watch: StageWatch, bar: Progress, task: TaskID, started: float) -> None:
        if watch.sizes:
            look = watch.look()
            bar.update(task, completed=look[2], figures=figures(look, started))
        elif watch.stage:
            bar.update(task, figures=watch.parts())


def figures(look: tuple[int, int, int], started: float) -> str:
    """`12,345 documents  3.4 MB/s  41 % kept`."""
    documents, kept, done = look
    seconds = max(1e-3, time.monotonic() - started)
    share = f"  {100 * kept / documents:3.0f} % kept" if documents else ""
    return f"{documents:>9,} documents  {done / 1e6 / seconds:6.1f} MB/s{share}"
