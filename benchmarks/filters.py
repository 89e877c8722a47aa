"""The four filters of FineWeb (Gopher repetition, Gopher quality, C4, FineWeb), each on the untouched text, against datatrove.

    python -m benchmarks.filters                                   on composed pages
    python -m benchmarks.filters --corpus documents.jsonl.gz       on your own

Both sides have the texts in memory, ours as an Arrow column in batches of 256, datatrove's as strings.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated

import pyarrow as pa
import typer

from benchmarks.corpora import documents
from benchmarks.peer import Decision, Peer
from benchmarks.rounds import cold as print_cold
from benchmarks.rounds import race
from curation.quality.c4 import C4
from curation.quality.rules import RuleFilter
from curation.recipes.load import load_recipe
from curation.run.documents import REASON, TEXT, Step
from jobs import command

BATCH = 256
WARM_UP = "Some words. And, once more, [1] some words!\n\nThat is all of it."


def steps() -> list[Step]:
    """The filters with datatrove's defaults, in the peer's order."""
    rules = {step.name: step for step in load_recipe("fineweb").filter_steps if isinstance(step, RuleFilter)}
    return [rules["gopher_repetition"], rules["gopher_quality"], rules["fineweb"], C4()]


def batches(texts: Sequence[str]) -> list[pa.RecordBatch]:
    """The texts as document batches with nothing but text."""
    parts = [texts[start : start + BATCH] for start in range(0, len(texts), BATCH)]
    return [pa.record_batch({TEXT: pa.array(part, pa.string())}) for part in parts]


def judge(filters: Sequence[Step], given: Sequence[pa.RecordBatch]) -> list[list[pa.RecordBatch]]:
    """What each filter makes of each batch."""
    return [[step(batch) for step in filters] for batch in given]


def decisions(judged: Sequence[Sequence[pa.RecordBatch]]) -> list[Decision]:
    """Document by document, in the peer's form."""
    found: list[Decision] = []
    for results in judged:
        reasons = [result.column(REASON).to_pylist() for result in results]
        left = [None if reason else text for reason, text in zip(reasons[-1], results[-1].column(TEXT).to_pylist())]
        found += zip(*reasons, left, strict=True)
    return found


def main(
    corpus: Annotated[str, typer.Option(help="JSONL with a text in each line; default: composed pages.")] = "",
    cold: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Compare speeds and decisions."""
    filters = steps()
    texts = documents(corpus)
    given = batches(texts)
    if cold:
        before = time.process_time()
        judge(filters, batches([WARM_UP]))
        return print_cold(time.process_time() - before, lambda: judge(filters, given))
    peer = Peer()
    expected: dict[str, Decision] = {}
    speeds = race(
        "benchmarks.filters",
        corpus,
        lambda: judge(filters, given),
        lambda part: expected.update((text, peer.decide(text)) for text in part),
    )
    ours = decisions(judge(filters, given))
    agreed = sum(decision == expected[text] for text, decision in zip(texts, ours, strict=True))
    speeds.show("filters: four filters, verdicts, reasons and texts", f"{agreed}/{len(texts)}")


if __name__ == "__main__":
    command.run(main)
