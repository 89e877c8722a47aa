"""Whether cost grows linearly: speed and memory of the four filters and signatures at ten times the documents.

    python -m benchmarks.linear
    python -m benchmarks.linear --corpus documents.jsonl.gz

The inputs are the documents 3 and 30 times over, in each copy every tenth word made new, so that the vocabulary fills up and
is cleared as it would be. Each size runs in a process of its own; documents are made and forgotten batch by batch.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Annotated

import pyarrow as pa
import typer
from rich.table import Table

from benchmarks.corpora import documents
from benchmarks.filters import BATCH, WARM_UP, batches, judge, steps
from benchmarks.minhash_signatures import sign
from curation.run.documents import TEXT
from curation.text.segmenter import process_segmenter
from jobs import command
from jobs.command import output

COPIES = 3  # of the documents in the smaller input: enough that the first, which finds an empty vocabulary, is not all
TIMES = 10


def copies(texts: list[str], times: int) -> Iterator[list[pa.RecordBatch]]:
    """The documents as batches, one at a time; copy k has a k in every tenth word."""
    for copy in range(times):
        for start in range(0, len(texts), BATCH):
            part = texts[start : start + BATCH]
            yield batches([renewed(text, copy) for text in part] if copy else part)


def renewed(text: str, copy: int) -> str:
    """The text with every tenth word made one that no other copy has."""
    words = text.split(" ")
    words[::10] = [f"{word}k{copy}" for word in words[::10]]
    return " ".join(words)


def measure(texts: list[str], times: int) -> dict[str, float]:
    """Megabytes, CPU seconds, peak memory in megabytes before and after, and how often the vocabulary was cleared."""
    filters = steps()
    judge(filters, batches([WARM_UP]))
    sign(batches([WARM_UP]))
    before, spent, size = peak(), 0.0, 0
    for given in copies(texts, times):
        size += sum(batch.column(TEXT).nbytes for batch in given)
        started = time.process_time()
        judge(filters, given)
        sign(given)
        spent += time.process_time() - started
    cleared = process_segmenter().generation
    return {"mb": size / 1e6, "seconds": spent, "before": before, "after": peak(), "cleared": cleared}


def peak() -> float:
    """The most memory that this process has held, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(
    corpus: Annotated[str, typer.Option(help="JSONL with a text in each line; default: composed pages.")] = "",
    times: Annotated[int, typer.Option(hidden=True)] = 0,
) -> None:
    """Compare one and ten times the documents."""
    if times:
        print(json.dumps(measure(documents(corpus), times)))
        return
    table = Table()
    for name in ("documents", "MB", "MB/s and core", "peak MB", "of it at the start", "vocabulary cleared"):
        table.add_column(name, justify="right")
    found = {}
    for size in (COPIES, COPIES * TIMES):
        given = [
            sys.executable,
            "-m",
            "benchmarks.linear",
            "--times",
            str(size),
            *(["--corpus", corpus] if corpus else []),
        ]
        row = found[size] = json.loads(subprocess.run(given, check=True, capture_output=True, text=True).stdout)
        figures = (row["mb"], row["mb"] / row["seconds"], row["after"], row["before"], row["cleared"])
        table.add_row(f"× {size}", *(f"{figure:.0f}" for figure in figures))
    output.print(table)
    one, ten = found[COPIES], found[COPIES * TIMES]
    ratio = ten["mb"] / ten["seconds"] / (one["mb"] / one["seconds"])
    output.print(
        f"linear speed_at_10x={ratio:.2f} peak_mb_at_1x={one['after']:.0f} peak_mb_at_10x={ten['after']:.0f}",
        highlight=False,
        soft_wrap=True,
    )


if __name__ == "__main__":
    command.run(main)
