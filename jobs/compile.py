"""Compiles the kernels, once a machine, so that no run does it.

corpusmill compile
"""

from __future__ import annotations

import time

from curation.pipeline.compiling import prepare_kernels
from jobs import command
from jobs.command import output, status


def main() -> None:
    """Compile all kernels and keep them on disk: a minute or two, once a machine and version, on two cores."""
    started = time.monotonic()
    prepare_kernels(status.print)
    output.print(f"kernels are ready ({time.monotonic() - started:.1f} s)", highlight=False)


if __name__ == "__main__":
    command.run(main)
