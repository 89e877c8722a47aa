"""An engine that notes what each call costs: CPU time of all processes, bytes through the shuffle, peak memory."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.process_tree import cpu_seconds, process_tree
from curation.engines.engine import Emit, Engine, Item, Reduce, Result

DRIVER = "driver"  # what happens between the calls, in the process that makes them
WORKER, JVM = "worker", "jvm"


@dataclass
class Costs:
    """What was spent since the engine was told to begin.

    seconds   CPU, by what was called, in the order of the first calls
    shuffled  bytes of blobs
    peaks     MiB of resident memory since each process began: the driver, the JVM, the largest of the workers; and `total`,
              the sum over all processes that were there at once
    """

    seconds: dict[str, float] = field(default_factory=dict)
    shuffled: int = 0
    peaks: dict[str, float] = field(default_factory=dict)

    def spend(self, name: str, seconds: float) -> None:
        """Adds CPU seconds."""
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    def look(self) -> None:
        """Notes the memory of all processes, so that none ends unseen."""
        found: dict[str, float] = {"total": 0.0}
        for process in process_tree():
            kind = DRIVER if process.pid == os.getpid() else JVM if process.name == "java" else WORKER
            found[kind] = max(found.get(kind, 0.0), process.peak_mib)
            found["total"] += process.peak_mib
        for kind, peak in found.items():
            self.peaks[kind] = max(self.peaks.get(kind, 0.0), peak)


class MeasuredEngine:
    """The engine `inner`, each call of which is added to `costs`. `scratch`: a folder for the counts of bytes."""

    def __init__(self, inner: Engine, scratch: str) -> None:
        self.inner, self.name, self.few, self.few_light = inner, inner.name, inner.few, inner.few_light
        self._scratch = Path(scratch)
        self.begin()

    def begin(self) -> None:
        """Forgets what was spent."""
        self.costs = Costs()
        self._since = cpu_seconds()

    def finish(self) -> Costs:
        """What was spent since `begin`."""
        self._spend(DRIVER)
        return self.costs

    def map(
        self, task: Callable[[Item], Result], items: Sequence[Item], alike: bool = False
    ) -> Iterator[tuple[int, Result]]:
        """See `Engine.map`."""
        self._spend(DRIVER)
        yield from self.inner.map(task, items, alike)
        self._spend(called(task))

    def shuffle(self, emit: Emit[Item], items: Sequence[Item], reduce: Reduce, partitions: int) -> Iterator[bytes]:
        """See `Engine.shuffle`."""
        self._spend(DRIVER)
        folder = self._scratch / uuid.uuid4().hex
        folder.mkdir(parents=True)
        yield from self.inner.shuffle(partial(counted, str(folder), emit), items, reduce, partitions)
        self.costs.shuffled += sum(int(line) for path in folder.iterdir() for line in path.read_text().split())
        self._spend(f"{called(emit)}, {called(reduce)}")

    def close(self) -> None:
        """Closes the engine."""
        self.inner.close()

    def _spend(self, name: str) -> None:
        now = cpu_seconds()
        self.costs.spend(name, now - self._since)
        self._since = now
        self.costs.look()


def called(task: object) -> str:
    """The name of a task: its function's or its class's."""
    while isinstance(task, partial):
        task = task.func
    return getattr(task, "__name__", type(task).__name__)


def counted(folder: str, emit: Emit[Item], item: Item) -> Iterable[tuple[int, bytes | memoryview]]:
    """What `emit` gives, and the sum of its bytes in a file of this process in the folder."""
    total = 0
    for partition, blob in emit(item):
        total += len(blob)
        yield partition, blob
    with Path(folder, str(os.getpid())).open("a") as counts:
        counts.write(f"{total}\n")
