"""How the commands of this room end: a user's mistake is one line on standard error and exit code 2."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import typer

from connectors.errors import UserError


def run(job: Callable[..., Any]) -> None:
    """Runs a function as a program of its own."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(job)
    try:
        app()
    except UserError as error:
        typer.echo(f"corpusmill: {error}", err=True)
        sys.exit(2)
