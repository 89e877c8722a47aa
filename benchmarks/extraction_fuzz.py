"""Broken and hostile pages through the engine `fast`: no crash, valid text, equal text the second time, linear time.

    python -m benchmarks.extraction_fuzz --pages 300000 --data GOLD       on mutations of real pages (see benchmarks.gold_pages)
    python -m benchmarks.extraction_fuzz --pages 300                      on mutations of composed ones

With bounds checked, which compiles all kernels anew:

    NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR=/tmp/checked python -m benchmarks.extraction_fuzz --pages 30000 --data GOLD
"""

from __future__ import annotations

import os
import resource
import time
from typing import Annotated

import typer

from benchmarks.gold_pages import gold_pages
from benchmarks.mutated_pages import hostile, mutations
from connectors.errors import UserError
from curation.extract import charset
from curation.extract.fast_engine import main_text
from jobs import command
from jobs.command import output

AGAIN = 50  # every so many pages one is extracted a second time
SMALL, LARGE = 500_000, 2_000_000  # bytes of the hostile pages whose times are compared
MAX_GROWTH = 12.0  # of time from the small to the large, beyond some noise
NOISE = 0.05  # CPU seconds


def main(
    pages: Annotated[int, typer.Option(min=1, help="Mutated pages.")] = 3000,
    data: Annotated[str, typer.Option(help="Folder of the gold pages; without it, pages are composed.")] = "",
    seed: Annotated[int, typer.Option(help="Another seed, other mutations.")] = 1,
) -> None:
    """Fails with the number of the page that it could not take."""
    sources = [page.html for page in gold_pages(data)]
    main_text(sources[0])  # compiles what is not kept
    started, total, slowest = time.process_time(), 0, 0.0
    for number, page in enumerate(mutations(sources, pages, seed)):
        html = charset.to_utf8(page, "") or page
        before = time.process_time()
        text = main_text(html)
        slowest = max(slowest, (time.process_time() - before) / max(len(html), 10_000))
        total += len(html)
        text.encode()  # no surrogates
        if number % AGAIN == 0 and main_text(html) != text:
            raise UserError(f"Page {number} of seed {seed} gave another text the second time")
    seconds = time.process_time() - started
    growth = 0.0
    for small, large in zip(hostile(SMALL), hostile(LARGE), strict=True):
        first, second = cpu_seconds(small), cpu_seconds(large)
        growth = max(growth, second / max(first, NOISE))
        if second > MAX_GROWTH * max(first, NOISE):
            raise UserError(
                f"{large[:60]!r}… took {first:.2f} s at {SMALL / 1e6:.1f} MB, {second:.2f} s at {LARGE / 1e6:.1f}"
            )
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    checked = "checked" if os.environ.get("NUMBA_BOUNDSCHECK") == "1" else "not checked"
    output.print(f"{pages} mutated pages, {total / 1e6:.0f} MB, {seconds:.0f} CPU s; bounds {checked}", highlight=False)
    output.print(
        f"extraction_fuzz pages={pages} crashes=0 slowest_us_per_kb={slowest * 1e9:.0f} growth={growth:.1f} memory_mb={memory:.0f}",
        highlight=False,
        soft_wrap=True,
    )


def cpu_seconds(html: bytes) -> float:
    """CPU time of one extraction."""
    before = time.process_time()
    main_text(html)
    return time.process_time() - before


if __name__ == "__main__":
    command.run(main)
