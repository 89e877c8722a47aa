"""Files of blobs: what an item of a shuffle emits, read back by partition."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.engines.blob_files import map_blobs, write_blobs


@given(st.lists(st.tuples(st.integers(0, 5), st.binary(max_size=30)), max_size=20))
def test_a_partition_gets_its_blobs_in_the_order_of_writing(blobs: list[tuple[int, bytes]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        uri = f"{folder}/shuffle/0"
        write_blobs(uri, iter(blobs))
        for partition in range(7):
            assert map_blobs(uri, partition) == [blob for number, blob in blobs if number == partition]


def test_large_partition_numbers_and_large_blobs(tmp_path: Path) -> None:
    blobs = [(2**40, b"a" * (3 << 20)), (7, b""), (2**40, b"b")]
    write_blobs(f"{tmp_path}/0", blobs)
    assert map_blobs(f"{tmp_path}/0", 2**40) == [b"a" * (3 << 20), b"b"] and map_blobs(f"{tmp_path}/0", 7) == [b""]


def test_blobs_are_taken_one_at_a_time(tmp_path: Path) -> None:
    """What was given is written before the next is asked for: no more than one lies in memory."""
    sizes: list[int] = []

    def blobs() -> Iterator[tuple[int, bytes]]:
        for _ in range(4):
            (path,) = tmp_path.iterdir()
            sizes.append(path.stat().st_size)
            yield 0, b"x" * (4 << 20)

    write_blobs(f"{tmp_path}/0", blobs())
    assert sizes == sorted(sizes) and sizes[3] >= 2 * (4 << 20)


def test_a_writer_that_fails_leaves_no_file_that_looks_whole(tmp_path: Path) -> None:
    def blobs() -> Iterator[tuple[int, bytes]]:
        yield 0, b"x"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_blobs(f"{tmp_path}/0", blobs())
    assert not (tmp_path / "0").exists()
    write_blobs(f"{tmp_path}/0", [(0, b"again")])  # the next attempt is not disturbed by what the first left
    assert map_blobs(f"{tmp_path}/0", 0) == [b"again"]


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        map_blobs(f"{tmp_path}/0", 0)
