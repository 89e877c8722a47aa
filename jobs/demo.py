"""The whole way on a composed crawl: makes it, curates it, shows where every document went, trains a model, writes the report.

corpusmill demo
"""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import Annotated

import pyarrow.parquet as pq
import typer

from connectors.errors import UserError
from jobs import command, curate, report, sample, train, verify
from jobs.command import output

SEED = 1
MARK = ".corpusmill-demo"
TRAINING = ["backend=megatron", "layout.tensor=2", "layout.pipeline=2", "schedule.steps=30", "checkpoint.every=15"]


def main(
    folder: Annotated[Path, typer.Option(help="Where the demo's files go; an earlier demo there is replaced.")] = Path(
        "demo"
    ),
    pages: Annotated[int, typer.Option(min=100, help="Pages of the crawl.")] = 2000,
    engine: Annotated[str, typer.Option(help="local or spark.")] = "local",
) -> None:
    """Make a sample crawl, curate it, show where every document went, train a model on it, write the report."""
    clear(folder)
    output.rule("1. A sample crawl, composed by a grammar", align="left")
    sample.main(folder / "crawl", pages, SEED, pages_per_file=max(100, pages // 8), against="")
    output.rule("2. Curated by the recipe fineweb", align="left")
    run = folder / "run"
    curate.main(
        "fineweb",
        [f"sample={folder}/crawl/crawl/*.warc.gz"],
        str(run),
        engine=engine,
        set=["tokenize.vocabulary=8192", "tokenize.shard_tokens=200000"],
    )
    output.rule("3. Held against the sample's truth", align="left")
    sample.main(folder / "crawl", against=str(run))
    output.rule("4. Every byte and count again", align="left")
    verify.main(str(run))
    output.rule("5. A model trained on the shards: tensor and pipeline parallel, four processes", align="left")
    if all(map(importlib.util.find_spec, ("torch", "megatron", "safetensors"))):
        train.main(run, ranks=4, set=TRAINING)
    else:
        output.print("left out: training needs torch, Megatron-Core and safetensors (the extra 'train')")
    output.rule("6. A page for the auditor", align="left")
    report.main(str(run))
    output.print(closing(run), highlight=False, soft_wrap=True)


def closing(run: Path) -> str:
    """Where to look, and what to try next."""
    kept = next(iter((run / "documents").rglob("*.parquet")))
    url = pq.read_table(kept, columns=["url"])["url"][0].as_py()
    return "\n".join(
        [
            f"\nOpen {run}/report/index.html in a browser: it is the whole account. Then try",
            f"  corpusmill why {run} --url {url}",
            f"  corpusmill seen {run} --url {url}",
            f"  corpusmill trace {run} --shard sample/00000 --token 1000",
        ]
    )


def clear(folder: Path) -> None:
    """Makes the folder the demo's, and removes what an earlier demo left; nobody else's files are touched."""
    mark = folder / MARK
    if folder.exists() and any(folder.iterdir()) and not mark.exists():
        raise UserError(f"{folder} is there and no earlier demo: name another --folder")
    for part in ("crawl", "run"):
        shutil.rmtree(folder / part, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    mark.write_text("made by corpusmill demo, which may remove crawl/ and run/ beside this file\n")


if __name__ == "__main__":
    command.run(main)
