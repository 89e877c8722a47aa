"""Removal rates and their alarm, counted again by plain Python over hand-written survivors and duplicates."""

from __future__ import annotations

import io
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from connectors.errors import UserError
from curation.audit.verify import verify
from curation.dedup.duplicates import DUPLICATES, REASONS
from curation.engines.local import LocalEngine
from curation.pipeline import removal_rates
from curation.pipeline.curate import curate
from curation.pipeline.refine import SURVIVORS
from curation.pipeline.removal_alarm import MOST_LINES, Rate, alarm_lines, read_rates, too_high, watch_removals
from curation.pipeline.removal_rates import domains_of, registered_domain
from curation.quality.blacklists import host_of
from curation.recipes.dedup import Alarm, Dedup
from curation.recipes.load import parse_recipe
from curation.run.folder import RunFolder
from curation.run.receipt import Receipt, Unbalanced
from tests.audit import composed
from tests.pipeline import ledger_of, prepared

COUNTS = ("documents", *REASONS, "elsewhere")
Counts = dict[tuple[str, str], list[int]]


class Here:
    """An engine that does all in this process."""

    name = "here"

    def map(self, task: Any, items: Any, alike: bool = False) -> Iterator[tuple[int, Any]]:
        yield from ((number, task(item)) for number, item in enumerate(items))

    def shuffle(self, emit: Any, items: Any, reduce: Any, partitions: int) -> Iterator[bytes]:
        blobs: dict[int, list[bytes]] = {}
        for item in items:
            for partition, blob in emit(item):
                assert 0 <= partition < partitions
                blobs.setdefault(partition, []).append(blob)
        yield from (reduce(partition, sorted(blobs[partition])) for partition in sorted(blobs))

    def close(self) -> None: ...


@dataclass
class Stage:
    """A folder as refine and dedup leave it, and what is true of it by domain (registered by hand)."""

    folder: RunFolder
    refined: list[Receipt]
    counts: Counts

    def watch(self, alarm: Alarm, engine: Any = None, console: Console | None = None) -> list[Rate]:
        dedup = Dedup(alarm=alarm)
        receipt = watch_removals(engine or Here(), self.folder, "plan", dedup, self.refined, console)
        (path,) = receipt.outputs
        return read_rates(self.folder.uri(path))


HOSTS = {
    "www.wide.com": "wide.com",
    "WIDE.com:8080": "wide.com",
    "user@a.b.shop.co.uk": "shop.co.uk",
    "192.0.2.7": "192.0.2.7",
    "co.uk": "co.uk",
    "localhost": "localhost",
    "wiped.example": "wiped.example",
}


def write_stage(folder: Path, seed: int, splits: int = 7, documents: int = 60, sites: int = 0) -> Stage:
    """Splits of two sources; all of `wiped.example` and nearly all of the source `copy` are duplicates."""
    draw = random.Random(seed)
    run = RunFolder(str(folder))
    counts: Counts = {}
    refined = []
    hosts = {**HOSTS, **{f"w.s{n}.org": f"s{n}.org" for n in range(sites)}}
    for number in range(splits):
        source = "web" if number < splits - 2 else "copy"
        unit = f"{source}/{number}.gz"
        size = documents if number != 2 else 0
        rows, removed = [], []
        for ordinal in range(size):
            host = draw.choice(list(hosts))
            lang = draw.choice(["en", "de", None])
            gone = host == "wiped.example" or draw.random() < (0.95 if source == "copy" else 0.2)
            reason = draw.choice(REASONS) if gone else ""
            elsewhere = gone and draw.random() < 0.3
            url = f"https://{host}/{draw.random()}?q=http://other.example/" if draw.random() < 0.95 else ""
            rows.append({"source": source, "url": url, "lang": lang, "doc_id": bytes(16), "row": ordinal, "offset": 0})
            for key in (("source", source), ("language", lang or ""), ("domain", hosts[host] if url else "")):
                mine = counts.setdefault(key, [0] * len(COUNTS))
                for i, one in enumerate((True, *(reason == name for name in REASONS), elsewhere)):
                    mine[i] += one
            if gone:
                removed.append({"ordinal": ordinal, "reason": reason, "kept": bytes(16), "elsewhere": elsewhere})
        full = [{**row, "archive": "", "date": "", "lang_score": None, "text": "", "meta": ""} for row in rows]
        written(folder / run.survivors(unit), pa.Table.from_pylist(full, SURVIVORS))
        if removed:
            written(folder / run.duplicates(unit), pa.Table.from_pylist(removed, DUPLICATES))
        refined.append(Receipt(unit, "plan", source, size, 0, {}, {}, {"survivors": size}, {}))
    return Stage(run, refined, counts)


def written(path: Path, table: pa.Table) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, row_group_size=17)


def counted(rates: list[Rate]) -> Counts:
    return {(rate.kind, rate.name): [getattr(rate, name) for name in COUNTS] for rate in rates}


@pytest.mark.parametrize("partitions", [1, 3])
def test_rates_are_those_that_plain_python_counts(
    tmp_path: Path, partitions: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal_rates, "DOCUMENTS_PER_PARTITION", 360 // partitions + 1)
    monkeypatch.setattr(removal_rates, "ROWS", 20)  # so that counts are added up in between
    stage = write_stage(tmp_path, seed=3)
    assert counted(stage.watch(Alarm())) == stage.counts
    assert stage.counts["domain", "wiped.example"][0] > 20


def test_the_same_bytes_from_processes_and_any_grouping(
    tmp_path: Path, engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = set()
    for name, opened, size in (("a", engine, 10**9), ("b", Here(), 10**9), ("c", Here(), 50)):
        monkeypatch.setattr(removal_rates, "DOCUMENTS_PER_TASK", size)
        stage = write_stage(tmp_path / name, seed=4)
        stage.watch(Alarm(), opened)
        contents.add((tmp_path / name / "ledger/removal_rates/removal_rates.parquet").read_bytes())
    assert len(contents) == 1


def test_of_very_many_domains_the_worst_and_the_largest_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Oracle: all domains sorted by plain Python; the bound holds however many partitions there are."""
    monkeypatch.setattr(removal_rates, "SHOWN", 5)
    monkeypatch.setattr(removal_rates, "DOCUMENTS_PER_PARTITION", 40)
    stage = write_stage(tmp_path, seed=5, documents=200, sites=60)
    found = counted(stage.watch(Alarm(documents=10)))
    domains = {name: row for (kind, name), row in stage.counts.items() if kind == "domain"}

    def share(name: str) -> float:
        return sum(domains[name][1:4]) / domains[name][0] if domains[name][0] >= 10 else -1

    worst = sorted(domains, key=lambda name: (-share(name), -domains[name][0], name))[:5]
    largest = sorted(domains, key=lambda name: (-domains[name][0], name))[:5]
    listed = {name for kind, name in found if kind == "domain"}
    assert listed == {*worst, *largest} and len(listed) < len(domains)
    assert all(found[key] == stage.counts[key] for key in found)
    assert {key for key in stage.counts if key[0] != "domain"} <= set(found)


def test_a_survivor_that_no_task_counted_is_an_error(tmp_path: Path) -> None:
    stage = write_stage(tmp_path, seed=6)
    stage.refined[0].facts["survivors"] += 1
    with pytest.raises(Unbalanced, match="361 survivors, 360 of them counted"):
        stage.watch(Alarm())


def test_nothing_survived(tmp_path: Path) -> None:
    assert write_stage(tmp_path, seed=7, documents=0).watch(Alarm()) == []


def said(stage: Stage, alarm: Alarm) -> str:
    console = Console(file=io.StringIO(), width=60)
    stage.watch(alarm, console=console)
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def test_the_alarm_names_what_loses_too_much_and_nothing_else(tmp_path: Path) -> None:
    stage = write_stage(tmp_path, seed=8)
    lines = said(stage, Alarm(documents=30)).splitlines()
    high = {key for key, row in stage.counts.items() if row[0] >= 30 and sum(row[1:4]) / row[0] > 0.9}
    assert high == {("source", "copy"), ("domain", "wiped.example")}
    assert lines[0].startswith("ALARM: deduplication takes more than 90 % ") and len(lines) == 4
    n, *removed, _ = stage.counts["domain", "wiped.example"]
    assert lines[2].startswith(f"  domain   wiped.example: 100.0 % of {n} documents (url {removed[0]}, exact ")
    assert "  source   copy: 9" in lines[1] and "for a document of an earlier run" in lines[1]
    assert said(stage, Alarm(documents=30, share=1.0)) == "" and said(stage, Alarm(documents=1000)) == ""


def test_the_run_stops_where_it_is_told_to_and_goes_on_by_a_larger_share(tmp_path: Path) -> None:
    stage = write_stage(tmp_path, seed=8)
    with pytest.raises(
        UserError, match=r"^Deduplication takes 9\d\.\d % of the source 'copy' \(11\d of 120 documents\)"
    ):
        stage.watch(Alarm(documents=30, stop=True))
    receipt = tmp_path / "receipts/removal_rates/removal_rates.json"
    before = receipt.stat().st_mtime_ns
    assert stage.watch(Alarm(documents=30, stop=True, share=1.0))
    assert receipt.stat().st_mtime_ns == before  # nothing is counted twice


def test_share_and_stop_are_no_part_of_the_plan_and_the_number_of_documents_is() -> None:
    def digest(**alarm: Any) -> str:
        return parse_recipe({"recipe": "r", "dedup": {"alarm": alarm}}, "r").digest()

    assert digest() == digest(share=0.5, stop=True) != digest(documents=10)
    with pytest.raises(UserError, match="Did you mean 'share'"):
        digest(shares=0.5)
    with pytest.raises(UserError, match="dedup.alarm.share"):
        digest(share=90)


def test_a_name_from_the_web_cannot_steer_the_terminal() -> None:
    rates = [Rate("domain", f"a\x1b[31m\u202e{n}.example", 2000, 0, 1999, 0, 0) for n in range(MOST_LINES + 3)]
    lines = alarm_lines(too_high(rates, Alarm()), Alarm(), "ledger/x")
    assert all(line.isprintable() for line in lines)
    assert "99.9 % of 2,000 documents (exact 1,999)" in lines[1] and lines[-2] == "  domain   and 3 more, see ledger/x"


def test_documents_without_a_domain_or_language_raise_no_alarm_of_their_own() -> None:
    rates = [Rate(kind, "", 5000, 0, 5000, 0, 0) for kind in ("language", "domain")]
    assert too_high(rates, Alarm()) == []


PARTS = st.sampled_from(
    ["http", "://", "//", "/", "?", "#", "@", ":", "80", "[", "]", ".", "a", "B.co.uk", "é", "\n", " "]
)


@given(st.lists(PARTS, max_size=9).map("".join))
def test_the_host_of_an_address_is_that_of_its_part_before_the_path(url: str) -> None:
    """Oracle: `host_of` of the whole address, as the URL filter reads it."""
    (domain,) = domains_of(pa.array([url])).to_pylist()
    assert domain == registered_domain(host_of(url))


def test_registered_domains() -> None:
    urls = ["https://a.B.example.co.uk/x", "http://[2001:db8::1]:80/", "https://" + "a." * 5000 + "com/", "", "x"]
    found = domains_of(pa.array(urls)).to_pylist()
    assert found[:2] == ["example.co.uk", "[2001:db8::1]"] and len(found[2]) <= 253 and found[3:] == ["", "x"]
    assert Counter(found)[""] == 1


def test_the_rates_of_a_run_are_those_of_its_ledger(light_run: Path) -> None:
    """Oracle: fates and addresses by plain Python; the sample's sites are whole hosts under reserved names."""
    fates = ledger_of.fates(light_run)
    counts: Counts = {}
    for row in ledger_of.table(light_run, "records").to_pylist():
        fate = fates[row["doc_id"]]
        if fate["fate"] == "duplicate" or fate["fate"] == "kept":
            for key in (("source", row["source"]), ("language", ""), ("domain", urlsplit(row["url"]).hostname or "")):
                mine = counts.setdefault(key, [0] * len(COUNTS))
                mine[0] += 1
                if fate["fate"] == "duplicate":
                    mine[1 + REASONS.index(fate["reason"])] += 1
    found = counted(read_rates(f"{light_run}/ledger/removal_rates/removal_rates.parquet"))
    assert found == counts and sum(found["source", "crawl"][1:4]) > 5


def test_the_alarm_stops_a_run_before_it_is_tokenized_and_the_run_goes_on(
    tmp_path: Path, light_recipe: Path, engine: LocalEngine
) -> None:
    composed.write(tmp_path / "web" / "pages.warc.gz")

    def run(name: str, *changes: str) -> None:
        small = ["tokenize.vocabulary=300", "dedup.alarm.documents=1", *changes]
        curate(str(light_recipe), str(tmp_path / "web"), str(tmp_path / name), engine=engine, changes=small)

    with pytest.raises(UserError, match=r"takes 100.0 % of the domain 'copy.example' \(1 of 1 documents\)"):
        run("stopped", "dedup.alarm.stop=true")
    there = {path.name for path in (tmp_path / "stopped" / "receipts").iterdir()}
    assert there == {"refine", "dedup", "removal_rates"}
    run("stopped", "dedup.alarm.stop=true", "dedup.alarm.share=1")
    run("whole")
    assert prepared.content(tmp_path / "stopped") == prepared.content(tmp_path / "whole")
    assert verify(str(tmp_path / "stopped")) == []
    (tmp_path / "stopped/ledger/removal_rates/removal_rates.parquet").unlink()
    assert list(map(str, verify(str(tmp_path / "stopped")))) == [
        "ledger/removal_rates/removal_rates.parquet is missing"
    ]
