"""What is written: the same bytes for the same numbers, WARC that other readers take, truth for every response."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from fastwarc.warc import ArchiveIterator

from connectors.errors import UserError
from connectors.readers import reader_for
from connectors.records import Limits
from curation.sample import write_sample
from curation.sample.populations import BLOCK, POPULATIONS, compose, population_of


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_same_numbers_give_same_bytes(tmp_path: Path) -> None:
    first = write_sample(tmp_path / "a", 130, 3, pages_per_file=50)
    again = write_sample(tmp_path / "b", 130, 3, pages_per_file=50)
    assert files_of(tmp_path / "a") == files_of(tmp_path / "b")
    assert first == again and first.files == 3
    write_sample(tmp_path / "c", 130, 4, pages_per_file=50)
    assert files_of(tmp_path / "c")["crawl/00000.warc.gz"] != files_of(tmp_path / "a")["crawl/00000.warc.gz"]


def test_a_smaller_sample_is_the_beginning_of_a_larger_one(tmp_path: Path) -> None:
    write_sample(tmp_path / "small", 100, 5, pages_per_file=50)
    write_sample(tmp_path / "large", 200, 5, pages_per_file=50)
    small, large = files_of(tmp_path / "small"), files_of(tmp_path / "large")
    assert small["crawl/00000.warc.gz"] == large["crawl/00000.warc.gz"]
    assert small["truth/00000.parquet"] == large["truth/00000.parquet"]
    # the last file of the small one has a cut record behind the pages that both have
    whole = large["crawl/00001.warc.gz"]
    assert small["crawl/00001.warc.gz"].startswith(whole) and len(small["crawl/00001.warc.gz"]) > len(whole)


def test_pages_do_not_depend_on_what_was_composed_before() -> None:
    later = compose(9, 777)
    for number in (3, 500, 776):
        compose(9, number)
    assert compose(9, 777) == later


def test_each_block_holds_every_population_with_its_share() -> None:
    for block in (0, 7):
        found = Counter(population_of(2, block * BLOCK + i).name for i in range(BLOCK))
        assert found == {population.name: population.share for population in POPULATIONS}


def test_progress_ends_at_the_number_of_pages(tmp_path: Path) -> None:
    seen: list[int] = []
    write_sample(tmp_path / "a", 250, 1, progress=seen.append)
    assert seen == [100, 200, 250]


@pytest.mark.parametrize("numbers", [(0, 1, 10), (5, -1, 10), (5, 1, 0)])
def test_senseless_numbers_are_refused(tmp_path: Path, numbers: tuple[int, int, int]) -> None:
    with pytest.raises(UserError, match="at least one page"):
        write_sample(tmp_path / "a", *numbers)


def test_a_full_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(UserError, match="not empty"):
        write_sample(tmp_path, 5, 1)


def test_warc_is_read_by_fastwarc_and_truth_names_every_response(sample: Path, truth: list[dict[str, Any]]) -> None:
    found = {}
    kinds: Counter[str] = Counter()
    for path in sorted((sample / "crawl").iterdir()):
        for record in ArchiveIterator(str(path), verify_digests=True, parse_http=False):
            kinds[record.headers["WARC-Type"]] += 1
            if record.headers["WARC-Type"] in ("response", "revisit"):
                found[path.name, record.stream_pos] = record.headers["WARC-Target-URI"]
    whole = {(row["file"], row["offset"]): row["url"] for row in truth if "cut" not in row["population"]}
    assert whole.items() <= found.items()
    assert len(found) - len(whole) in (0, 1)  # FastWARC may show what is left of the cut record
    assert kinds["warcinfo"] == 3
    assert kinds["request"] == kinds["metadata"] == 1000


def test_warc_is_read_by_warcio(sample: Path) -> None:
    archiveiterator = pytest.importorskip("warcio.archiveiterator")
    with (sample / "crawl" / "00000.warc.gz").open("rb") as stream:
        kinds = Counter(record.rec_type for record in archiveiterator.ArchiveIterator(stream, check_digests="raise"))
    assert kinds["response"] + kinds["revisit"] == kinds["request"] == kinds["metadata"] == 400


def test_our_reader_refuses_what_truth_says(sample: Path, truth: list[dict[str, Any]]) -> None:
    intended = {
        (row["file"], row["offset"]): (row["fate"], row["reason"]) if row["step"] == "read" else None for row in truth
    }
    read = {}
    for path in sorted((sample / "crawl").iterdir()):
        for record in reader_for(str(path))(str(path), Limits()):
            if record.refusal is None or record.refusal.reason != "not_a_response":
                verdict = record.refusal and (record.refusal.fate, record.refusal.reason)
                read[path.name, record.offset] = verdict
    assert read == intended
    assert {row["reason"] for row in truth if row["url"] == ""} == {"truncated_archive"}


def test_lines_beside_the_crawl(sample: Path) -> None:
    labels = [json.loads(line) for line in (sample / "labels.jsonl").read_text(encoding="utf-8").splitlines()]
    assert Counter(row["label"] for row in labels) == {"good": 200, "bad": 200}
    items = [json.loads(line) for line in (sample / "evaluation.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len({row["id"] for row in items}) == len({row["text"] for row in items}) == len(items)
    assert "seed=11" in (sample / "README.md").read_text(encoding="utf-8")
