"""Small runs over composed pages, made in this process in a second or less, and their shards read by plain pyarrow and numpy."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from curation.engines.engine import Engine
from curation.pipeline.curate import curate
from curation.recipes.load import parse_recipe
from curation.recipes.model import Recipe
from tests.dedup.planted import words
from tests.dedup.runs import Here

FILES, PAGES = 6, 30
HELD_OUT = {"validation": 0.1, "test": 0.2}
BY_WORDS = {"quality": {"measure": "words", "edges": [30, 45]}}


def write_pages(
    folder: Path, first_file: int = 0, files: int = FILES, address: str = "http://site{n}.example/"
) -> None:
    """JSONL files of pages of 20 to 56 words; every seventh has no URL. The same numbers give the same pages."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in range(first_file, first_file + files):
        numbers = range(PAGES * file, PAGES * (file + 1))
        rows = [{"url": address.format(n=n) if n % 7 else "", "text": text_of(n)} for n in numbers]
        (folder / f"{file:02d}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def text_of(number: int) -> str:
    return " ".join(words(20 + number % 37, number))


def recipe(**tokenize: Any) -> Recipe:
    """Documents of fewer than 22 words are dropped, so that rows and survivors are not the same."""
    rules = [{"measure": "words", "min": 22, "reason": "short"}]
    told = {"vocabulary": 300, "shard_tokens": 3000, "engine": "reference", **tokenize}
    return parse_recipe(
        {"recipe": "r", "filters": [{"length": rules}], "dedup": {"exact": True}, "tokenize": told}, "r"
    )


def curated(
    run: Path, inputs: str | Sequence[str], engine: Engine | None = None, batch_documents: int = 256, **tokenize: Any
) -> Path:
    """A run over folders of pages."""
    patterns = [inputs] if isinstance(inputs, str) else list(inputs)
    curate(recipe(**tokenize), patterns, str(run), engine=engine or Here(), batch_documents=batch_documents)
    return run


class Ends(Here):
    """An engine that ends within a stage, when some of its tasks are done."""

    def __init__(self, task: str, after: int) -> None:
        super().__init__()
        self.task, self.after = task, after

    def map(self, task: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        for number, result in super().map(task, items):
            if type(task).__name__ == self.task and number == self.after:
                raise KeyboardInterrupt
            yield number, result


@dataclass(frozen=True)
class Held:
    """A document as a shard holds it."""

    shard: str
    part: str
    doc_id: bytes
    first_token: int
    split: str
    row: int
    tokens: tuple[int, ...]


def shards(run: Path) -> list[dict[str, Any]]:
    """The manifest's rows."""
    rows: list[dict[str, Any]] = json.loads((run / "manifest.json").read_text())["shards"]
    return rows


def held(run: Path) -> list[Held]:
    """All documents in shards, in order."""
    found = []
    for shard in shards(run):
        path = run / "shards" / shard["shard"]
        tokens = np.fromfile(f"{path}.bin", shard["dtype"]).tolist()
        for row in pq.read_table(f"{path}.docs.parquet").to_pylist():
            own = tokens[row["first_token"] : row["first_token"] + row["tokens"]]
            place = row["doc_id"], row["first_token"], row["split"], row["row"]
            found.append(Held(shard["shard"], shard["part"], *place, tuple(own)))
    return found
