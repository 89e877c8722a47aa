"""The panels on deduplication against rows written by hand, counted by plain Python."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

from curation.audit.duplicates import wilson
from curation.report.markup import escape
from curation.report.panels import differences, duplicates
from curation.report.tables import open_tables
from tests.audit import deduplicated
from tests.audit.deduplicated import TARGET, Written
from tests.report.reading import Page, number, parse, read_page


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return deduplicated.write(tmp_path_factory.mktemp("deduplicated"))


@pytest.fixture(scope="module")
def page(written: Written) -> Page:
    return read_page(written.folder)


def test_counts_by_reason(written: Written, page: Page) -> None:
    reasons = Counter(row["reason"] for row in written.fates if row["fate"] == "duplicate")
    clusters = {row["duplicate_of"] for row in written.fates if row["fate"] == "duplicate"}
    words = (
        f"{reasons.total()} duplicates of {len(clusters)} kept documents: {reasons['url']} of the same page, "
        f"{reasons['exact']} with the same text, {reasons['minhash']} similar"
    )
    assert words in page.sections["duplicates"]


def test_precision_is_the_share_of_drawn_pairs_that_reach_the_target(written: Written, page: Page) -> None:
    """A Jaccard of exactly the target reaches it, though the ledger has it in single precision."""
    right = sum(row["jaccard"] >= TARGET for row in written.near)
    drawn = len(written.near)
    assert 0 < right < drawn and any(row["jaccard"] == TARGET for row in written.near)
    low, high = wilson(right, drawn)
    words = f"Precision: {100 * right / drawn:.1f} % ({100 * low:.1f} % to {100 * high:.1f} % with 95 % confidence)"
    assert words in page.sections["duplicates"]
    assert f"Of {drawn} near duplicates drawn by hash, {right} have a true" in page.sections["duplicates"]


def test_the_histogram_counts_what_lies_below_the_target(written: Written, page: Page) -> None:
    near = [row for row in written.fates if row.get("reason") == "minhash"]
    below = sum(np.float32(row["similarity"]) < np.float32(TARGET) for row in near)
    assert f"{len(near)} near duplicates, similarity" in page.sections["duplicates"]
    assert f"; {below} below 0.8" in page.sections["duplicates"] and below
    assert "joined to its cluster" not in page.sections["duplicates"]


def test_the_largest_clusters_with_their_members_by_source(written: Written, page: Page) -> None:
    source = {row["doc_id"]: row["source"] for row in written.records}
    members: dict[bytes, list[bytes]] = defaultdict(list)
    for row in written.fates:
        if row["fate"] == "duplicate":
            members[row["duplicate_of"]].append(row["doc_id"])
    largest = sorted(members, key=lambda kept: (-len(members[kept]), kept))[: duplicates.LARGEST]
    assert any(kept not in source for kept in largest)  # an earlier run's
    text = page.sections["duplicates"]
    for kept in largest:
        where = "" if kept in source else " in an earlier run"
        name = parse(f"<section id=x>{escape(written.url_of(kept), 100)}</section>").sections["x"]
        after = text[text.index(f"{len(members[kept]) + 1} documents, kept{where}: {name}") :]
        counted = Counter(source[doc_id] for doc_id in members[kept])
        listed = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
        assert re.search(r"By source: (.*?)\.", after)[1] == ", ".join(f"{n} {k}" for n, k in listed)  # type: ignore[index]


def test_removal_rates_are_those_of_the_ledger(written: Written, page: Page) -> None:
    for kind, caption in (("source", "Removed from each source"), ("domain", "Removed from the largest domains")):
        shown = page.figures(caption)
        rows = [row for row in written.rates if row["kind"] == kind]
        assert len(shown) == len(rows)
        for row in rows:
            documents, removed, _, share, *reasons = shown[row["name"].replace("\u202e", "U+202E")]
            total = row["url"] + row["exact"] + row["minhash"]
            assert (number(documents), number(removed)) == (row["documents"], total)
            assert share == f"{100 * total / row['documents']:.1f} %"
            assert [number(cell) for cell in reasons] == [row[n] for n in ("url", "exact", "minhash", "elsewhere")]
    shares = [float(row[3].rstrip(" %")) for row in page.figures("Removed from each source").values()]
    assert shares == sorted(shares, reverse=True)


def test_pairs_are_shown_least_similar_first_and_only_those_that_have_both_texts(written: Written) -> None:
    own = {row["doc_id"] for row in written.records}
    near = [row for row in written.near if row["duplicate_of"] in own]
    assert len(near) < len(written.near)
    chosen = sorted(near, key=lambda row: (np.float32(row["jaccard"]), row["doc_id"]))[: differences.PAIRS]
    page = differences.render(open_tables(str(written.folder)))
    assert re.findall(r"<summary>Jaccard ([\d.]+), similarity ([\d.]+): ", page) == [
        (f"{row['jaccard']:.4g}", f"{row['similarity']:.4g}") for row in chosen
    ]
    assert "<del>autumn</del> <ins>spring</ins>" in page and "<script>" not in page


def test_the_page_stays_whole_with_hostile_rows(page: Page) -> None:
    assert page.unclosed == [] and not page.names() & {"script", "b", "img"}
    assert "<b>x</b>U+202E.example" in page.sections["removal_rates"] and "\u202e" not in page.source


def test_a_run_that_verified_nothing_and_drew_nothing(tmp_path: Path) -> None:
    """Its ledger has neither the true Jaccard nor removal rates: an earlier version made it."""
    written = deduplicated.write(tmp_path, seed=2, verify=False)
    for part in ("near_duplicates", "removal_rates"):
        for path in (tmp_path / "ledger" / part).rglob("*.parquet"):
            path.unlink()
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    del manifest["plan"]["recipe"]["dedup"]["alarm"]
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    page = read_page(written.folder)
    assert "Precision: not known" in page.sections["duplicates"]
    assert "below it: joined to its cluster" in page.sections["duplicates"]
    assert "holds no removal rates" in page.sections["removal_rates"]
    assert "no near duplicate" in page.sections["differences"]
