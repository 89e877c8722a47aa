"""Compiles the kernels, once a machine, so that no run does it.

corpusmill compile
corpusmill compile --markdown
"""

from __future__ import annotations

import time
from typing import Annotated

import typer

from curation.pipeline.compiling import prepare_kernels
from jobs import command
from jobs.command import output, status


def main(
    markdown: Annotated[bool, typer.Option("--markdown", help="Those of `extract: {format: markdown}`, too.")] = False,
) -> None:
    """Compile all kernels and keep them on disk: a minute or two, once a machine and version, on two cores."""
    started = time.monotonic()
    prepare_kernels(status.print, markdown)
    output.print(f"kernels are ready ({time.monotonic() - started:.1f} s)", highlight=False)


if __name__ == "__main__":
    command.run(main)
