"""All of deduplication, from texts to texts without duplicates, against datatrove's four MinHash stages; and how well it finds.

    python -m benchmarks.dedup
    python -m benchmarks.dedup --corpus documents.jsonl.gz

The corpus is the documents 25 times over with distinct noise (`benchmarks/noisy_corpus.py`), a Parquet file a copy, which both
sides read. Ours: signatures, the stage between the passes (equal texts, then near duplicates verified at a Jaccard similarity
of 0.8), and reading the texts again without the duplicates; one worker. datatrove's: 14 bands of 8 unverified, one worker;
signatures of every 25th document, by whose bytes their time is taken to grow, the other stages whole, on signatures that are
ours, in its form. CPU seconds of all processes, in turns. What comes before the first document is not counted on either side:
ours does 600 documents first, which starts the worker, imports and loads kernels; datatrove's does one.

Quality is measured on `dedup_en.jsonl.gz` and `dedup_pairs.tsv` where they lie beside the corpus: documents and altered copies
of them, and all pairs that are similar.
"""

from __future__ import annotations

import gzip
import json
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Annotated

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import typer
from rich.table import Table

from benchmarks.corpora import documents, megabytes
from benchmarks.dedup_run import PLAN, SignSplit, kept_for, read_duplicates, read_survivors, write_survivors
from benchmarks.duplicate_truth import TARGET, Quality, listed_similarities, quality
from benchmarks.noisy_corpus import COPIES, copy_of, noise_words, write_noisy_corpus
from benchmarks.peer_dedup import PeerStages, Signed, signature_files
from benchmarks.process_tree import cpu_seconds
from connectors import storage
from curation.dedup.banding import choose_banding, finer
from curation.dedup.duplicates import ORDINAL
from curation.dedup.keys import Keys, Signing
from curation.dedup.shingles import Shingling
from curation.dedup.signature import VALUES, signatures
from curation.engines.engine import Engine
from curation.engines.local import LocalEngine
from curation.pipeline.deduplicate import deduplicate, parts_of, settings_of
from curation.run.documents import TEXT
from curation.run.folder import RunFolder
from curation.run.receipt import Receipt
from curation.text.columns import text_batch
from jobs import command
from jobs.command import output, status

ROUNDS = 3
BANDING = choose_banding(TARGET)
SIGNING = Signing(Shingling(), VALUES, BANDING, finer(BANDING, VALUES))
STEP = Keys(url=False, exact=True, near=SIGNING)

Stages = dict[str, float]  # CPU seconds by stage


@dataclass(frozen=True)
class DropDuplicates:
    """A task: reads a split's survivors without the duplicates. Gives how many are left."""

    run: RunFolder

    def __call__(self, unit: str) -> int:
        table = read_duplicates(self.run, unit)
        gone = table.column(ORDINAL) if table is not None else pa.chunked_array([[]], pa.uint32())
        left = first = 0
        for batch in read_survivors(self.run, unit, ["doc_id", TEXT]):
            numbers = pa.array(range(first, first + len(batch)), pa.uint32())
            left += batch.filter(pc.invert(pc.is_in(numbers, value_set=gone))).num_rows
            first += len(batch)
        return left


@dataclass(frozen=True)
class Ours:
    """Deduplication over the survivors of a run."""

    engine: Engine
    run: RunFolder
    splits: Sequence[Receipt]

    def sign(self) -> None:
        """What the first pass adds: hashes, signatures, keys."""
        self._each(SignSplit(self.run, STEP))

    def deduplicate(self) -> None:
        """The stage between the passes."""
        settings = settings_of(STEP.url, STEP.exact, STEP.near, TARGET)
        deduplicate(self.engine, self.run, PLAN, settings, parts_of(self.run, self.splits))

    def drop(self) -> None:
        """What the second pass does with its lists."""
        self._each(DropDuplicates(self.run))

    def forget(self) -> None:
        """Removes what was made, so that it can be made again."""
        for folder in ("receipts", "work/signatures", "work/dedup", "work/duplicates"):
            storage.remove_tree(self.run.uri(folder))

    def _each(self, task: Callable[[str], object]) -> None:
        for _ in self.engine.map(task, [split.unit for split in self.splits]):
            pass


def timed(*stages: Callable[[], object]) -> Stages:
    """CPU seconds of all processes that each stage takes, one after another."""
    spent: Stages = {}
    for stage in stages:
        before = cpu_seconds()
        stage()
        spent[stage.__name__] = cpu_seconds() - before
    return spent


def signed(columns: Sequence[pa.Array]) -> Signed:
    """Signatures of documents whose texts are given by batch."""
    parts = [signatures(text_batch(column)) for column in columns]
    values, present = (np.concatenate(found) for found in zip(*parts, strict=True))
    lengths = np.concatenate([pc.binary_length(column).to_numpy() for column in columns])
    return Signed(values, present, lengths > 0)


class Race:
    """Both sides over the noisy corpus, in turns."""

    def __init__(self, engine: Engine, texts: Sequence[str], folder: str) -> None:
        self.texts, self.folder, self.same = texts, folder, True
        before = cpu_seconds()
        warm = RunFolder(f"{folder}/warm")
        few = Ours(engine, warm, write_noisy_corpus(warm, texts[:200], 3))
        timed(few.sign, few.deduplicate, few.drop)
        self.start = cpu_seconds() - before
        run = RunFolder(f"{folder}/run")
        self.ours = Ours(engine, run, write_noisy_corpus(run, texts))
        self.peer = PeerStages(run.uri("work/survivors"))
        self._share(["One document of more than five words starts datatrove."], "start")
        self.megabytes = self._sign_for_peer()

    def _sign_for_peer(self) -> float:
        """Puts down the signatures that datatrove's later stages begin with. Gives the megabytes of all texts."""
        total = 0
        for number, split in enumerate(self.ours.splits):
            columns = [batch.column(TEXT) for batch in read_survivors(self.ours.run, split.unit, [TEXT])]
            self.peer.put_signatures(number, signed(columns))
            total += sum(pc.sum(pc.binary_length(column)).as_py() for column in columns)
        return total / 1e6

    def _share(self, texts: Sequence[str], name: str) -> float:
        """CPU seconds that datatrove's first stage takes for some texts."""
        run = RunFolder(f"{self.folder}/share-{name}")
        write_survivors(run, "00", texts)
        stages = PeerStages(run.uri("work/survivors"))
        (spent,) = timed(stages.sign).values()
        self.same &= stages.signature_files() == signature_files(0, signed([pa.array(texts)]))
        return spent

    def ours_once(self) -> Stages:
        """Our stages, from the beginning."""
        self.ours.forget()
        return timed(self.ours.sign, self.ours.deduplicate, self.ours.drop)

    def peer_once(self, number: int) -> Stages:
        """datatrove's stages, the first on a share: each document once in all rounds, from each copy as many."""
        pool = noise_words(self.texts)
        drawn = range(number, len(self.texts), ROUNDS)
        share = [copy_of(self.texts[document], document, document % COPIES, pool) for document in drawn]
        signing = self.megabytes / megabytes(share) * self._share(share, str(number))
        return {"sign": signing} | timed(self.peer.bucket, self.peer.cluster, self.peer.drop)


def quality_of_pairs(engine: Engine, altered: Path, pairs: Path, folder: str) -> Quality:
    """Deduplicates the altered copies and compares with all pairs that are similar."""
    with gzip.open(altered) as lines:
        rows = [json.loads(line) for line in lines]
    run = RunFolder(folder)
    ours = Ours(engine, run, [write_survivors(run, "00", (row["text"] for row in rows))])
    timed(ours.sign, ours.deduplicate)
    return quality(kept_for(run, ours.splits, [row["id"] for row in rows]), listed_similarities(pairs))


def show(race: Race, ours: Sequence[Stages], peer: Sequence[Stages]) -> float:
    """A table of medians. Gives the ratio."""
    table = Table(title=f"dedup: CPU seconds for {race.megabytes:.0f} MB, medians of {ROUNDS}", title_justify="left")
    for name in ("ours", "CPU s", "datatrove", "CPU s "):
        table.add_column(name, justify="right" if name.startswith("CPU") else "left")
    sides = [[(name, statistics.median(turn[name] for turn in turns)) for name in turns[0]] for turns in (ours, peer)]
    sums = [statistics.median(sum(turn.values()) for turn in turns) for turns in (ours, peer)]
    for (name, spent), (other, others) in zip_longest(*sides, fillvalue=("", 0.0)):
        table.add_row(name, f"{spent:.2f}" if name else "", other, f"{others:.2f}" if other else "")
    table.add_section()
    table.add_row("all", f"{sums[0]:.2f}", "all", f"{sums[1]:.2f}")
    output.print(table)
    output.print(
        f"not counted: {race.start:.1f} CPU s that ours takes to start, load kernels and do 600 documents; "
        f"datatrove's signatures {'are' if race.same else 'ARE NOT'} the same bytes",
        highlight=False,
        soft_wrap=True,
    )
    return sums[1] / sums[0]


def main(
    corpus: Annotated[str, typer.Option(help="JSONL with a text in each line; default: composed pages.")] = "",
    folder: Annotated[str, typer.Option(help="For temporary files.")] = "",
) -> None:
    """Compare costs, then measure quality."""
    texts = documents(corpus)
    with tempfile.TemporaryDirectory(dir=folder or None) as place, status.status("") as line:
        engine = LocalEngine(f"{place}/scratch", workers=1)
        try:
            line.update("writing the corpus")
            race, ours, peer = Race(engine, texts, place), list[Stages](), list[Stages]()
            for number in range(ROUNDS):
                line.update(f"round {number + 1} of {ROUNDS}")
                ours.append(race.ours_once())
                peer.append(race.peer_once(number))
            altered, pairs = (Path(corpus).parent / name for name in ("dedup_en.jsonl.gz", "dedup_pairs.tsv"))
            known = bool(corpus) and altered.exists() and pairs.exists()
            found = quality_of_pairs(engine, altered, pairs, f"{place}/quality") if known else None
        finally:
            engine.close()
    ratio = show(race, ours, peer)
    told = f"precision={found.precision:.4f} missed={found.missed:.4f}" if found else "precision=none missed=none"
    output.print(f"dedup ratio={ratio:.0f} {told}", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    command.run(main)
