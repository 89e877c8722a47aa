"""Single rows of Parquet files against the whole table; and that no row group is read that need not be."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.errors import UserError
from curation.audit.single_rows import SingleRows

tables = st.lists(st.tuples(st.integers(0, 50), st.text(max_size=40)), min_size=1, max_size=60)


def stored(folder: Path, rows: Sequence[tuple[int, str]], group: int) -> SingleRows:
    ends = np.cumsum([gap for gap, _ in rows])
    table = pa.table(
        {
            "first": pa.array(np.concatenate([[0], ends[:-1]]), pa.uint64()),  # ascends
            "row": pa.array([gap for gap, _ in rows], pa.uint32()),  # does not
            "text": [text for _, text in rows],
        }
    )
    path = folder / "t.parquet"
    pq.write_table(table, path, row_group_size=group)
    return SingleRows(str(path))


@settings(max_examples=25)
@given(tables, st.integers(1, 9), st.data())
def test_rows_by_number_by_value_and_by_place(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, str]], group: int, data: st.DataObject
) -> None:
    file = stored(tmp_path_factory.mktemp("rows"), rows, group)
    numbers = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=20))
    assert file.at(numbers, ["text", "row"]).to_pylist() == [{"text": rows[n][1], "row": rows[n][0]} for n in numbers]
    wanted = data.draw(st.lists(st.integers(0, 50), max_size=5))
    found, table = file.among("row", wanted, ["text"])
    assert found.tolist() == [n for n, (gap, _) in enumerate(rows) if gap in wanted]
    assert table["text"].to_pylist() == [rows[n][1] for n in found]
    first = np.concatenate([[0], np.cumsum([gap for gap, _ in rows])[:-1]])
    places = data.draw(st.lists(st.integers(0, 2 + int(first[-1])), max_size=20))
    assert file.not_after("first", places).tolist() == [np.flatnonzero(first <= place)[-1] for place in places]


def test_only_the_row_group_that_holds_the_row_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = stored(tmp_path, [(10, f"text {n}") for n in range(1000)], 10)
    read: list[int] = []
    whole, some = pq.ParquetFile.read_row_group, pq.ParquetFile.iter_batches

    def noted(self: Any, group: int, **options: Any) -> Any:
        read.append(group)
        return whole(self, group, **options)

    def noted_batches(self: Any, size: int, row_groups: list[int], **options: Any) -> Any:
        read.extend(row_groups)
        return some(self, size, row_groups=row_groups, **options)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", noted)
    monkeypatch.setattr(pq.ParquetFile, "iter_batches", noted_batches)
    assert file.not_after("first", [5555]).tolist() == [555]
    assert file.at([555], ["text"])["text"].to_pylist() == ["text 555"]
    assert read == [55, 55]


def test_what_is_not_there(tmp_path: Path) -> None:
    file = stored(tmp_path, [(5, "a"), (5, "b")], 1)
    for number in (-1, 2):
        with pytest.raises(IndexError):
            file.at([number], ["text"])
    assert file.at([], ["text"]).num_rows == 0


@pytest.mark.parametrize("place", [4, -40])
def test_a_damaged_file_is_told_in_one_line(tmp_path: Path, place: int) -> None:
    """In its first page, and in its footer."""
    stored(tmp_path, [(n, "some text") for n in range(300)], 100)
    path = tmp_path / "t.parquet"
    content = bytearray(path.read_bytes())
    content[place : place + 30] = b"\xff" * 30
    path.write_bytes(content)
    with pytest.raises(UserError, match="is damaged: `corpusmill verify` tells"):
        SingleRows(str(path)).at(range(300), ["text", "first", "row"])
