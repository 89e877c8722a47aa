"""How two programs are timed against each other: CPU seconds of one core, in turns, so that a busy machine hits both.

The peer works through the documents once, slice by slice. Before each slice ours works through all of them warm, and once in
a fresh process, with empty tables and kernels that are compiled already.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.table import Table

from benchmarks.corpora import documents, megabytes
from jobs.command import output, status

ROUNDS = 5


@dataclass(frozen=True)
class Speeds:
    """Megabytes a CPU second: medians over rounds for ours; the whole for the peer."""

    peer: float
    warm: float
    cold: float
    start: float  # CPU seconds of a fresh process before its first text: imports, compiled kernels read

    def show(self, title: str, agreement: str) -> None:
        """A table, then the line that the docs quote."""
        table = Table(title=title, title_justify="left")
        for name in ("", "MB/s and core", "× datatrove"):
            table.add_column(name)
        for name, speed in (("datatrove", self.peer), ("cold: empty tables", self.cold), ("warm", self.warm)):
            table.add_row(name, f"{speed:.2f}", f"{speed / self.peer:.0f}")
        output.print(table)
        output.print(f"a fresh process starts in {self.start:.2f} CPU s (imports, compiled kernels)", highlight=False)
        name = title.split(":")[0]
        output.print(
            f"{name} ratio_cold={self.cold / self.peer:.0f} ratio_warm={self.warm / self.peer:.0f} agreement={agreement}",
            highlight=False,
            soft_wrap=True,
        )


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds of this process that some work takes."""
    started = time.process_time()
    work()
    return time.process_time() - started


def race(
    module: str,
    path: str,
    ours: Callable[[], object],
    peer: Callable[[Sequence[str]], object],
    arguments: Sequence[str] = (),
) -> Speeds:
    """Times both. `ours` takes all documents, `peer` a slice; `module` is called with --cold for the fresh process."""
    texts = documents(path)
    size = megabytes(texts)
    ours()
    warm, cold, starts, of_peer = [], [], [], 0.0
    with status.status("") as line:
        for number in range(ROUNDS):
            line.update(f"round {number + 1} of {ROUNDS}")
            warm.append(size / seconds(ours))
            command = [sys.executable, "-m", module, "--cold", *(["--corpus", path] if path else []), *arguments]
            fresh = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            cold.append(size / fresh["seconds"])
            starts.append(fresh["start"])
            of_peer += seconds(lambda part=texts[number::ROUNDS]: peer(part))  # type: ignore[misc]
    return Speeds(size / of_peer, statistics.median(warm), statistics.median(cold), statistics.median(starts))


def cold(started: float, ours: Callable[[], object]) -> None:
    """What the fresh process prints: CPU seconds before, and of its work."""
    print(json.dumps({"start": started, "seconds": seconds(ours)}))
