"""Trains a quality classifier on labelled documents.

corpusmill classifier train labels.jsonl --out good.model
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from curation.quality.classifier import train_from_files
from jobs import command
from jobs.command import output

main = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help="Quality classifiers of your own.")


@main.callback()
def group() -> None:
    """Quality classifiers of your own."""


@main.command("train")
def train(
    files: Annotated[list[Path], typer.Argument(help="JSONL or Parquet with the columns text and label.")],
    out: Annotated[Path, typer.Option(help="File to write the model to.")],
) -> None:
    """Train a classifier on labelled documents; a recipe uses it as `- classifier: {model: FILE, min_score: 0.5}`."""
    model = train_from_files(files, out)
    described = ", ".join(f"{key} {value}" for key, value in model.metadata.items() if isinstance(value, (int, float)))
    output.print(f"{out}: {described}", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    command.call(main)
