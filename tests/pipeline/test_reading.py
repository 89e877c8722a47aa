"""Batches of a format that is read as columns: what is in hand is noted as for any other, and no row is lost or moved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors import parquet
from connectors.records import Limits
from curation.pipeline import reading
from curation.pipeline.at_risk import AtRisk
from curation.pipeline.reading import read_batches
from curation.run.documents import CONTENT, FATE, OFFSET, REASON, ROW
from curation.run.split import Split

LIMITS = Limits()
ROWS = 90


@pytest.fixture
def corpus(tmp_path: Path) -> Split:
    texts = [None if row % 40 == 7 else f"{row} " * (1 + row % 9) for row in range(ROWS)]
    table = pa.table({"text": texts, "url": [f"http://a/{row}" for row in range(ROWS)], "n": range(ROWS)})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=13)
    return Split("web", "a.parquet", str(tmp_path / "a.parquet"), 0)


class Notes(AtRisk):
    """Keeps what would be noted."""

    def __init__(self, **state: Any) -> None:
        super().__init__("", "one command", **state)
        self.noted: list[tuple[int, int]] = []

    def take(self, first: int, stop: int) -> None:
        self.noted.append((first, stop))


def rows_of(batches: Iterator[tuple[pa.RecordBatch, int]]) -> list[dict[str, Any]]:
    return [row for batch, _ in batches for row in batch.to_pylist()]


@pytest.mark.parametrize("documents", [1, 5, 13, 20, 64, 1000])
@pytest.mark.parametrize("suspects", [[], [(3, 9), (40, 41), (88, 95)]])
def test_columns_give_the_rows_that_records_give(
    corpus: Split, documents: int, suspects: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BATCH_BYTES", 150)
    state: dict[str, Any] = {"suspects": suspects, "blamed": {5, 40}}
    notes = Notes(**state)
    batches = list(read_batches(corpus, LIMITS, notes, documents, hide_addresses=True))
    with monkeypatch.context() as without:
        without.delattr(parquet, "read_columns")
        expected = rows_of(read_batches(corpus, LIMITS, Notes(**state), documents, hide_addresses=True))

    assert rows_of(iter(batches)) == expected and len(expected) == ROWS
    assert [row[REASON] for row in expected if row[FATE]] == ["killed_worker", "no_text"] * 2 + ["no_text"]
    bounds = [(batch.column(ROW)[0].as_py(), batch.column(ROW)[-1].as_py() + 1) for batch, _ in batches]
    for first, stop in bounds:
        assert (first, stop) in notes.noted
        assert stop - first <= documents and not (stop - first > 1 and any(map(notes.is_suspect, range(first, stop))))
    for batch, last in batches:
        assert batch.column(OFFSET)[-1].as_py() == last
        assert batch.num_rows == 1 or sum(len(content or b"") for content in batch.column(CONTENT).to_pylist()) <= 150


def test_what_is_in_hand_is_noted_before_it_is_touched(corpus: Split) -> None:
    """While a batch is out its own rows are noted, and while the next is read nothing but where reading goes on."""
    notes = Notes()
    for batch, _ in read_batches(corpus, LIMITS, notes, 13, hide_addresses=False):
        rows = batch.column(ROW).to_pylist()
        assert notes.noted[-1] == (rows[0], rows[-1] + 1)
        assert notes.noted[-2] == (rows[0], rows[0])


@pytest.mark.parametrize("unreadable", [0, 13, 20, 89])
def test_nothing_is_read_from_an_unreadable_row_on(
    corpus: Split, unreadable: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = parquet.read_columns
    pulled: list[int] = []

    def watched(*args: Any) -> Iterator[Any]:
        for piece in read(*args):
            pulled.append(len(piece))
            yield piece

    monkeypatch.setattr(parquet, "read_columns", watched)
    rows = rows_of(read_batches(corpus, LIMITS, Notes(unreadable=unreadable), 5, hide_addresses=False))
    assert [row[ROW] for row in rows] == list(range(unreadable + 1))
    assert (rows[-1][REASON], rows[-1][OFFSET]) == ("killed_worker", unreadable)
    assert sum(pulled) < unreadable + 13
