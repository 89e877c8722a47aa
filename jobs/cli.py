"""The `corpusmill` command: joins the jobs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

import typer

from jobs import command

# Words and their modules, in the order of `corpusmill --help`.
JOBS = {
    "demo": "demo",
    "sample": "sample",
    "curate": "curate",
    "explain": "explain",
    "try": "try_",
    "compile": "compile",
    "measures": "measures",
    "calibrate": "calibrate",
    "index": "index",
    "report": "report",
    "why": "why",
    "trace": "trace",
    "verify": "verify",
    "vocabulary": "vocabulary",
    "erase": "erase",
    "compact": "compact",
    "blend": "blend",
    "train": "train",
    "seen": "seen",
    "prove": "prove",
    "classifier": "classifier",
}


def application(words: Sequence[str]) -> typer.Typer:
    """The command line. Where its first word is a job, that one alone is imported: all of them take a second."""
    app = typer.Typer(
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        help="From web archives to tokens, with an account of every document.",
    )
    app.callback()(lambda: None)  # so that a single job is a word, too
    for word in [word for word in words[:1] if word in JOBS] or JOBS:
        job = import_module(f"jobs.{JOBS[word]}")
        if isinstance(job.main, typer.Typer):
            app.add_typer(job.main, name=word)
        else:
            app.command(word)(job.main)
    return app


def main() -> None:
    """Runs the command line."""
    command.call(application(sys.argv[1:]))


if __name__ == "__main__":
    main()
