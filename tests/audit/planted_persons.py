"""A corpus in which persons are planted among ordinary pages: each with a page of their own, copies, and near copies."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from tokenizers import Tokenizer

from curation.audit.erase.erasing import erasing
from curation.audit.erase.proof import Proof, prove
from curation.audit.erase.requests import Request, settled
from curation.pipeline.curate import curate
from curation.run.documents import document_id
from curation.sample.prose import Writer
from curation.sample.randomness import Draws
from tests.pipeline import prepared

FIRST = ("Asta", "Bruno", "Celia", "Dorin", "Edda", "Falk", "Gisla", "Hanno", "Ilka", "Jorun")
WORDS = 220
FILES = ("web/0.jsonl", "web/1.jsonl", "web/2.jsonl", "books/0.jsonl")  # persons are in the first two


@dataclass
class Person:
    """One person. `pages` are the ids of all pages that are to go with them, kept or not, `requests` what they may ask."""

    name: str
    domain: str
    pages: list[bytes] = field(default_factory=list)
    requests: dict[str, str] = field(default_factory=dict)


@dataclass
class Planted:
    """The corpus: its folder, its persons, and the ids of the ordinary pages."""

    folder: Path
    persons: list[Person]
    ordinary: list[bytes] = field(default_factory=list)

    @property
    def inputs(self) -> list[str]:
        """As `curate` takes them."""
        return [f"{source}={self.folder}/{source}/*.jsonl" for source in ("web", "books")]

    @property
    def ids(self) -> set[bytes]:
        """Of all pages that are to go."""
        return {page for person in self.persons for page in person.pages}

    def requests(self) -> list[dict[str, str]]:
        """One for each person: by address, domain, id, text and pattern in turn."""
        kinds = ("url", "domain", "doc_id", "text", "pattern")
        return [{kind: person.requests[kind]} for person, kind in zip(self.persons, kinds * len(self.persons))]


def write(folder: Path, persons: int = 100, ordinary: int = 60, seed: int = 3) -> Planted:
    """The corpus. Ordinary pages are as many again in the files without persons."""
    corpus = Planted(folder, [])
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in FILES}

    def add(name: str, url: str, text: str, **more: str) -> bytes:
        row = {"url": url, "text": text, "timestamp": "2024-05-06T07:08:09Z", **more}
        rows[name].append(row)
        source, archive = name.split("/")
        return document_id(source, archive, len(rows[name]) - 1)

    for number in range(persons):
        plant(corpus, add, number, random.Random(f"{seed} {number}"))
        if number < ordinary:
            text = prose(f"ordinary {seed} {number}")
            url = f"https://plain{number}.example/{FIRST[number % 10].lower()}"
            corpus.ordinary.append(add(FILES[number % 2], url, text))
    for number in range(ordinary):
        text = prose(f"elsewhere {seed} {number}")
        corpus.ordinary.append(add(FILES[2 + number % 2], f"https://other{number}.example/page", text))
    for name, of_file in rows.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in of_file))
    return corpus


def plant(corpus: Planted, add: Any, number: int, draw: random.Random) -> None:
    """One person's page, and by turns: an exact copy, a near copy that deduplication removes, one that it keeps, nameless."""
    name = f"{FIRST[number % 10]} Vexholm{number:03d}ski"
    person = Person(name, f"vexholm{number:03d}ski.example")
    url, words = f"https://www.{person.domain}/about?x=1", prose(f"person {number}").split()
    places = sorted(draw.sample(range(20, len(words) - 20), 3))
    for place in places:
        words[place] = f"{words[place]} {name},"
    text, file = " ".join(words), FILES[number % 2]
    person.pages.append(add(file, url, text, note=f"written by {name}"))
    person.requests = {"url": f"http://{person.domain}/about/?x=1", "domain": person.domain, "text": text}
    person.requests |= {"doc_id": person.pages[0].hex(), "pattern": rf"(?i){name.upper()}\b"}
    if number % 3 == 0:
        person.pages.append(
            add(FILES[(number + 1) % 2], f"https://mirror{number}.example/{person.domain}", f"{text}\n")
        )
    if number % 2 == 0:
        changed = [*words]
        changed[10] = "altered"
        person.pages.append(add(file, f"https://copy{number}.example/vexholm", " ".join(changed)))
    nameless = " ".join(words).replace(f" {name},", "").split()
    nameless[len(nameless) // 2] = "altered"
    person.pages.append(add(FILES[(number + 1) % 2], f"https://quoted{number}.example/text", " ".join(nameless)))
    corpus.persons.append(person)


def prose(seed: str) -> str:
    """Some WORDS words and the rest of a paragraph."""
    writer, words = Writer(Draws(1, seed, 0)), list[str]()
    while len(words) < WORDS:
        words += writer.paragraph().split()
    return " ".join(words)


RECIPE = """
recipe: planted
filters: []
dedup: {{exact: true, minhash: {{target: 0.95}}, index: true}}
redact: []
erased: [{erased}]
tokenize: {{tokenizer: {tokenizer}, vocabulary: 600, shard_tokens: 5000}}
"""


@cache
def planted_run(base: Path) -> tuple[Planted, Path]:
    """The corpus, and a finished run of it; not to be changed."""
    corpus = write(base / "persons")
    curated(base, corpus, base / "planted")
    return corpus, base / "planted"


def curated(base: Path, corpus: Planted, run: Path, tokenizer: str = "train", erased: str = "") -> None:
    """A run of the corpus."""
    recipe = run.with_suffix(".yaml")
    recipe.write_text(RECIPE.format(tokenizer=tokenizer, erased=erased))
    curate(str(recipe), corpus.inputs, str(run), engine=prepared.engine(base))


def erase(run: Path, requests: list[dict[str, str]], date: str = "2026-01-02") -> tuple[str | None, Proof]:
    """Erases and proves, as the command does."""
    asked = settled(Request(kind, value) for one in requests for kind, value in one.items())  # type: ignore[arg-type]
    with erasing(str(run), asked) as erasure:
        number = erasure.apply(erasure.find(), date)
        return number, prove(erasure)


def ids_of(run: Path) -> set[bytes]:
    """The documents that a run keeps, by its files of text."""
    files = (run / "documents").rglob("*.parquet")
    return {doc_id for path in files for doc_id in pq.read_table(path)["doc_id"].to_pylist()}


def everything_written(run: Path) -> Iterator[tuple[str, str]]:
    """All files of a run but its tokenizer as text: Parquet row by row, shards decoded, by nothing of the project."""
    tokenizer = Tokenizer.from_file(str(run / "tokenizer.json"))
    for path in sorted(path for path in run.rglob("*") if path.is_file() and path.name != "tokenizer.json"):
        name = path.relative_to(run).as_posix()
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            yield name, f"{table.to_pylist()!r} {table.schema.metadata!r}"
        elif path.suffix == ".bin":
            tokens = np.fromfile(path, "<u2").tolist()
            yield name, tokenizer.decode(tokens, skip_special_tokens=True)
        elif path.suffix != ".idx":
            yield name, path.read_text()
