"""`why` of a duplicate and of what it duplicates, over a run written by hand; and the interval of a share."""

from __future__ import annotations

import io
import math
import unicodedata
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from curation.audit.differences import CHARACTERS, CONTEXT, stretches
from curation.audit.duplicates import MOST_COPIES, wilson
from curation.audit.find import text_of, why
from curation.audit.show import plain, story_panel
from curation.audit.story import Story
from tests.audit import deduplicated
from tests.audit.deduplicated import PROSE, Written


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return deduplicated.write(tmp_path_factory.mktemp("deduplicated"))


def story_of(run: Written, row: dict[str, Any]) -> Story:
    (story,) = why(str(run.folder), doc_id=row["doc_id"].hex())
    return story


def shown(run: Written, story: Story) -> str:
    console = Console(file=io.StringIO(), width=400)
    console.print(story_panel(story, text_of(str(run.folder), story)))
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def duplicates(run: Written, reason: str, drawn: bool | None = None, elsewhere: bool = False) -> list[dict[str, Any]]:
    ids = {row["doc_id"] for row in run.near}
    own = {row["doc_id"] for row in run.records}
    return [
        row
        for row in run.fates
        if row["fate"] == "duplicate"
        and row["reason"] == reason
        and (row["duplicate_of"] not in own) == elsewhere
        and (drawn is None or (row["doc_id"] in ids) == drawn)
    ]


def test_a_near_duplicate_is_shown_beside_what_it_duplicates(run: Written) -> None:
    row = duplicates(run, "minhash", drawn=True)[0]
    (near,) = [one for one in run.near if one["doc_id"] == row["doc_id"]]
    story = story_of(run, row)
    assert story.beside and not story.beside.elsewhere and story.beside.doc_id == row["duplicate_of"].hex()
    assert story.beside.removed == near["text"] and story.beside.kept.startswith(PROSE)
    assert story.beside.jaccard == pytest.approx(near["jaccard"])
    page = shown(run, story)
    assert f"minhash: similar ({row['similarity']:.2f}) to {run.url_of(row['duplicate_of'])}" in page
    assert f"{near['jaccard']:.3f}, measured on the whole texts" in page
    assert "[-autumn-]{+spring+}" in page and "ends here.+}" in page


def test_one_that_was_not_drawn_is_shown_with_the_kept_text_alone(run: Written) -> None:
    story = story_of(run, duplicates(run, "minhash", drawn=False)[0])
    assert story.beside and story.beside.jaccard is None and story.beside.removed == ""
    page = shown(run, story)
    assert "The kept document begins:" in page and PROSE[:60] in page and "[-" not in page and "Jaccard" not in page


@pytest.mark.parametrize(
    ("reason", "words"), [("url", "url: the same page as "), ("exact", "exact: the same text as ")]
)
def test_the_same_page_and_the_same_text_are_said_to_be_that(run: Written, reason: str, words: str) -> None:
    row = duplicates(run, reason)[0]
    page = shown(run, story_of(run, row))
    assert words + run.url_of(row["duplicate_of"]) in page and PROSE[:60] in page


@pytest.mark.parametrize("reason", ["url", "exact", "minhash"])
def test_a_document_of_an_earlier_run_is_said_to_be_one(run: Written, reason: str) -> None:
    row = duplicates(run, reason, elsewhere=True)[0]
    story = story_of(run, row)
    assert story.beside and story.beside.elsewhere and story.beside.kept == ""
    page = shown(run, story)
    assert "a document of an earlier run, by its index" in page and row["duplicate_of"].hex() in page
    assert story.duplicate_of == run.url_of(row["duplicate_of"]) and plain(story.duplicate_of) in page


def test_a_kept_document_names_how_many_stand_behind_it(run: Written) -> None:
    """Oracle: the rows that were written, counted."""
    behind: dict[bytes, Counter[str]] = {}
    for row in run.fates:
        if row["fate"] == "duplicate":
            behind.setdefault(row["duplicate_of"], Counter())[row["reason"]] += 1
    seen = set()
    for row in run.fates:
        if row["fate"] == "kept":
            story = story_of(run, row)
            wanted = behind.get(row["doc_id"], Counter())
            assert story.copies and story.copies.reasons == dict(wanted) and story.beside is None
            urls = {run.url_of(r["doc_id"]) for r in run.fates if r.get("duplicate_of") == row["doc_id"]}
            assert set(story.copies.urls) <= urls and len(story.copies.urls) == min(MOST_COPIES, wanted.total())
            page = shown(run, story)
            left = wanted.total() - MOST_COPIES
            assert (f"{wanted.total():,} duplicates were removed for it" in page) == (wanted.total() > 1)
            assert (f"and {left:,} more" in page) == (left > 0)
            seen.add(left > 0)
    assert seen == {True, False}


def test_no_text_of_a_duplicate_steers_the_terminal(run: Written) -> None:
    for row in duplicates(run, "minhash", drawn=True):
        page = shown(run, story_of(run, row))
        assert not {c for c in page if c != "\n" and unicodedata.category(c) in ("Cc", "Cf")}
    assert "[red]x[/red]" in page or "<script>" in "".join(near["text"] for near in run.near)


WORDS = st.lists(st.sampled_from(["the", "harbour", "tide", "a"]), max_size=2 * CONTEXT)


@given(WORDS, WORDS)
def test_either_text_can_be_read_off_the_stretches(removed: list[str], kept: list[str]) -> None:
    found = list(stretches(" ".join(removed), "\n".join(kept)))
    assert " ".join(s.both or s.removed for s in found).split() == removed
    assert " ".join(s.both or s.kept for s in found).split() == kept


def test_only_the_beginnings_are_compared() -> None:
    long = "w " * 10**6
    assert sum(len(s.both) + len(s.removed) for s in stretches(long, "w " + "z" * 10**6)) <= CHARACTERS


def test_the_interval_is_wilsons() -> None:
    """Oracle: the values of p at which the test of a proportion is just not rejected, found by bisection."""

    def edge(part: int, whole: int, low: float, high: float) -> float:
        for _ in range(100):
            middle = (low + high) / 2
            inside = abs(part / whole - middle) <= 1.959964 * math.sqrt(middle * (1 - middle) / whole)
            low, high = (low, middle) if inside == (low < part / whole) else (middle, high)
        return (low + high) / 2

    for part, whole in ((1, 7), (45, 50), (333, 1000), (999, 1000)):
        lower, upper = wilson(part, whole)
        assert lower == pytest.approx(edge(part, whole, 0.0, part / whole), abs=1e-6)
        assert upper == pytest.approx(1 - edge(whole - part, whole, 0.0, 1 - part / whole), abs=1e-6)
    assert (
        wilson(50, 50)[1] == pytest.approx(1)
        and 0.92 < wilson(50, 50)[0] < 0.94
        and wilson(0, 50)[0] == pytest.approx(0)
    )
