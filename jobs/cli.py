"""The `corpusmill` command: joins the jobs."""

from __future__ import annotations

import typer

from jobs import (
    blend,
    calibrate,
    command,
    compact,
    curate,
    demo,
    erase,
    explain,
    index,
    measures,
    prove,
    report,
    sample,
    seen,
    trace,
    train,
    try_,
    verify,
    vocabulary,
    why,
)
from jobs import compile as compile_job
from jobs.classifier import app as classifier

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="From web archives to tokens, with an account of every document.",
)
app.command("demo")(demo.main)
app.command("sample")(sample.main)
app.command("curate")(curate.main)
app.command("explain")(explain.main)
app.command("try")(try_.main)
app.command("compile")(compile_job.main)
app.command("measures")(measures.main)
app.command("calibrate")(calibrate.main)
app.command("index")(index.main)
app.command("report")(report.main)
app.command("why")(why.main)
app.command("trace")(trace.main)
app.command("verify")(verify.main)
app.command("vocabulary")(vocabulary.main)
app.command("erase")(erase.main)
app.command("compact")(compact.main)
app.command("blend")(blend.main)
app.command("train")(train.main)
app.command("seen")(seen.main)
app.command("prove")(prove.main)
app.add_typer(classifier, name="classifier")


def main() -> None:
    """Runs the command line."""
    command.call(app)


if __name__ == "__main__":
    main()
