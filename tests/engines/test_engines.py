"""What every engine must hold, on each of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.errors import UserError
from curation.engines.engine import Engine
from curation.engines.opening import open_engine
from tests.engines import tasks


@pytest.mark.parametrize("count", [1, 2, 7, 100])
def test_map_gives_each_result_once(any_engine: Engine, count: int) -> None:
    results = list(any_engine.map(tasks.square, list(range(count))))
    assert sorted(results) == [(n, n * n) for n in range(count)]


def test_map_does_each_item_once(any_engine: Engine, tmp_path: Path) -> None:
    results = dict(any_engine.map(tasks.note, [(str(tmp_path), n) for n in range(20)]))
    assert results == {n: n for n in range(20)}
    assert sorted(int(path.name.split("-")[0]) for path in tmp_path.iterdir()) == list(range(20))


def test_map_of_nothing_is_nothing(any_engine: Engine) -> None:
    assert list(any_engine.map(tasks.square, [])) == []


def test_equal_items_are_items_of_their_own(any_engine: Engine) -> None:
    assert sorted(any_engine.map(tasks.square, [5, 5, 5])) == [(0, 25), (1, 25), (2, 25)]


def test_results_may_come_in_any_order(any_engine: Engine) -> None:
    assert dict(any_engine.map(tasks.slow_first, list(range(6)))) == {n: n for n in range(6)}


def test_an_item_whose_worker_dies_is_run_again_and_the_others_are_not(any_engine: Engine, tmp_path: Path) -> None:
    results = list(any_engine.map(tasks.dies_twice, [(str(tmp_path), n) for n in range(6)]))
    assert sorted(results) == [(n, n) for n in range(6)]
    attempts = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert attempts["attempts-3"] == 3
    if (
        any_engine.name == "local"
    ):  # a task of Spark holds several items; those before the deadly one are run again, too
        assert all(count == 1 for name, count in attempts.items() if name != "attempts-3"), attempts


def test_an_error_reaches_the_caller_as_it_was_raised(any_engine: Engine) -> None:
    with pytest.raises(UserError, match="item 4 is wrong: leave it out"):
        list(any_engine.map(tasks.refuses, list(range(8))))
    with pytest.raises(OSError) as raised:
        list(any_engine.map(tasks.disk_full, [1]))
    assert raised.value.errno == 28


def test_an_error_that_cannot_be_pickled_still_ends_the_map(any_engine: Engine) -> None:
    with pytest.raises(Exception, match=r"Unpicklable|needs two arguments|missing 1 required|terminated"):
        list(any_engine.map(tasks.fails_unpicklable, [1]))


def test_after_an_error_the_engine_is_as_good_as_new(any_engine: Engine) -> None:
    with pytest.raises(UserError):
        list(any_engine.map(tasks.refuses, list(range(8))))
    assert dict(any_engine.map(tasks.square, [2, 3])) == {0: 4, 1: 9}


@pytest.mark.parametrize("partitions", [7, 40])
def test_shuffle_brings_the_blobs_of_a_partition_together_in_the_order_of_items(
    any_engine: Engine, partitions: int
) -> None:
    items = [(n, 5) for n in (3, 0, 8, 1, 7, 2, 6, 5, 4)]
    expected: dict[int, list[bytes]] = {}
    for item in items:
        for partition, blob in tasks.blobs_of(item):
            expected.setdefault(partition, []).append(blob)
    results = any_engine.shuffle(tasks.blobs_of, items, tasks.joined, partitions)
    assert sorted(results) == sorted(tasks.joined(p, blobs) for p, blobs in expected.items())


def test_shuffle_keeps_equal_blobs_apart(any_engine: Engine) -> None:
    results = sorted(any_engine.shuffle(tasks.one_blob, [0, 1, 2, 3], tasks.joined, 2))
    assert results == [b"0:\xff\x00same|\xff\x00same", b"1:\xff\x00same|\xff\x00same"]


def test_shuffle_of_nothing_is_nothing(any_engine: Engine) -> None:
    assert list(any_engine.shuffle(tasks.blobs_of, [], tasks.joined, 3)) == []
    assert list(any_engine.shuffle(tasks.nothing, [1, 2], tasks.joined, 3)) == []


def test_shuffle_moves_large_blobs(any_engine: Engine) -> None:
    (result,) = any_engine.shuffle(tasks.large_blob, [3, 1, 2], tasks.sizes, 1)
    assert result == repr([(n, 20 << 20) for n in (3, 1, 2)]).encode()


def test_one_shuffle_does_not_show_in_the_next(any_engine: Engine) -> None:
    first = sorted(any_engine.shuffle(tasks.blobs_of, [(1, 2)], tasks.joined, 7))
    assert sorted(any_engine.shuffle(tasks.blobs_of, [(1, 2)], tasks.joined, 7)) == first


def test_an_unknown_engine_is_the_users_mistake() -> None:
    with pytest.raises(UserError, match="Did you mean 'spark'"):
        open_engine("sparc", "unused")
