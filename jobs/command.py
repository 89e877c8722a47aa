"""How every job behaves as a command: a user's mistake is one line on standard error and exit code 2."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import typer
from rich.console import Console

from connectors.errors import UserError

CANCELLED = 130

output = Console()
status = Console(stderr=True)


def run(job: Callable[..., Any]) -> None:
    """Runs one job's function as a program of its own."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(job)
    call(app)


def call(app: typer.Typer) -> None:
    """Runs an application; ends the process with its exit code."""
    try:
        app()
    except UserError as error:
        status.print(f"corpusmill: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
    except KeyboardInterrupt:
        status.print("corpusmill: stopped; the same command goes on where it stopped", markup=False)
        sys.exit(CANCELLED)
    except BrokenPipeError:  # the reader of our output, `head` for one, has seen enough
        os._exit(0)


def under_spark_submit() -> bool:
    """Whether spark-submit started this program."""
    return "PYSPARK_GATEWAY_PORT" in os.environ
