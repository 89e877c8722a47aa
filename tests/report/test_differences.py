"""Near duplicates beside each other: both texts can be read off the one that is shown."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import duckdb
from hypothesis import given
from hypothesis import strategies as st

from curation.audit.differences import CONTEXT
from curation.report.panels.differences import differing, render
from curation.report.tables import open_tables

WORDS = st.lists(st.sampled_from(["the", "harbour", "<script>", "&", "a\u202eb", "tide"]), max_size=2 * CONTEXT)


def without(kind: str, html: str) -> list[str]:
    """The words that stay when what is marked as `kind` is taken out."""
    return unescape(re.sub(r"<[^>]+>", "", re.sub(rf"<{kind}>.*?</{kind}>", "", html))).split()


@given(WORDS, WORDS)
def test_taking_out_either_mark_gives_the_other_text(removed: list[str], kept: list[str]) -> None:
    shown = "".join(differing(" ".join(removed), " ".join(kept)))
    seen = [[word.replace("\u202e", "U+202E") for word in words] for words in (removed, kept)]
    assert "<script>" not in shown
    assert without("ins", shown) == seen[0]
    assert without("del", shown) == seen[1]


def test_long_equal_stretches_are_shortened() -> None:
    same = [f"word{n}" for n in range(100)]
    shown = "".join(differing(" ".join([*same, "old"]), " ".join([*same, "new"])))
    assert shown.count("word") == 2 * CONTEXT and "<del>old</del> <ins>new</ins>" in shown


def test_pairs_are_those_of_the_ledger(run: Path) -> None:
    """Oracle: SQL over the ledger: every near duplicate whose beginning is kept is one, with its similarity."""
    rows = duckdb.execute(
        """SELECT count(*), count(f.doc_id), max(abs(n.similarity - f.similarity)) FROM read_parquet(?) n
           LEFT JOIN read_parquet(?) f ON f.doc_id = n.doc_id AND f.duplicate_of = n.duplicate_of AND f.reason = 'minhash'""",
        [f"{run}/ledger/near_duplicates/**/*.parquet", f"{run}/ledger/finish/**/*.parquet"],
    ).fetchall()[0]
    assert rows[0] == rows[1] > 0 and rows[2] == 0
    page = render(open_tables(str(run)))
    assert page.count("<details>") == min(8, rows[0])
    assert "<del>" in page and "<ins>" in page
