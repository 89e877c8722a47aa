"""The same rows give the same file, in whatever batches they came; and no file that is not whole."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.run import parquet_output
from curation.run.parquet_output import ParquetOutput

SCHEMA = pa.schema([pa.field("n", pa.int64()), pa.field("text", pa.string()), pa.field("raw", pa.binary())])


def rows(count: int) -> pa.RecordBatch:
    texts = [None if n % 7 == 0 else "x" * (n % 50) for n in range(count)]
    return pa.RecordBatch.from_arrays(
        [pa.array(range(count)), pa.array(texts, pa.string()), pa.array([b"y" * (n % 11) for n in range(count)])],
        schema=SCHEMA,
    )


def write(path: Path, batches: list[pa.RecordBatch]) -> ParquetOutput:
    with ParquetOutput(str(path), SCHEMA) as output:
        for batch in batches:
            output.write(batch)
    return output


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 400), max_size=8))
def test_batches_do_not_show(tmp_path_factory: pytest.TempPathFactory, cuts: list[int]) -> None:
    folder = tmp_path_factory.mktemp("p")
    table = rows(400)
    edges = sorted({0, 400, *cuts})
    batches = [table.slice(a, b - a) for a, b in zip(edges[:-1], edges[1:], strict=True)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet_output, "ROWS", 64)
        patch.setattr(parquet_output, "BYTES", 900)
        one, many = write(folder / "one", [table]), write(folder / "many", batches)
    assert (folder / "one").read_bytes() == (folder / "many").read_bytes()
    assert one.written == many.written
    assert pq.read_table(folder / "many").to_pylist() == table.to_pylist()


def test_a_row_group_is_bounded_by_rows_and_by_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_output, "BYTES", 1000)
    write(tmp_path / "p", [rows(300)])
    file = pq.ParquetFile(tmp_path / "p")
    assert file.num_row_groups > 5
    for number in range(file.num_row_groups):
        group = file.read_row_group(number).to_pylist()
        held = [len(row["text"] or "") + len(row["raw"]) for row in group]
        assert sum(held[:-1]) < 1000


def test_what_is_written_is_told_as_it_lies_there(tmp_path: Path) -> None:
    output = write(tmp_path / "deep" / "er" / "p", [rows(10), rows(0), rows(5)])
    content = (tmp_path / "deep" / "er" / "p").read_bytes()
    assert output.written is not None and output.rows == 15
    assert (output.written.bytes, output.written.sha256) == (len(content), hashlib.sha256(content).hexdigest())


def test_no_rows_are_a_file_too(tmp_path: Path) -> None:
    write(tmp_path / "p", [])
    assert pq.read_table(tmp_path / "p").schema == SCHEMA and pq.read_table(tmp_path / "p").num_rows == 0


def test_a_writer_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), ParquetOutput(str(tmp_path / "p"), SCHEMA) as output:
        output.write(rows(3))
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_could_not_be_written_to_its_end_is_not_moved_into_place(tmp_path: Path) -> None:
    """Rows wait in memory, so a full disk may show only when the file is closed."""
    output = ParquetOutput(str(tmp_path / "p"), SCHEMA)
    with pytest.raises((pa.ArrowException, ValueError)), output:
        output._waiting.append(pa.RecordBatch.from_pydict({"other": [1]}))
    assert list(tmp_path.iterdir()) == []
    assert output.written is None
