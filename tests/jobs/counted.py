"""A training of a curated run, and what it trains on counted label by label in the batches themselves."""

from __future__ import annotations

import io
from collections import Counter, defaultdict
from pathlib import Path

import pyarrow.parquet as pq
from rich.console import Console, RenderableType

from tests.pipeline import ledger_of
from trainer.data.batch import all_batches
from trainer.data.plan import DataPlan

STEPS = 30
CONFIGURATION = (
    "data: {sequence_length: 64, documents: isolated}\nbatch: {sequences: 16, micro: 4}\nschedule: {steps: 30}\n"
)


def write_config(folder: Path) -> str:
    """The training's file."""
    path = folder / "train.yaml"
    path.write_text(CONFIGURATION)
    return str(path)


def rendered(part: RenderableType) -> str:
    """What a wide terminal shows."""
    written = io.StringIO()
    Console(file=written, width=250).print(part)
    return written.getvalue()


def trained(plan: DataPlan, run: Path) -> dict[str, Counter[int]]:
    """Trained tokens of each URL at each step, counted label by label in the batches themselves."""
    known, urls = ledger_of.urls(run), dict[str, list[str]]()
    for name, source in zip(plan.source_names, plan.sources):
        parts = [pq.read_table(run / "shards" / f"{shard}.docs.parquet") for shard in source.shards]
        urls[name] = [known[doc_id] for part in parts for doc_id in part["doc_id"].to_pylist()]
    found: dict[str, Counter[int]] = defaultdict(Counter)
    for step in all_batches(plan, 0, STEPS):
        for batch in step.batches:
            owners = batch.spans[batch.segments_BS[batch.weights_BS == 1]]
            for source, document in zip(owners["source"].tolist(), owners["document"].tolist()):
                found[urls[plan.source_names[source]][document]][step.step] += 1
    return found


def rows(text: str) -> list[list[str]]:
    """The cells of a printed table, without its borders."""
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in text.splitlines() if line.startswith("│")]
