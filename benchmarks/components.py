"""Connected components in one process and by ranges: CPU time an edge, peak memory, and that the labels are the same.

    python -m benchmarks.components
    python -m benchmarks.components --documents 1e9

Graphs: `random`, an edge a document, three quarters of them to one of the next 1,000 documents; `chain`, each document joined
to the next; `star`, all to the first. Files of edges are made first, and do not count. By ranges is with the memory for 16.
Each figure is of a process of its own that has compiled its kernels; reading and writing of files count, waiting does not.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.table import Table

from curation.dedup.component_files import Edges, Labels
from curation.dedup.components import label_components
from curation.dedup.external_components import NUMBERS_HELD, Item, Result
from curation.dedup.homes import HOME_DOCUMENTS
from curation.dedup.kernels import union_find
from curation.run.sections import write_sections
from jobs import command
from jobs.command import output

SIZES = (1_000_000, 10_000_000)
GRAPHS = ["random", "chain", "star"]
FILES = 8  # at least
FILE_EDGES = 10_000_000  # at most: what is held while they are made
NEAR = 1000
RANGES = 16


class Here:
    """An engine that runs its tasks in this process, so that its figures are theirs."""

    def map(
        self, task: Callable[[Item], Result], items: Sequence[Item], alike: bool = False
    ) -> Iterator[tuple[int, Result]]:
        """See `Engine.map`."""
        for number, item in enumerate(items):
            yield number, task(item)


def edges_of(graph: str, documents: int, file: int, files: int) -> Edges:
    """Every `files`-th edge of a graph."""
    larger = np.arange(documents - 1 - file, 0, -files, dtype=np.int64)
    if graph != "random":
        return np.stack([larger - 1 if graph == "chain" else np.zeros_like(larger), larger], axis=1).astype(np.uint64)
    generator = np.random.default_rng(file)
    one = generator.integers(0, documents, len(larger))
    near = np.minimum(one + generator.integers(1, NEAR + 1, len(larger)), documents - 1)
    other = np.where(generator.random(len(larger)) < 0.75, near, generator.integers(0, documents, len(larger)))
    return np.sort(np.stack([one, other], axis=1), axis=1).astype(np.uint64)


def write_edges(folder: str, graph: str, documents: int) -> tuple[list[str], list[int]]:
    """The edge files of a graph, and the first document of each home."""
    firsts = [*range(0, documents, HOME_DOCUMENTS), documents]
    files = max(FILES, -(-documents // FILE_EDGES))
    for file in range(files):
        edges = edges_of(graph, documents, file, files)
        home = (edges[:, 1] // np.uint64(HOME_DOCUMENTS)).astype(np.uint16)
        edges = edges[np.argsort(home, kind="stable")]
        cuts = np.searchsorted(np.sort(home), np.arange(len(firsts)))
        write_sections(
            f"{folder}/{file}.edges",
            ((number, edges[cuts[number] : cuts[number + 1]].tobytes()) for number in range(len(firsts) - 1)),
            len(firsts) - 1,
        )
    return [f"{folder}/{file}.edges" for file in range(files)], firsts


def peak() -> float:
    """The most memory that this program has held, in MiB; what getrusage says may be its parent's."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measure(folder: str, files: list[str], firsts: list[int], memory: int) -> dict[str, float | str]:
    """CPU seconds, peak memory before and after, and a hash of all labels."""
    union_find.warm_up()
    before, started = peak(), time.process_time()
    labels = label_components(Here(), f"{folder}/{memory}", files, firsts, memory)
    return {"seconds": time.process_time() - started, "before": before, "after": peak(), "labels": digest(labels)}


def digest(labels: Labels) -> str:
    """SHA-256 of all labels, home by home."""
    hashed = hashlib.sha256()
    for start in range(0, labels.documents, HOME_DOCUMENTS):
        hashed.update(labels.read(start, min(start + HOME_DOCUMENTS, labels.documents)).data)
    return hashed.hexdigest()


def both_ways(graph: str, documents: int, folder: str | None) -> dict[str, dict[str, float]]:
    """`measure` of each way, in a process of its own."""
    memories = {"in one": 4 * documents, "by ranges": -(-documents // RANGES) * 4 * NUMBERS_HELD}
    figures: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(dir=folder) as place:
        files, firsts = write_edges(place, graph, documents)
        for way, memory in memories.items():
            given = [sys.executable, "-m", "benchmarks.components", "--task"]
            given.append(json.dumps([place, files, firsts, memory]))
            figures[way] = json.loads(subprocess.run(given, check=True, capture_output=True, text=True).stdout)
    assert len({row["labels"] for row in figures.values()}) == 1, f"{graph}: the labels differ"
    return figures


def main(
    documents: Annotated[int, typer.Option(help="Of one more size; 24 bytes of disk each, 40 by ranges.")] = 0,
    graph: Annotated[list[str], typer.Option(help="random, chain, star; the last line is of the first.")] = GRAPHS,
    folder: Annotated[str, typer.Option(help="Where files are made and removed; default: the system's.")] = "",
    task: Annotated[str, typer.Option(hidden=True)] = "",
) -> None:
    """Compare both ways."""
    if task:
        print(json.dumps(measure(*json.loads(task))))
        return
    table = Table()
    for name in ("graph", "documents", "way", "CPU s", "ns an edge", "peak MiB", "at start"):
        table.add_column(name, justify="right")
    sizes = [*SIZES, *([documents] if documents else [])]
    found = {(size, name): both_ways(name, size, folder or None) for size in sizes for name in graph}
    for (size, name), ways in found.items():
        for way, row in ways.items():
            figures = (row["seconds"] / size * 1e9, row["after"], row["before"])
            table.add_row(name, f"{size:,}", way, f"{row['seconds']:.2f}", *(f"{figure:.0f}" for figure in figures))
    output.print(table)
    one, many = found[sizes[-1], graph[0]].values()
    output.print(
        f"components ns_per_edge={one['seconds'] / sizes[-1] * 1e9:.1f} peak_mib={one['after']:.0f} "
        f"external_ratio={many['seconds'] / one['seconds']:.2f}",
        highlight=False,
        soft_wrap=True,
    )


if __name__ == "__main__":
    command.run(main)
