"""Packing: documents that a stream's cuts divide, against best fit's padding, and what best fit costs.

    python -m benchmarks.packing --run RUN

A document is divided where its tokens are in two sequences of an epoch or more. The first table is of the run's own documents. The
second draws lengths from them, with replacement, and packs as many as are given; times are of one process, CPU seconds, and the
memory is what the packing keeps.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer
from rich.table import Table

from jobs import command
from jobs.command import output
from trainer.config import Data, Training
from trainer.data.batch import step_batches
from trainer.data.manifest import TRAIN, read_shards
from trainer.data.packing import Packing
from trainer.data.plan import DataPlan, open_source

LENGTHS = (512, 2048, 8192)
DOCUMENTS = (1_000_000, 10_000_000)
A_SHARD = 1_000_000  # documents of a drawn one


def of_run(run: Path) -> npt.NDArray[np.int64]:
    """Tokens of each training document, in the order of the shards."""
    shards = run / "shards"
    rows = [row for row in read_shards(shards) if row.part == TRAIN and row.tokens]
    one = Data(sequence_length=1)
    names = dict.fromkeys(row.source for row in rows)
    sources = [open_source(shards, [row for row in rows if row.source == name], one) for name in names]
    ranges = [source.token_range(document) for source in sources for document in range(source.documents)]
    return np.array([stop - first for first, stop in ranges])


def divided(lengths: npt.NDArray[np.int64], size: int, offset: int) -> npt.NDArray[np.bool_]:
    """Which documents have tokens in two sequences or more of a stream that is cut at `offset` and every `size` tokens."""
    stop = np.cumsum(lengths)
    return np.asarray((stop - lengths - offset) // size != (stop - 1 - offset) // size)


def packed(lengths: npt.NDArray[np.int64], size: int) -> tuple[Packing, float]:
    """The packing and the CPU seconds that it took."""

    def shards() -> Iterator[npt.NDArray[np.int64]]:
        return (lengths[first : first + A_SHARD] for first in range(0, len(lengths), A_SHARD))

    started = time.process_time()
    packing = Packing(shards, size)
    return packing, time.process_time() - started


def reading(run: Path) -> list[float]:
    """CPU microseconds to make a row of 2,048 tokens of a batch, cut and packed: medians of 30 steps of 64, taken in turn."""
    told: dict[str, Any] = {"batch": {"sequences": 64, "micro": 8}, "model": {"vocabulary": 1 << 20}}
    data = [{"sequence_length": 2048, "packing": packing} for packing in ("concat", "best_fit")]
    plans = [DataPlan(Training.model_validate(told | {"data": part}), run) for part in data]
    taken: list[list[float]] = [[], []]
    for step in range(30):
        for plan, seconds in zip(plans, taken):
            started = time.process_time()
            step_batches(plan, step)
            seconds.append(1e6 * (time.process_time() - started) / plan.sequences)
    return [float(np.median(seconds)) for seconds in taken]


def table_of(title: str, *headings: str) -> Table:
    """An empty table of figures."""
    table = Table(title=title, title_justify="left")
    for heading in headings:
        table.add_column(heading, justify="right")
    return table


def main(run: Annotated[Path, typer.Option(help="A curated run.")]) -> None:
    """Prints both tables and, last, the figures of 2,048 tokens."""
    lengths = of_run(run)
    told = f"{len(lengths):,} documents of {run}, {np.median(lengths):,.0f} tokens in the median"
    table = table_of(told, "sequence", "cut from a stream: divided", "that fit one", "best fit: divided", "padding")
    last = ""
    for size in LENGTHS:
        cut, fits = divided(lengths, size, size // 3), lengths <= size
        fill = packed(lengths, size)[0].fill
        padding = fill.padding / (fill.padding + fill.tokens)
        row = (f"{cut.mean():.1%}", f"{cut[fits].mean():.1%}", f"{fill.cut / fill.documents:.1%}", f"{padding:.3%}")
        table.add_row(f"{size:,}", *row)
        if size == 2048:
            last = (
                f"2,048 tokens: {row[0]} of documents divided in a stream, {row[2]} by best fit with {row[3]} padding"
            )
    output.print(table)
    table = table_of("Lengths drawn from these", "documents", "sequence", "CPU s", "MB kept", "padding")
    for documents in DOCUMENTS:
        drawn = np.random.default_rng(1).choice(lengths, documents)
        for size in LENGTHS:
            packing, seconds = packed(drawn, size)
            kept = sum(array.nbytes for array in vars(packing).values() if isinstance(array, np.ndarray))
            padding = packing.fill.padding / (packing.fill.padding + packing.fill.tokens)
            table.add_row(f"{documents:,}", f"{size:,}", f"{seconds:.2f}", f"{kept / 1e6:.1f}", f"{padding:.4%}")
            if size == 2048:
                last += f"; {documents:,} packed in {seconds:.2f} CPU s"
    output.print(table)
    of_stream, of_documents = reading(run)
    output.print(f"A row of 2,048 tokens: {of_stream:.0f} µs cut, {of_documents:.0f} µs packed")
    output.print(last, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    command.run(main)
