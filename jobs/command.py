"""How every job behaves as a command: a user's mistake is one line on standard error and exit code 2."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from typing import Any

import typer
from rich.console import Console

from connectors.errors import UserError
from curation.audit.show import plain

CANCELLED = 130
WrongUse: Any = typer.BadParameter.__bases__[0]  # the parser's error, under whichever name typer ships it


class PipedConsole(Console):
    """A console whose reader may leave: what happens then is for `call` to say."""

    def on_broken_pipe(self) -> None:
        """Raises the error again; rich would end the process with exit code 1."""
        raise BrokenPipeError


output = PipedConsole(markup=False)
status = PipedConsole(stderr=True, markup=False)


def run(job: Callable[..., Any]) -> None:
    """Runs one job's function as a program of its own."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(job)
    call(app)


def call(app: typer.Typer) -> None:
    """Runs an application; ends the process with its exit code."""
    for stream in (sys.stdout, sys.stderr):  # a terminal that lacks a letter gets a question mark, not an error
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        code = app(standalone_mode=False)  # else typer takes Ctrl-C and a broken pipe for its own
        if code == CANCELLED:
            raise KeyboardInterrupt
        sys.exit(code if isinstance(code, int) else 0)
    except UserError as error:
        status.print(f"corpusmill: {plain(str(error))}", style="red", highlight=False, soft_wrap=True)
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort):
        status.print("corpusmill: stopped; the same command goes on where it stopped")
        sys.exit(CANCELLED)
    except WrongUse as error:
        error.show()
        sys.exit(error.exit_code)
    except BrokenPipeError:  # the reader of our output, `head` for one, has seen enough
        os._exit(0)


def under_spark_submit() -> bool:
    """Whether spark-submit started this program."""
    return "PYSPARK_GATEWAY_PORT" in os.environ
