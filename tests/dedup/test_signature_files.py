"""Signature files: the same bytes however rows come, and some documents of a home as they were written, from an index too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.dedup import signature_files
from curation.dedup.homes import Home, Part
from curation.dedup.signature_files import AGREEMENT, KEYS, POLICY, SKETCH, binary, read_classes, read_rows, read_values
from curation.run.arrow_output import ArrowOutput
from curation.run.parquet_output import ROWS, ParquetOutput

SCHEMA = pa.schema(
    [pa.field(AGREEMENT, pa.binary(3)), pa.field(POLICY, pa.uint16()), pa.field(SKETCH, pa.large_binary())]
)
COUNTS = (40_000, 1, 9000)  # documents of the parts; the first has two pieces
TOTAL = sum(COUNTS)
VALUES = np.random.default_rng(1).integers(0, 256, (TOTAL, 3), np.uint8)
CLASSES = np.arange(TOTAL, dtype=np.uint16)
SKETCHES = [bytes([number % 251]) * (number % 3) for number in range(TOTAL)]


def batch(first: int, stop: int) -> pa.RecordBatch:
    columns = [binary(VALUES[first:stop], pa.binary(3)), pa.array(CLASSES[first:stop])]
    return pa.RecordBatch.from_arrays([*columns, pa.array(SKETCHES[first:stop], pa.large_binary())], schema=SCHEMA)


@pytest.fixture(scope="module", params=["arrow", "parquet"])
def home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder, first, parts = tmp_path_factory.mktemp("home"), 7, []
    for number, documents in enumerate(COUNTS):
        uri = str(folder / f"{number}.{request.param}")
        with (ArrowOutput if request.param == "arrow" else ParquetOutput)(uri, SCHEMA) as output:
            output.write(batch(first - 7, first - 7 + documents))
        parts.append(Part(str(number), uri, "", first, documents))
        first += documents
    return Home(0, tuple(parts))


@pytest.mark.parametrize("places", [[], [0], [39_999, 40_000, 40_001], [32_767, 32_768, TOTAL - 1], range(TOTAL)])
def test_documents_are_what_was_written(home: Home, places: list[int]) -> None:
    chosen = np.array(places, np.int64)
    assert np.array_equal(read_classes(home, chosen), CLASSES[chosen])
    assert read_values(home, AGREEMENT, chosen).tobytes() == VALUES[chosen].tobytes()
    found = read_rows(home, pa.schema([SCHEMA.field(SKETCH), SCHEMA.field(POLICY)]), chosen)
    assert found.column(0).to_pylist() == [SKETCHES[place] for place in places]
    assert found.column(1).to_pylist() == CLASSES[chosen].tolist()


def test_a_file_of_another_length_is_an_error(home: Home) -> None:
    part = home.parts[2]
    wrong = Home(0, (Part(part.unit, part.signatures, "", 0, part.documents + 1),))
    with pytest.raises(ValueError, match="has 9000 documents, not 9001"):
        read_classes(wrong, np.zeros(0, np.int64))


def test_a_file_that_took_the_place_of_another_is_read_anew(tmp_path: Path) -> None:
    uri = str(tmp_path / "0.arrow")
    for first in (0, 100):
        with ArrowOutput(uri, SCHEMA) as output:
            output.write(batch(first, first + 50))
        read = read_classes(Home(0, (Part("0", uri, "", 0, 50),)), np.arange(50))
        assert read.tolist() == list(range(first, first + 50))


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="tells what is mapped as Linux does")
def test_a_file_stays_mapped_until_all_are_unmapped(tmp_path: Path) -> None:
    uri = str(tmp_path / "0.arrow")
    with ArrowOutput(uri, SCHEMA) as output:
        output.write(batch(0, 50))
    read_classes(Home(0, (Part("0", uri, "", 0, 50),)), np.arange(50))
    assert uri in Path("/proc/self/maps").read_text()
    signature_files.unmap()
    assert uri not in Path("/proc/self/maps").read_text()


@given(st.sets(st.integers(1, 4 * ROWS + 10), max_size=5))
def test_bytes_do_not_depend_on_the_batches(tmp_path_factory: pytest.TempPathFactory, cuts: set[int]) -> None:
    bounds = [0, *sorted(cuts), 4 * ROWS + 20]
    files = []
    for ends in ([0, bounds[-1]], bounds):
        path = tmp_path_factory.mktemp("files") / "file.arrow"
        with ArrowOutput(str(path), SCHEMA) as output:
            for first, stop in zip(ends, ends[1:]):
                output.write(batch(first, stop))
        files.append(path.read_bytes())
    assert files[0] == files[1]


def test_what_is_not_there_is_null() -> None:
    column = binary(VALUES[:10], pa.binary(3), pa.array([number % 3 == 0 for number in range(10)]))
    assert column.null_count == 6 and column[3].as_py() == VALUES[3].tobytes() and column[4].as_py() is None
    assert signature_files.signature_schema(2, 0, 0).field(KEYS).type.byte_width == 16
