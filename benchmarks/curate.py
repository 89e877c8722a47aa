"""Pages a second and core of the whole recipe `fineweb`, and what bounds it, by step.

    python -m benchmarks.curate                              on a composed crawl of 2,000 pages
    python -m benchmarks.curate --input 'crawl/*.warc.gz'    on your own

CPU seconds of one worker, without its start, from the receipts of the run. Pages are documents that reached extraction.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from curation.audit.profile import cpu_seconds, profile_table
from curation.pipeline.curate import curate
from curation.sample import write_sample
from jobs import command
from jobs.command import output, status


def main(
    input: Annotated[str, typer.Option(help="Archives; default: a composed crawl.")] = "",
    pages: Annotated[int, typer.Option(help="Pages of the composed crawl.")] = 2000,
) -> None:
    """Curate with one worker and show where the time went."""
    with tempfile.TemporaryDirectory() as folder:
        if not input:
            write_sample(Path(folder) / "sample", pages, seed=1, pages_per_file=pages // 2)
            input = f"{folder}/sample/crawl/*.warc.gz"
        changes = ["tokenize.vocabulary=8192"]
        summary = curate("fineweb", input, f"{folder}/run", workers=1, changes=changes, console=status)
        output.print(profile_table(summary.run))
        seconds = cpu_seconds(summary.run)
        read = next(step for step in summary.manifest["steps"] if step["step"] == "read")
        largest = max(seconds, key=lambda step: seconds[step])
        total = sum(seconds.values())
        output.print(
            f"curate pages_per_second_and_core={read['went_on'] / total:.0f} "
            f"bound_by={largest} share={seconds[largest] / total:.2f}",
            highlight=False,
            soft_wrap=True,
        )


if __name__ == "__main__":
    command.run(main)
