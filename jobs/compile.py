"""Compiles the kernels, once a machine, so that no run does it.

corpusmill compile
corpusmill compile --extraction
"""

from __future__ import annotations

import time
from typing import Annotated

import typer

from curation.pipeline.compiling import compile_kernels
from jobs import command
from jobs.command import output, status


def main(
    extraction: Annotated[bool, typer.Option("--extraction", help="Those of `extract: {engine: fast}` too.")] = False,
) -> None:
    """Compile the kernels of the text engine and keep them on disk: about a minute, once a machine and version."""
    started = time.process_time()
    with status.status("compiling kernels"):
        compile_kernels(extraction)
    output.print(f"kernels are ready ({time.process_time() - started:.1f} CPU s)", highlight=False)


if __name__ == "__main__":
    command.run(main)
