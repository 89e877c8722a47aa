"""From an archive to text: pages a second and core with each engine, through the reader and the step, and what bounds it.

    python -m benchmarks.extraction_pipeline 'crawl/*.warc.gz'     on your own archives
    python -m benchmarks.extraction_pipeline                       on a composed crawl

A round reads all archives and puts their records through the step, an engine after the other; then it does again, alone, what a
step consists of: decoding, counting the parser's work (`work_limits`), the engine. All are CPU seconds, medians of the rounds.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import pyarrow as pa
import typer
from rich.table import Table

from connectors.readers import reader_for
from connectors.records import Limits
from curation.extract import Extract, charset, work_limits
from curation.extract.step import PACKAGES, Engine
from curation.pipeline.reading import BATCH_DOCUMENTS, document_batch
from curation.run.documents import CHARSET, CONTENT, MEDIA
from curation.run.split import Split, plan_splits
from curation.sample import write_sample
from jobs import command
from jobs.command import output

ENGINES: tuple[Engine, ...] = ("fast", *PACKAGES)
PARTS = ("reading", "decoding", "counting of work", "engine", "the rest of the step")
PAGES = 1000  # of the composed crawl

Parts = dict[str, float]  # CPU seconds


def main(
    input: Annotated[str, typer.Argument(help="Archives; without them, a crawl is composed.")] = "",
    rounds: Annotated[int, typer.Option(min=1, help="How often all is done.")] = 3,
) -> None:
    """Prints a table, and pages a second and core in one line at the end."""
    with tempfile.TemporaryDirectory() as folder:
        if not input:
            write_sample(Path(folder) / "sample", PAGES, seed=1, pages_per_file=PAGES // 2)
            input = f"{folder}/sample/crawl/*.warc.gz"
        splits = plan_splits([input])
        seen = [batch for split in splits for batch in batches(split)]
        pages = sum(batch.column(MEDIA).to_pylist().count("html") for batch in seen)
        for engine in ENGINES:
            Extract(engine=engine)(seen[0])  # compiles and imports
        found: dict[Engine, list[Parts]] = {engine: [] for engine in ENGINES}
        for _ in range(rounds):
            for engine in ENGINES:
                found[engine].append(parts(splits, engine))
    middle = {engine: {part: median(each[part] for each in found[engine]) for part in PARTS} for engine in ENGINES}
    rates = {engine: pages / sum(spent.values()) for engine, spent in middle.items()}
    output.print(table(middle, rates, pages))
    line = " ".join(f"{engine}={rate:.0f}" for engine, rate in rates.items())
    output.print(f"extraction_pipeline {line}", highlight=False, soft_wrap=True)


def batches(split: Split) -> Iterator[pa.RecordBatch]:
    """A split's records as the step takes them, those with content."""
    held, first = [], 0
    for record in reader_for(split.uri)(split.uri, Limits(), split.first, split.stop):
        if record.refusal is None:
            held.append(record)
        if len(held) == BATCH_DOCUMENTS:
            yield document_batch(split, first, held, set(), False)
            first, held = first + len(held), []
    if held:
        yield document_batch(split, first, held, set(), False)


def parts(splits: Sequence[Split], engine: Engine) -> Parts:
    """CPU seconds of each part of one round with one engine."""
    step = Extract(engine=engine)
    read = cpu_seconds(lambda: [batch for split in splits for batch in batches(split)])
    seen = [batch for split in splits for batch in batches(split)]
    whole = cpu_seconds(lambda: [step(batch) for batch in seen])
    pages = [page for batch in seen for page in html_pages(batch)]
    decoded = cpu_seconds(lambda: [step._html(content, header) for content, header in pages])
    given = [html for html in (step._html(content, header) for content, header in pages) if html is not None]
    counted = 0.0
    if engine != "fast":
        counted = cpu_seconds(lambda: [work_limits.measure(html.encode()) for html in given if isinstance(html, str)])
        given = [
            html for html in given if isinstance(html, str) and not step._over_limit(work_limits.measure(html.encode()))
        ]
    extracted = cpu_seconds(lambda: [charset.clean(step._extracted(html, "")[0]) for html in given])
    return dict(zip(PARTS, (read, decoded, counted, extracted, whole - decoded - counted - extracted), strict=True))


def html_pages(batch: pa.RecordBatch) -> list[tuple[bytes, str]]:
    """Content and the header's character set of a batch's pages."""
    rows = zip(*(batch.column(name).to_pylist() for name in (MEDIA, CONTENT, CHARSET)), strict=True)
    return [(content, header) for media, content, header in rows if media == "html"]


def cpu_seconds(work: Callable[[], Any]) -> float:
    """CPU time of some work."""
    before = time.process_time()
    work()
    return time.process_time() - before


def table(spent: dict[Engine, Parts], rates: dict[Engine, float], pages: int) -> Table:
    """Milliseconds a page by part, each with its share, and pages a second."""
    drawn = Table("ms a page (share)", *spent, title=f"{pages} pages, from archive to text")
    for part in PARTS:
        cells = (f"{each[part] / pages * 1e3:.2f} ({each[part] / sum(each.values()):.0%})" for each in spent.values())
        drawn.add_row(part, *cells)
    drawn.add_row("pages a second and core", *(f"{rate:.0f}" for rate in rates.values()))
    return drawn


if __name__ == "__main__":
    command.run(main)
