"""Writes a sample: the crawl, the truth about it, evaluation items and labelled texts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.errors import UserError
from curation.sample import faults, records
from curation.sample.evaluation import ITEMS, item_id, item_text
from curation.sample.exchanges import exchange
from curation.sample.pages import Page, Place
from curation.sample.populations import POPULATIONS, compose, prose
from curation.sample.prose import Writer
from curation.sample.randomness import Draws
from curation.sample.truth import SCHEMA, row

LABELS = 400
BAD = (
    faults.keyword_list,
    faults.repeated_phrase,
    faults.hashtags,
    faults.headlines,
    faults.repeated_lines,
    faults.teasers,
)


@dataclass(frozen=True, slots=True)
class SampleSummary:
    """What was written: counts of pages by fate and by population, files, and bytes of the crawl."""

    pages: int
    files: int
    bytes: int
    fates: dict[str, int]
    populations: dict[str, int]


def write_sample(
    folder: Path,
    pages: int,
    seed: int,
    pages_per_file: int = 1000,
    progress: Callable[[int], None] | None = None,
) -> SampleSummary:
    """Writes a crawl of `pages` pages, and one more cut off at the end of the last file, into `folder`.

    The same arguments give the same bytes; memory does not grow with `pages`. `progress` is called with the number of
    pages done, about every hundred. Raises UserError where the arguments make no sense or the folder is not empty.
    """
    if pages < 1 or pages_per_file < 1 or seed < 0:
        raise UserError(
            f"A sample needs at least one page, one page a file and a seed from 0; "
            f"got pages={pages}, pages_per_file={pages_per_file}, seed={seed}."
        )
    if folder.exists() and any(folder.iterdir()):
        raise UserError(f"The folder for the sample is not empty: {folder}. Name a new one.")
    for name in ("crawl", "truth"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    fates: Counter[str] = Counter()
    populations: Counter[str] = Counter()
    size = files = 0
    for first in range(0, pages, pages_per_file):
        stop = min(first + pages_per_file, pages)
        rows = write_file(folder, files, range(first, stop), seed, stop == pages, progress)
        fates.update(r["fate"] for r in rows)
        populations.update(r["population"] for r in rows)
        pq.write_table(
            pa.Table.from_pylist(rows, SCHEMA), folder / "truth" / f"{files:05d}.parquet", compression="zstd"
        )
        size += (folder / "crawl" / f"{files:05d}.warc.gz").stat().st_size
        files += 1
    write_lines(folder / "evaluation.jsonl", evaluation_items(seed))
    write_lines(folder / "labels.jsonl", labelled_texts(seed))
    readme = (Path(__file__).parent / "readme.txt").read_text(encoding="utf-8")
    (folder / "README.md").write_text(
        readme.format(pages=pages, seed=seed, pages_per_file=pages_per_file), encoding="utf-8", newline="\n"
    )
    return SampleSummary(pages, files, size, dict(sorted(fates.items())), dict(sorted(populations.items())))


def write_file(
    folder: Path, index: int, numbers: range, seed: int, last: bool, progress: Callable[[int], None] | None
) -> list[dict[str, Any]]:
    """One WARC file; gives the truth's rows for it."""
    name = f"{index:05d}.warc.gz"
    rows: list[dict[str, Any]] = []
    with (folder / "crawl" / name).open("wb") as out:
        out.write(records.warcinfo(seed, name, records.crawl_date(seed, numbers.start)))
        for number in numbers:
            population, page = compose(seed, number)
            sent = exchange(seed, number, page)
            out.write(sent.request)
            rows.append(row(seed, population, page, name, out.tell(), sent.url))
            out.write(sent.response)
            out.write(sent.metadata)
            if progress and (number + 1) % 100 == 0:
                progress(number + 1)
        if last:
            rows += write_cut_record(out, name, seed, numbers.stop)
            if progress:
                progress(numbers.stop)
    return rows


def write_cut_record(out: BinaryIO, name: str, seed: int, number: int) -> list[dict[str, Any]]:
    """Half of a response, as a broken transfer leaves it. Truth: the record is cut, and the archive ends too early."""
    page = prose(Place.of(seed, number, "cut"))
    sent = exchange(seed, number, page)
    cut = replace(POPULATIONS[0], name="cut_record", fate="quarantined", step="read", reason="truncated_payload")
    rows = [row(seed, cut, page, name, out.tell(), sent.url)]
    out.write(sent.response[: len(sent.response) // 2])
    end = replace(cut, name="cut_archive", reason="truncated_archive")
    return [*rows, row(seed, end, Page(), name, out.tell(), "")]


def evaluation_items(seed: int) -> Iterator[dict[str, str]]:
    """The items that contaminated pages hold."""
    for number in range(ITEMS):
        yield {"id": item_id(number), "text": item_text(seed, number)}


def labelled_texts(seed: int) -> Iterator[dict[str, str]]:
    """Good prose and bad pages in turn."""
    for number in range(LABELS):
        writer = Writer(Draws(seed, "label", number), focused=number % 2 == 0)
        if number % 2 == 0:
            text = "\n\n".join(writer.paragraph() for _ in range(3))
        else:
            text = BAD[number // 2 % len(BAD)](writer).main_text
        yield {"text": text, "label": "bad" if number % 2 else "good"}


def write_lines(path: Path, rows: Iterator[dict[str, str]]) -> None:
    """JSON, a row a line."""
    with path.open("w", encoding="utf-8", newline="\n") as out:
        for entry in rows:
            out.write(json.dumps(entry, ensure_ascii=False) + "\n")
