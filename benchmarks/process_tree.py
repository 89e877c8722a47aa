"""CPU time and memory of this process and all that it started: workers, a JVM and that one's workers. Linux only (`/proc`)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
_NAME, _PARENT, _TIMES = (
    1,
    1,
    slice(11, 15),
)  # fields of /proc/PID/stat: behind the name, user, system, both of dead children


@dataclass(frozen=True, slots=True)
class Process:
    """A living process. CPU seconds include those of its children that have ended and been waited for."""

    pid: int
    name: str
    seconds: float
    peak_mib: float  # of its resident memory, since it began


def process_tree() -> list[Process]:
    """This process and its living descendants, this one first."""
    found = {pid: (parent, process) for pid, parent, process in _all_processes()}
    children: dict[int, list[int]] = {}
    for pid, (parent, _) in found.items():
        children.setdefault(parent, []).append(pid)
    tree, waiting = [], [os.getpid()]
    while waiting:
        pid = waiting.pop(0)
        tree.append(found[pid][1])
        waiting += children.get(pid, [])
    return tree


def cpu_seconds() -> float:
    """CPU seconds that the tree has taken so far, in steps of a tick (10 ms). Of the dead, those that were waited for count."""
    return sum(process.seconds for process in process_tree())


def _all_processes() -> Iterator[tuple[int, int, Process]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                before, after = (entry / "stat").read_text().rsplit(") ", 1)
                lines = (entry / "status").read_text().splitlines()
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended meanwhile
            fields = after.split()
            peak = next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)
            seconds = sum(map(int, fields[_TIMES])) / TICKS
            pid = int(entry.name)
            yield pid, int(fields[_PARENT]), Process(pid, before.split("(", 1)[1], seconds, peak / 1024)
