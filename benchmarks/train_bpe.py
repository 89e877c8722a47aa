"""Training a byte-level vocabulary by the stages of a run: the time and memory of the counts and of the merges.

    python -m benchmarks.train_bpe
    python -m benchmarks.train_bpe --corpus documents.jsonl.gz --megabytes 300

The documents are repeated, each copy with noise of its own (`noisy_corpus`), until there is so much text. They lie in a run
folder as the first pass leaves them. Kernels are compiled before the clock starts. The reference is the trainer of the
`tokenizers` library on the same texts; its time without merges is its time to count.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Any

import pyarrow.parquet as pq
import typer
from rich.table import Table

from benchmarks.corpora import documents, megabytes
from benchmarks.dedup_run import write_survivors
from benchmarks.measured_engine import MeasuredEngine
from benchmarks.noisy_corpus import copies
from curation.engines.local import LocalEngine
from curation.pipeline.pre_token_counting import count_pre_tokens
from curation.pipeline.training_sample import Sample, in_tasks
from curation.recipes.vocabulary import Training
from curation.run.documents import TEXT
from curation.run.folder import RunFolder
from curation.run.receipt import Receipt
from curation.tokenize import kernels
from curation.tokenize.byte_alphabet import ALPHABET
from curation.tokenize.huggingface import library
from curation.tokenize.split_patterns import PATTERNS, Name
from curation.tokenize.train import END_OF_TEXT, train_on_counts
from jobs import command
from jobs.command import output


def write_corpus(run: RunFolder, texts: Sequence[str], size: float) -> list[Receipt]:
    """Writes copies of the texts as splits until there are `size` megabytes."""
    receipts: list[Receipt] = []
    written = 0.0
    while written < size:
        made = list(copies(texts, len(receipts)))
        receipt = write_survivors(run, f"{len(receipts):02}", made)
        text_bytes = int(megabytes(made) * 1e6)
        receipts.append(replace(receipt, facts={**receipt.facts, "text_bytes": text_bytes}))
        written += text_bytes / 1e6
    return receipts


def read_corpus(run: RunFolder, receipts: Sequence[Receipt]) -> Iterator[str]:
    """The texts again."""
    for receipt in receipts:
        with pq.ParquetFile(run.uri(run.survivors(receipt.unit))) as file:
            for batch in file.iter_batches(256, columns=[TEXT]):
                yield from batch.column(0).to_pylist()


def by_the_library(texts: Iterator[str], vocabulary: int, pattern: Name) -> tuple[Any, float, float]:
    """What the library makes of the texts: its tokenizer.json, CPU and wall seconds."""
    tokenizers = library()
    pipeline = tokenizers.Tokenizer(tokenizers.models.BPE())
    pipeline.pre_tokenizer = PATTERNS[pattern].pre_tokenizer()
    pipeline.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=[END_OF_TEXT], initial_alphabet=ALPHABET, show_progress=False
    )
    spent, started = time.process_time(), time.perf_counter()
    pipeline.train_from_iterator(texts, trainer)
    return json.loads(pipeline.to_str()), time.process_time() - spent, time.perf_counter() - started


def main(
    corpus: Annotated[str, typer.Option(help="JSONL with a text in each line; default: composed pages.")] = "",
    size: Annotated[float, typer.Option("--megabytes", help="Of text, by repeating the documents.")] = 300,
    merges: Annotated[int, typer.Option(help="Merges to learn.")] = 32_000,
    pattern: Annotated[str, typer.Option(help="Split pattern: gpt2, gpt4, llama3 or gpt4o.")] = "gpt2",
    workers: Annotated[int, typer.Option(help="Processes that count.")] = 2,
    reference: Annotated[bool, typer.Option(help="Train with the library too, and compare.")] = True,
) -> None:
    """Train a vocabulary on so much text, and compare its merges with the library's."""
    chosen = Training(pattern=pattern).pattern
    vocabulary, limit = merges + 257, Training().pre_tokens
    kernels.warm_up()
    with tempfile.TemporaryDirectory() as folder:
        run = RunFolder(folder)
        receipts = write_corpus(run, documents(corpus), size)
        text_bytes = sum(receipt.facts["text_bytes"] for receipt in receipts)
        engine = MeasuredEngine(LocalEngine(f"{folder}/scratch", workers), folder)
        engine.begin()
        started = time.perf_counter()
        counts = count_pre_tokens(engine, Sample(run, 1.0), in_tasks(receipts), chosen, limit, text_bytes)
        counted = time.perf_counter() - started
        engine.costs.look()
        spent = time.process_time()
        content = train_on_counts(counts, vocabulary, [END_OF_TEXT], chosen)
        merging, seconds = time.process_time() - spent, time.perf_counter() - started
        costs = engine.finish()
        engine.close()
        model = json.loads(content)["model"]
        peak = costs.peaks["total"] / 1024
        table = Table(
            "", "wall s", "CPU s", title=f"train_bpe: {text_bytes / 1e6:.0f} MB, {len(model['merges']):,} merges"
        )
        table.add_row("counts", f"{counted:.1f}", f"{sum(costs.seconds.values()) - merging:.1f}")
        table.add_row("merges", f"{seconds - counted:.1f}", f"{merging:.1f}")
        equal = "not compared"
        if reference:
            _, cpu, wall = by_the_library(read_corpus(run, receipts), 257, chosen)
            table.add_row("the library, no merges", f"{wall:.1f}", f"{cpu:.1f}")
            theirs, cpu, wall = by_the_library(read_corpus(run, receipts), vocabulary, chosen)
            table.add_row("the library", f"{wall:.1f}", f"{cpu:.1f}")
            equal = str(theirs == json.loads(content)).lower()
    output.print(table)
    output.print(
        f"distinct pre-tokens: {counts.totals.distinct:,}, {counts.totals.documents:,} documents", highlight=False
    )
    output.print(f"train_bpe seconds={seconds:.1f} peak_gib={peak:.2f} merges_equal={equal}", highlight=False)


if __name__ == "__main__":
    command.run(main)
