"""What deduplication costs at scale, all stages behind the signatures, on signatures without texts whose truth is known.

    python -m benchmarks.dedup_scale 1e6 3e6 10e6
    python -m benchmarks.dedup_scale 1e6 3e6 10e6 --engine spark
    python -m benchmarks.dedup_scale 3e6 --kind boilerplate --special 1e6

CPU seconds of all processes, the JVM included, by what the engine was asked to do. Not counted: making the signatures; the
start of the engine, its workers and the driver, which first do 20,000 documents; and making shingle hashes of the pairs that
signatures cannot decide, which in a run is reading texts. Each size runs in a process of its own, and all sizes again, in
turns; shown is the run of each that cost neither most nor least.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import typer
from rich.table import Table

from benchmarks.dedup_run import PLAN, read_duplicates, receipt
from benchmarks.duplicate_truth import TARGET, Quality
from benchmarks.measured_engine import DRIVER, JVM, WORKER, MeasuredEngine
from benchmarks.process_tree import cpu_seconds
from benchmarks.synthetic_files import PlantedSketches, WriteSignatures
from benchmarks.synthetic_signatures import KINDS, VALUES, Planted
from connectors.errors import UserError, nearest
from curation.dedup.banding import choose_banding, finer
from curation.dedup.duplicates import ORDINAL
from curation.dedup.homes import HOME_DOCUMENTS
from curation.dedup.keys import Signing
from curation.dedup.shingles import Shingling
from curation.engines.engine import Engine
from curation.engines.opening import ENGINES, open_engine
from curation.pipeline.deduplicate import Settings, deduplicate, parts_of
from curation.run.folder import RunFolder
from curation.run.receipt import Receipt
from jobs import command
from jobs.command import output, status

SPLIT = 50_000  # documents
WARM_UP = 20_000
WARM_HOMES = (1_000, 5_000)  # documents of a home: more homes than are seen to in the driver, and so few
BANDING = choose_banding(TARGET)
SIGNING = Signing(Shingling(), VALUES, BANDING, finer(BANDING, VALUES))


def write_splits(
    engine: Engine, run: RunFolder, planted: Planted, size: int, signing: Signing = SIGNING
) -> list[Receipt]:
    """The corpus as signature files of so many documents each, and what the first pass would say of them."""
    firsts = range(0, planted.documents, size)
    ranges = [(f"{first // size:05}", first, min(first + size, planted.documents)) for first in firsts]
    for _ in engine.map(WriteSignatures(planted, run, signing), ranges):
        pass
    return [receipt(unit, stop - first) for unit, first, stop in ranges]


def deduplicate_planted(
    engine: Engine,
    run: RunFolder,
    receipts: Sequence[Receipt],
    sketches: PlantedSketches,
    home_documents: int = HOME_DOCUMENTS,
    signing: Signing = SIGNING,
) -> Receipt:
    """The stage as a recipe with `target: 0.8` has it, exact duplicates included."""
    settings = Settings(url=False, exact=True, near=signing, target=TARGET, sketcher=sketches)
    return deduplicate(engine, run, PLAN, settings, parts_of(run, receipts), home_documents)


def warm_up(engine: Engine, folder: str, planted: Planted) -> None:
    """Deduplicates a small corpus by the workers and once more in the driver, so that each loads what it will need."""
    for home in WARM_HOMES:
        run = RunFolder(f"{folder}/{home}")
        receipts = write_splits(engine, run, planted, home)
        deduplicate_planted(engine, run, receipts, PlantedSketches(planted, run.uri("notes")), home)


def measure(planted: Planted, engine_name: str, folder: str) -> dict[str, Any]:
    """Deduplicates the corpus and gives the costs and the quality."""
    engine = MeasuredEngine(open_engine(engine_name, f"{folder}/scratch"), f"{folder}/counts")
    try:
        warm_up(engine, f"{folder}/warm", Planted(WARM_UP, planted.kind, WARM_UP // 2))
        run = RunFolder(f"{folder}/run")
        receipts = write_splits(engine, run, planted, SPLIT)
        sketches = PlantedSketches(planted, f"{folder}/sketch-seconds")
        started, start = time.perf_counter(), cpu_seconds()
        engine.begin()
        deduplicate_planted(engine, run, receipts, sketches)
        costs, wall = engine.finish(), time.perf_counter() - started
    finally:
        engine.close()
    found = planted_quality(planted, run, receipts)
    return {
        "start": start,
        "wall": wall,
        "seconds": costs.seconds,
        "sketch_seconds": sketches.seconds(),
        "shuffled": costs.shuffled,
        "files": bytes_between(run),
        "peaks": costs.peaks,
        "removed": found.removed,
        "precision": found.precision,
        "missed": found.missed,
    }


def planted_quality(planted: Planted, run: RunFolder, receipts: Sequence[Receipt]) -> Quality:
    """Removals against the planted truth."""
    kept, first = np.ones(planted.documents, np.bool_), 0
    removed = right = 0
    for split in receipts:
        table = read_duplicates(run, split.unit)
        if table is not None:
            gone = table.column(ORDINAL).to_numpy().astype(np.int64) + first
            stayed = numbers_of(table.column("kept"))
            kept[gone] = False
            removed += len(gone)
            right += int((planted.similarity(gone, stayed) >= TARGET - 1e-9).sum())
        first += split.facts["survivors"]
    return Quality.counted(removed, right, *planted.missed(kept, TARGET))


def numbers_of(ids: pa.ChunkedArray) -> np.ndarray[Any, Any]:
    """The numbers that document ids stand for."""
    column = ids.combine_chunks().cast(pa.binary(16))
    return np.frombuffer(column.buffers()[1], "<u8")[2 * column.offset :][: 2 * len(column) : 2].astype(np.int64)


def bytes_between(run: RunFolder) -> int:
    """Bytes of all files that the stages wrote for each other."""
    total = 0
    for folder, _, names in os.walk(run.uri(run.work)):
        if not Path(folder).is_relative_to(Path(run.uri(run.signatures("x"))).parent):
            total += sum(os.path.getsize(os.path.join(folder, name)) for name in names)
    return total


@dataclass(frozen=True)
class Measured:
    """What was measured at one size.

    figures  of the run whose cost is the median
    totals   of all runs, ascending: CPU seconds a million documents
    """

    documents: int
    figures: dict[str, Any]
    totals: tuple[float, ...] = ()

    @classmethod
    def median(cls, documents: int, runs: Sequence[dict[str, Any]]) -> Measured:
        """Of several runs."""
        ordered = sorted((cls(documents, figures) for figures in runs), key=lambda run: run.total)
        return cls(documents, ordered[len(ordered) // 2].figures, tuple(run.total for run in ordered))

    def a_million(self, seconds: float) -> float:
        """CPU seconds a million documents."""
        return seconds / self.documents * 1e6

    @property
    def total(self) -> float:
        """CPU seconds a million documents, all stages, without the sketches."""
        return self.a_million(sum(self.figures["seconds"].values()) - self.figures["sketch_seconds"])


def show(title: str, sizes: Sequence[Measured]) -> None:
    """The table."""
    table = Table(title=title, title_justify="left")
    table.add_column("CPU s a million documents")
    for size in sizes:
        table.add_column(f"{size.documents:,}", justify="right")
    for stage in dict.fromkeys(stage for size in sizes for stage in size.figures["seconds"]):
        table.add_row(stage, *(f"{size.a_million(size.figures['seconds'].get(stage, 0)):.3f}" for size in sizes))
    table.add_row("of it sketches", *(f"{size.a_million(size.figures['sketch_seconds']):.3f}" for size in sizes))
    table.add_row("all without sketches", *(f"{size.total:.2f}" for size in sizes))
    table.add_row(
        "in all runs", *(" ".join(f"{total:.2f}" for total in size.totals) for size in sizes), end_section=True
    )
    for name, key in (("shuffled bytes a document", "shuffled"), ("bytes a document in files between", "files")):
        table.add_row(name, *(f"{size.figures[key] / size.documents:.1f}" for size in sizes))
    for kind in (DRIVER, WORKER, JVM, "total"):
        if kind in sizes[0].figures["peaks"]:
            table.add_row(f"peak MiB, {kind}", *(f"{size.figures['peaks'][kind]:.0f}" for size in sizes))
    table.add_row("wall s", *(f"{size.figures['wall']:.0f}" for size in sizes))
    table.add_row("start, signatures: CPU s", *(f"{size.figures['start']:.0f}" for size in sizes), end_section=True)
    table.add_row("removed", *(f"{size.figures['removed']:,}" for size in sizes))
    for name in ("precision", "missed"):
        table.add_row(name, *(f"{size.figures[name]:.4f}" for size in sizes))
    output.print(table)


def measured_apart(documents: int, options: Sequence[str]) -> dict[str, Any]:
    """What a process of its own measures."""
    again = [sys.executable, "-m", "benchmarks.dedup_scale", str(documents), *options, "--one"]
    root = str(Path(__file__).parents[1])  # where Spark's workers find the benchmarks
    environment = {**os.environ, "PYTHONPATH": root}
    done = subprocess.run(again, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main(
    documents: Annotated[list[float], typer.Argument(help="How many documents; several sizes one after another.")],
    engine: Annotated[str, typer.Option(help=f"One of {', '.join(ENGINES)}.")] = "local",
    kind: Annotated[str, typer.Option(help=f"What is planted: {', '.join(KINDS)}.")] = "plain",
    special: Annotated[float, typer.Option(help="Documents of that kind; default: all.")] = 0,
    folder: Annotated[str, typer.Option(help="For the run; default: a temporary one.")] = "",
    runs: Annotated[int, typer.Option(min=1, help="Of each size; an odd number.")] = 3,
    one: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Measure each size and compare."""
    for name, known in ((engine, ENGINES), (kind, KINDS)):
        if name not in known:
            raise UserError(f"'{name}' is none of {', '.join(known)}.{nearest(name, known)}")
    if one:
        number = int(documents[0])
        planted = Planted(number, kind, 0 if kind == "plain" else int(special or number))
        print(json.dumps(measure(planted, engine, folder)))
        return
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
    figures: dict[int, list[dict[str, Any]]] = {}
    for turn in range(runs):
        for number in map(int, documents):
            doing = f"{number:,} documents, run {turn + 1} of {runs}"
            with status.status(doing), tempfile.TemporaryDirectory(dir=folder or None) as place:
                options = ["--engine", engine, "--kind", kind, "--special", str(special), "--folder", place]
                figures.setdefault(number, []).append(measured_apart(number, options))
    sizes = [Measured.median(number, each) for number, each in figures.items()]
    show(f"dedup_scale: {kind}, {BANDING.bands} × {BANDING.rows}, engine {engine}", sizes)
    peak = max(size.figures["peaks"]["total"] for size in sizes)
    spent = " ".join(f"s_per_million_{size.documents // 1_000_000}m={size.total:.2f}" for size in sizes)
    output.print(f"dedup_scale engine={engine} {spent} peak_mib={peak:.0f}", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    command.run(main)
