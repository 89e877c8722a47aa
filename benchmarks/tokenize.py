"""From Parquet to shards with manifest, ledger and document index, against datatrove's DocumentTokenizer reading the same Parquet.

    python -m benchmarks.tokenize                                                  on composed pages, a vocabulary trained on them
    python -m benchmarks.tokenize --corpus documents.jsonl.gz --tokenizer gpt2/tokenizer.json

Each round has texts that neither has seen: copies of the documents, each with noise of its own. Ours is the whole command,
`corpusmill curate tokenize`, with one worker; CPU seconds are those of all threads and processes. The other reads a part of the
round's documents, drawn evenly, and writes neither shuffled nor cut files, its fastest way. From both is taken what the same
does on a single document, their start: opening the tokenizer, planning. Medians over the rounds.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.parquet as pq
import typer
from rich.table import Table

from benchmarks.chain import END, tokenizer_file
from benchmarks.corpora import documents, megabytes
from benchmarks.noisy_corpus import copy_of, noise_words
from benchmarks.process_tree import cpu_seconds
from connectors import storage
from connectors.errors import missing_extra
from curation.engines.engine import Engine
from curation.engines.local import LocalEngine
from curation.pipeline.curate import curate
from curation.run.folder import RunFolder
from jobs import command
from jobs.command import output, status

ROUND_MEGABYTES, PEER_MEGABYTES = 80.0, 4.0
FILE_MEGABYTES = 40.0
ROUNDS = 5

# What the clocks of receipts are called in the table: stage and step, "" for all others of the stage.
STAGES = {
    "read Parquet": [("refine", "read")],
    "steps": [("refine", ""), ("finish", "dedup")],
    "encode": [("finish", "tokenize")],
    "order": [("finish", "write")],
    "write shards, index": [("shards", "shards")],
    "ledger": [("refine", "write"), ("places", "places")],
}


@dataclass
class Round:
    """CPU seconds a megabyte: of ours, of datatrove, and of ours by stage."""

    ours: float
    peer: float
    stages: dict[str, float] = field(default_factory=dict)


class Corpus:
    """Texts that were not seen before, as many as are asked for."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts, self.pool = texts, noise_words(texts)
        self._next = self._endless()

    def _endless(self) -> Iterator[str]:
        copy = 0
        while True:
            copy += 1
            for document, text in enumerate(self.texts):
                yield copy_of(text, document, copy, self.pool)

    def take(self, wanted: float) -> list[str]:
        """Texts of so many megabytes."""
        taken, held = list[str](), 0
        while held < wanted * 1e6:
            taken.append(next(self._next))
            held += len(taken[-1].encode())
        return taken


def write(texts: Sequence[str], folder: Path) -> None:
    """Parquet files of some megabytes, as pyarrow writes them, compressed by zstd."""
    folder.mkdir(parents=True)
    files = max(1, round(megabytes(list(texts)) / FILE_MEGABYTES))
    for number in range(files):
        part = texts[number::files]
        names = [f"{number}-{place}" for place in range(len(part))]
        table = pa.table({"text": part, "id": names, "url": [f"https://example.org/{name}" for name in names]})
        pq.write_table(table, folder / f"{number:03}.parquet", compression="zstd", row_group_size=1000)


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds of this process and its workers that some work takes."""
    started = cpu_seconds()
    work()
    return cpu_seconds() - started


class Ours:
    """The command, in one warm worker."""

    def __init__(self, engine: Engine, scratch: Path, tokenizer: str) -> None:
        self.engine, self.run, self.tokenizer = engine, scratch / "run", tokenizer

    def __call__(self, folder: Path) -> int:
        """Tokenizes a folder; gives the number of tokens."""
        storage.remove_tree(str(self.run))
        changes = [f"tokenize.tokenizer={self.tokenizer}"]
        summary = curate("tokenize", str(folder), str(self.run), engine=self.engine, changes=changes)
        return sum(int(shard["tokens"]) for shard in summary.manifest["shards"])

    def stages(self) -> dict[str, float]:
        """CPU seconds of the last run by stage, as its receipts have them."""
        clocks: dict[tuple[str, str], float] = {}
        known = {each for named in STAGES.values() for each in named}
        for stage in ("refine", "finish", "shards", "places"):
            for receipt in RunFolder(str(self.run)).receipts(stage):
                for step, spent in receipt.timing.items():
                    key = (stage, step if (stage, step) in known else "")
                    clocks[key] = clocks.get(key, 0.0) + (spent if step != "wall" else 0.0)
        return {name: sum(clocks.get(each, 0.0) for each in named) for name, named in STAGES.items()}


class Peer:
    """datatrove's ParquetReader and DocumentTokenizer, as a pipeline of its own would join them."""

    def __init__(self, scratch: Path, tokenizer: str) -> None:
        try:
            from datatrove.pipeline.readers import ParquetReader
            from datatrove.pipeline.tokens import DocumentTokenizer
        except ImportError:
            raise missing_extra("datatrove", "parity") from None
        from loguru import logger

        logger.disable("datatrove")
        self._reader: Any = ParquetReader
        self._writer: Any = DocumentTokenizer
        self.folder, self.tokenizer = scratch / "peer", tokenizer

    def __call__(self, folder: Path) -> int:
        """Tokenizes a folder; gives the number of tokens."""
        storage.remove_tree(str(self.folder))
        self.folder.mkdir()
        step = self._writer(
            str(self.folder),
            tokenizer_name_or_path=self.tokenizer,
            eos_token=END,
            shuffle_documents=False,
            max_tokens_per_file=None,
        )
        step.run(self._reader(str(folder)).run(None, 0, 1), 0, 1)
        return sum(path.stat().st_size for path in self.folder.glob("*.ds")) // int(step.token_size)


def race(texts: Sequence[str], scratch: Path, tokenizer: str, rounds: int, size: float) -> tuple[list[Round], str]:
    """The rounds, and whether both give as many tokens for the same documents."""
    corpus = Corpus(texts)
    with status.status("") as line, one_worker(scratch) as engine:
        ours, peer = Ours(engine, scratch, tokenizer), Peer(scratch, tokenizer)
        write(corpus.take(1e-6), scratch / "one")
        write(corpus.take(PEER_MEGABYTES), scratch / "first")
        agreement = "all" if ours(scratch / "first") == peer(scratch / "first") else "NO"
        done: list[tuple[float, dict[str, float], float, float, float]] = []
        starts: list[tuple[float, float]] = []
        for number in range(rounds):
            line.update(f"round {number + 1} of {rounds}")
            folder = scratch / str(number)
            given = corpus.take(size)
            part = given[:: max(1, round(size / PEER_MEGABYTES))]
            write(given, folder / "ours")
            write(part, folder / "peer")
            starts.append((seconds(lambda: ours(scratch / "one")), seconds(lambda: peer(scratch / "one"))))
            of_ours = seconds(lambda: ours(folder / "ours"))  # noqa: B023 - called at once
            of_peer = seconds(lambda: peer(folder / "peer"))  # noqa: B023
            done.append((of_ours, ours.stages(), megabytes(given), of_peer, megabytes(part)))
            storage.remove_tree(str(folder))
    start, peer_start = (statistics.median(each) for each in zip(*starts, strict=True))
    output.print(
        f"start, left out: {start:.2f} CPU s, datatrove {peer_start:.2f} (of a first run in a process more)",
        highlight=False,
    )
    found = []
    for of_ours, stages, held, of_peer, part_held in done:
        by_stage = {name: spent / held for name, spent in stages.items()}
        spent = (of_ours - start) / held
        by_stage["all else"] = spent - sum(by_stage.values())
        found.append(Round(spent, (of_peer - peer_start) / part_held, by_stage))
    return found, agreement


@contextmanager
def one_worker(scratch: Path) -> Iterator[Engine]:
    """A worker that stays."""
    engine = LocalEngine(str(scratch / "engine"), 1)
    try:
        yield engine
    finally:
        engine.close()


def main(
    corpus: Annotated[str, typer.Option(help="JSONL with a text in each line; default: composed pages.")] = "",
    tokenizer: Annotated[str, typer.Option(help="A tokenizer.json; default: trained on the documents.")] = "",
    rounds: Annotated[int, typer.Option(min=1, help="Each with texts of its own.")] = ROUNDS,
    size: Annotated[float, typer.Option(min=1, help="Megabytes of text in a round.")] = ROUND_MEGABYTES,
) -> None:
    """Compare CPU seconds of the whole way, and show where ours go."""
    with tempfile.TemporaryDirectory() as scratch:
        found, agreement = race(documents(corpus), Path(scratch), tokenizer_file(tokenizer, corpus), rounds, size)
    ours, peer = (statistics.median(getattr(each, name) for each in found) for name in ("ours", "peer"))
    table = Table(title="tokenize: Parquet to shards, CPU ms a megabyte of text", title_justify="left")
    for name in ("", "ms", "share"):
        table.add_column(name, justify="left" if not name else "right")
    for name in found[0].stages:
        spent = statistics.median(each.stages[name] for each in found)
        table.add_row(name, f"{1000 * spent:.2f}", f"{spent / ours:.0%}")
    table.add_row("all of it", f"{1000 * ours:.2f}", "100%")
    table.add_row("datatrove", f"{1000 * peer:.1f}", "")
    output.print(table)
    output.print(f"tokens agree on {agreement}", highlight=False)
    ratio = statistics.median(each.peer / each.ours for each in found)
    output.print(f"tokenize ratio={ratio:.1f} mb_per_s={1 / ours:.1f}", highlight=False)


if __name__ == "__main__":
    command.run(main)
