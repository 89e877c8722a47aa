"""Writes down how a score is distributed, so that a recipe can keep a share instead of naming a score.

corpusmill calibrate RUN --column fasttext --out fasttext.json
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from curation.quality.calibration import calibrate_files, settings_of
from jobs import command
from jobs.command import output


def main(
    sources: Annotated[list[str], typer.Argument(help="Run folders, or Parquet and JSONL files, folders or globs.")],
    column: Annotated[
        str, typer.Option(help="The measure of the runs, or the column of the files, that holds the score.")
    ],
    out: Annotated[Path, typer.Option(help="File to write the calibration to.")],
    name: Annotated[
        str, typer.Option(help="What the recipe calls the measure, where the column has another name.")
    ] = "",
    weight: Annotated[str, typer.Option(help="A column that a document weighs by, such as its tokens or bytes.")] = "",
) -> None:
    """Write a score's quantiles; a recipe uses them as `keep: 0.1` with `calibration: FILE`, or as an ensemble's `bins`."""
    calibration = calibrate_files(sources, column, out, name=name, weight=weight)
    described = ", ".join(f"{key} {value:,.6g}" for key, value in settings_of(calibration).items())
    output.print(f"{out}: {calibration.name}: {described}", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    command.run(main)
