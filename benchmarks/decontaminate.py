"""Evaluation items planted in documents, hard negatives beside them: precision and recall of each way, and the step's speed.

    python -m benchmarks.decontaminate --sets 'eval/*.jsonl.gz'                                on composed pages
    python -m benchmarks.decontaminate --sets 'eval/*.jsonl.gz' --corpus documents.jsonl.gz    on your own

A document is a positive if an item was planted in it as a whole, in one of five settings; a negative if nothing was, or one of
four things that look alike: a quotation of fewer words than any way's n-gram, a row of figures, a template with other words in
it, an item with its words in another order. Documents of the corpus that hold an item by themselves are counted apart.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import pyarrow as pa
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.corpora import documents, megabytes
from curation.decontaminate import Decontaminate
from curation.decontaminate.account import unchecked
from curation.decontaminate.items import Item, find_sets, read_items
from curation.decontaminate.ways import WAYS
from curation.run.documents import CONTAMINATION, TEXT
from curation.text.columns import shared_batch
from jobs import command

BATCH = 256
SEED = 16
POSITIVES, NEGATIVES = 1_500, 1_500
ROUNDS = 3
QUOTED = 7  # words: fewer than any way's n-gram
WORD = re.compile(r"[^\W_]+")  # what is left of a text without punctuation

SETTINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "capitals": str.upper,
    "punctuation": lambda text: re.sub(r"[.,;:?!]", " –", text),
    "line ends": lambda text: text.replace(" ", "\n"),
    "blanks": lambda text: text.replace(" ", " \u00a0 "),
}


class Planted(NamedTuple):
    """A document, and what was set into it: `positive` an item as a whole, else nothing or a hard negative of a kind."""

    text: str
    kind: str
    positive: bool


@dataclass
class Score:
    """Counts of one way."""

    found: int = 0
    missed: int = 0
    wrong: int = 0
    negatives: int = 0

    @property
    def precision(self) -> float:
        """Share of positives among what was found; 1 where nothing was."""
        return self.found / max(1, self.found + self.wrong) if self.found + self.wrong else 1.0

    @property
    def recall(self) -> float:
        """Share of the positives that was found."""
        return self.found / max(1, self.found + self.missed)


def negative(item: Item, draw: random.Random) -> tuple[str, str]:
    """Something that looks like an item and is none."""
    words = WORD.findall(item.text)
    kind = draw.choice(("quotation", "figures", "template", "other order"))
    if kind == "figures":
        return kind, " ".join(f"{draw.randrange(1, 999)} {draw.choice('+=×-')}" for _ in range(24))
    if kind == "quotation":
        first = draw.randrange(max(1, len(words) - QUOTED))
        return kind, " ".join(words[first : first + min(QUOTED, len(words) - 1)])
    if kind == "template":
        places = iter(range(1, len(words) + 1))
        return kind, WORD.sub(lambda word: word[0] if next(places) % QUOTED != 3 else "something", item.text)
    shuffled = draw.sample(words, len(words))
    return kind, " ".join(shuffled if shuffled != words else reversed(shuffled))


def plant(texts: Sequence[str], items: Sequence[Item]) -> list[Planted]:
    """Positives, hard negatives, and the rest of the documents as they are."""
    draw = random.Random(SEED)
    order = draw.sample(range(len(texts)), len(texts))
    planted = [Planted(text, "nothing", False) for text in texts]
    for number, row in enumerate(order[: POSITIVES + NEGATIVES]):
        text, item = texts[row], draw.choice(items)
        place = text.find(" ", draw.randrange(len(text) + 1)) + 1
        if number < POSITIVES:
            setting = draw.choice(list(SETTINGS))
            kind, part = setting, SETTINGS[setting](item.text)
        else:
            kind, part = negative(item, draw)
        planted[row] = Planted(f"{text[:place]}\n{part}\n{text[place:]}", kind, number < POSITIVES)
    return planted


def batches(texts: Sequence[str]) -> list[pa.RecordBatch]:
    """The texts as document batches with nothing but text."""
    return [pa.record_batch({TEXT: pa.array(texts[at : at + BATCH])}) for at in range(0, len(texts), BATCH)]


def is_found(step: Decontaminate, texts: Sequence[str]) -> list[bool]:
    """Whether a step finds an item in each text."""
    return [bool(items) for given in batches(texts) for items in step(given).column(CONTAMINATION).to_pylist()]


def score(planted: Iterable[Planted], found: Iterable[bool], by_kind: dict[str, list[int]]) -> Score:
    """The counts; `by_kind` gets found and all of each kind."""
    result = Score()
    for each, hit in zip(planted, found, strict=True):
        counts = by_kind.setdefault(("+ " if each.positive else "− ") + each.kind, [0, 0])
        counts[0], counts[1] = counts[0] + hit, counts[1] + 1
        result.found += each.positive and hit
        result.missed += each.positive and not hit
        result.wrong += hit and not each.positive
        result.negatives += not each.positive
    return result


def speeds(step: Decontaminate, texts: Sequence[str]) -> tuple[float, float]:
    """MB in a CPU second of the step behind steps that have cut the words already, and alone; the better of some rounds."""
    behind, alone = [], []
    for _ in range(ROUNDS):
        spent = whole = 0.0
        for given in batches(texts):
            started = time.process_time()
            cut, _ = shared_batch(given.column(TEXT))
            list(cut.segmented())
            middle = time.process_time()
            step(given)
            spent += time.process_time() - middle
            whole += time.process_time() - started
        behind.append(spent)
        alone.append(whole)
    size = megabytes(list(texts))
    return size / min(behind), size / min(alone)


def main(
    sets: Annotated[str, typer.Option(help="Evaluation sets: a glob of JSON lines or Parquet with id and text.")],
    corpus: Annotated[str, typer.Option(help="JSONL with a text in each line; default: composed pages.")] = "",
) -> None:
    """Plant items and count what is found."""
    texts = documents(corpus)
    items = [(each.name, item) for each in find_sets((sets,)) for item in read_items(each.path)]
    table = Table(
        "way",
        "n",
        "precision",
        "recall",
        "recall of checkable",
        "found in negatives",
        "MB/s",
        "alone",
        "bytes an n-gram",
    )
    by_way: dict[str, dict[str, list[int]]] = {}
    results: dict[str, tuple[Score, float]] = {}
    for way in WAYS:
        step = Decontaminate(sets=(sets,), way=way, action="record")  # type: ignore[arg-type]
        lost = {(name, item) for name, ids in unchecked(step.index, step.evaluation_sets).items() for item in ids}
        already = is_found(step, texts)
        clean = [text for text, hit in zip(texts, already, strict=True) if not hit]
        planted = plant(clean, [item for _, item in items])
        kinds = by_way[way] = {}
        result = score(planted, is_found(step, [each.text for each in planted]), kinds)
        sound = plant(clean, [item for name, item in items if (name, item.id) not in lost])
        checkable = score(sound, is_found(step, [each.text for each in sound]), {})
        size = step.index.bytes / max(1, len(step.index.keys))
        behind, alone = speeds(step, texts)
        results[way] = result, behind
        table.add_row(
            way, str(step.ngram), f"{result.precision:.4f}", f"{result.recall:.4f}", f"{checkable.recall:.4f}",
            f"{result.wrong}/{result.negatives}, and {sum(already)} of {len(texts)} before planting",
            f"{behind:.0f}", f"{alone:.0f}", f"{size:.1f}",
        )  # fmt: skip
    console = Console(width=160)
    console.print(table)
    kinds_table = Table("set into a document", *by_way)
    for kind in sorted({kind for kinds in by_way.values() for kind in kinds}):
        shares = [f"{kinds[kind][0]}/{kinds[kind][1]}" if kind in kinds else "" for kinds in by_way.values()]
        kinds_table.add_row(kind, *shares)
    console.print(kinds_table)
    best, speed = results["gpt3"]
    print(f"decontaminate precision={best.precision:.4f} recall={best.recall:.4f} mb_per_s={speed:.1f}")


if __name__ == "__main__":
    command.run(main)
