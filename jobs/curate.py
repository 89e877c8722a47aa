"""Curates archives into documents, shards and a ledger.

corpusmill curate fineweb --input 'crawl/*.warc.gz' --run RUN
spark-submit jobs/curate.py fineweb --input 'crawl/*.warc.gz' --run RUN
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from curation.audit.funnel import funnel_table, next_steps, source_table
from curation.pipeline.curate import curate
from curation.pipeline.fired import never_fired
from curation.pipeline.reading import BATCH_DOCUMENTS
from jobs import command
from jobs.command import output, status, under_spark_submit


def main(
    recipe: Annotated[str, typer.Argument(help="A shipped recipe's name (fineweb), or a YAML file.")],
    input: Annotated[
        list[str], typer.Option("--input", "-i", help="File, folder or quoted glob; NAME=GLOB names a source.")
    ],
    run: Annotated[str, typer.Option("--run", "-r", help="Folder of the run; the same command goes on with it.")],
    engine: Annotated[str, typer.Option(help="local (processes, no JVM) or spark; spark-submit means spark.")] = "auto",
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes of the local engine; default: all cores.")
    ] = None,
    partitions: Annotated[int | None, typer.Option(min=1, help="Tasks that a Spark stage is cut into.")] = None,
    tokenizer: Annotated[str, typer.Option(help="Tokenizer file, in place of the recipe's.")] = "",
    set: Annotated[
        list[str] | None, typer.Option("--set", help="Changes the recipe: key.key=value; may be repeated.")
    ] = None,
    keep_work: Annotated[bool, typer.Option("--keep-work", help="Keep RUN/work when the run is done.")] = False,
    batch_documents: Annotated[int, typer.Option(min=1, help="Documents a worker holds at once.")] = BATCH_DOCUMENTS,
) -> dict[str, Any]:
    """Curate archives: extract, filter, deduplicate, redact, tokenize; every document accounted for."""
    chosen = ("spark" if under_spark_submit() else "local") if engine == "auto" else engine
    changes = [*(set or []), *([f"tokenize.tokenizer={tokenizer}"] if tokenizer else [])]
    summary = curate(
        recipe,
        input,
        run,
        engine=chosen,
        workers=workers,
        partitions=partitions,
        changes=changes,
        batch_documents=batch_documents,
        keep_work=keep_work,
        console=status,
    )
    output.print(funnel_table(summary.manifest))
    output.print(source_table(summary.manifest))
    if told := never_fired(summary.manifest):
        output.print(told, highlight=False, soft_wrap=True)
    output.print(next_steps(summary.run, summary.manifest), highlight=False, soft_wrap=True)
    return summary.manifest


if __name__ == "__main__":
    command.run(main)
