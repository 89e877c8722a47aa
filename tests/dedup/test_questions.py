"""Homes ask each other: every question is answered once, in the order asked, and silence is an error."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.dedup.homes import Home, Neighbourhood, Part, Places, plan_homes
from curation.dedup.questions import Exchange, Lookup
from curation.run.folder import RunFolder

SCHEMA = pa.schema([pa.field("square", pa.int64()), pa.field("name", pa.large_binary())])


def homes_of(sizes: list[int]) -> list[Home]:
    firsts = np.cumsum([0, *sizes]).tolist()
    return [Home(n, (Part(str(n), "", "texts", firsts[n], size),)) for n, size in enumerate(sizes)]


def exchange_between(homes: list[Home], folder: str) -> Exchange:
    firsts = (*(home.first for home in homes), homes[-1].stop)
    return Exchange(RunFolder(folder), "work/asked", SCHEMA, Neighbourhood(firsts, 0))


def look_up(home: Home, calls: list[list[int]]) -> Lookup:
    """Tells of each document its number's square, and its number in as many bytes as that has."""

    def tell(places: Places) -> pa.RecordBatch:
        calls.append(places.tolist())
        numbers = (places + home.first).tolist()
        columns = [pa.array([n * n for n in numbers], pa.int64()), pa.array([b"x" * n for n in numbers])]
        return pa.RecordBatch.from_arrays([columns[0], columns[1].cast(pa.large_binary())], schema=SCHEMA)

    return tell


@st.composite
def questions(draw: Any) -> tuple[list[int], list[list[int]]]:
    """Sizes of homes, and which documents each asks about."""
    sizes = draw(st.lists(st.integers(1, 9), min_size=1, max_size=5))
    numbers = st.sets(st.integers(0, sum(sizes) - 1), max_size=12).map(sorted)
    return sizes, draw(st.lists(numbers, min_size=len(sizes), max_size=len(sizes)))


@given(questions())
def test_answers_come_in_the_order_asked(asked: tuple[list[int], list[list[int]]]) -> None:
    sizes, wanted = asked
    homes = homes_of(sizes)
    with tempfile.TemporaryDirectory() as folder:
        exchange = exchange_between(homes, folder)
        for home in homes:
            written = exchange.ask(home, np.array(wanted[home.number], np.uint64))
            assert all(Path(folder, path).stat().st_size == file.bytes for path, file in written.items())
        for home in homes[::-1]:
            calls: list[list[int]] = []
            exchange.answer(home, look_up(home, calls))
            others = [numbers for other, numbers in enumerate(wanted) if other != home.number]
            about = {n - home.first for numbers in others for n in numbers if home.first <= n < home.stop}
            assert calls == [sorted(about)]  # once, however many ask
        for home in homes:
            heard = exchange.hear(home, np.array(wanted[home.number], np.uint64), look_up(home, []))
            assert heard.schema == SCHEMA
            assert heard.column("square").to_pylist() == [n * n for n in wanted[home.number]]
            assert [len(name) for name in heard.column("name").to_pylist()] == wanted[home.number]


def test_what_was_never_written_is_an_error(tmp_path: Path) -> None:
    homes = homes_of([3, 3])
    exchange = exchange_between(homes, str(tmp_path))
    exchange.ask(homes[0], np.array([4], np.uint64))
    with pytest.raises(FileNotFoundError):  # the other home was to ask, too
        exchange.answer(homes[0], look_up(homes[0], []))
    exchange.ask(homes[1], np.array([], np.uint64))
    exchange.answer(homes[0], look_up(homes[0], []))
    asked = np.array([4], np.uint64)
    with pytest.raises(FileNotFoundError):
        exchange.hear(homes[0], asked, look_up(homes[0], []))
    exchange.answer(homes[1], look_up(homes[1], []))
    assert exchange.hear(homes[0], asked, look_up(homes[0], [])).column("square").to_pylist() == [16]
    assert len(exchange.hear(homes[1], asked[:0], look_up(homes[1], []))) == 0
    with pytest.raises(RuntimeError, match="asked about 0 documents and heard of 1"):
        exchange.hear(homes[0], asked[:0], look_up(homes[0], []))


def test_answers_that_were_cut_are_an_error(tmp_path: Path) -> None:
    homes = homes_of([3, 3])
    exchange = exchange_between(homes, str(tmp_path))
    asked = np.array([0, 4], np.uint64)
    for home in homes:
        exchange.ask(home, asked)
    for home in homes:
        exchange.answer(home, look_up(home, []))
    path = tmp_path / "work/asked/answers/1"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises((ValueError, OSError)):
        exchange.hear(homes[0], asked, look_up(homes[0], []))


def test_too_few_answers_are_an_error(tmp_path: Path) -> None:
    homes = homes_of([3, 3])
    exchange = exchange_between(homes, str(tmp_path))
    exchange.ask(homes[0], np.array([], np.uint64))
    exchange.ask(homes[1], np.array([0, 2], np.uint64))
    with pytest.raises(AssertionError):
        exchange.answer(homes[0], lambda places: look_up(homes[0], [])(places[:1]))


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 6)), max_size=12).map(lambda parts: sorted(parts)),
    st.integers(1, 10),
)
def test_homes_hold_every_document_once_and_never_an_index_beside_the_run(
    given_parts: list[tuple[bool, int]], limit: int
) -> None:
    parts, first = [], 0
    for number, (own, documents) in enumerate(given_parts):
        parts.append(Part(str(number), "signatures", "texts" if own else "", first, documents))
        first += documents
    homes = plan_homes(parts, limit)
    assert [part for home in homes for part in home.parts] == [part for part in parts if part.documents]
    assert [home.number for home in homes] == list(range(len(homes)))
    for home in homes:
        assert len({bool(part.texts) for part in home.parts}) == 1
        assert home.documents <= limit or len(home.parts) == 1
    for one, other in zip(homes, homes[1:], strict=False):
        assert one.stop == other.first


def test_ascending_numbers_are_cut_between_homes() -> None:
    neighbourhood = Neighbourhood((0, 3, 4, 9), 3)
    assert neighbourhood.cuts(np.array([1, 2, 8], np.uint64)).tolist() == [0, 2, 2, 3]
    assert (neighbourhood.homes, neighbourhood.documents) == (3, 9)
