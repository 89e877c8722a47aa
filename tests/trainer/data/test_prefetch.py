"""Reading ahead: the same items in the same order, no further ahead than told, errors in their place, an end in any case."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from trainer.data.batch import all_batches
from trainer.data.plan import DataPlan
from trainer.data.prefetch import Prefetch, prefetched
from trainer.prove.toy_run import toy_training


def until(condition: Callable[[], bool]) -> None:
    """Waits until a condition holds; fails after ten seconds."""
    stop = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < stop
        time.sleep(0.005)


def threads() -> int:
    return sum(thread.name == "prefetch" for thread in threading.enumerate())


def test_the_steps_of_a_rank(toy: Path) -> None:
    plan = DataPlan(toy_training("isolated"), toy)
    with prefetched(plan, 3, 12, 1, 2) as steps:
        ahead = list(steps)
    for one, other in zip(ahead, all_batches(plan, 3, 12, 1, 2), strict=True):
        assert (one.step, one.trained_tokens) == (other.step, other.trained_tokens)
        assert [b.tokens_BS.tolist() for b in one.batches] == [b.tokens_BS.tolist() for b in other.batches]
    assert threads() == 0


def test_no_further_ahead_than_told() -> None:
    made: list[int] = []

    def make() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    with Prefetch(make, ahead=2) as items:
        until(lambda: len(made) == 3)  # two in the queue, one in hand
        time.sleep(0.3)
        assert len(made) == 3
        assert next(iter(items)) == 0
        until(lambda: len(made) == 4)
    assert threads() == 0 and len(made) <= 5


def test_an_error_comes_where_its_item_would() -> None:
    def make() -> Iterator[int]:
        yield 1
        yield 2
        raise OSError("the disk is gone")

    got = []
    with pytest.raises(OSError, match="the disk is gone"), Prefetch(make) as items:
        for item in items:
            got.append(item)
    assert got == [1, 2] and threads() == 0
    failing = Prefetch(make)
    with pytest.raises(OSError):
        list(failing)
    assert list(failing) == []  # and does not wait for a thread that has ended


def test_the_end_is_an_end_and_closing_twice_does_no_harm() -> None:
    items = Prefetch(lambda: iter([1, 2, 3]))
    assert list(items) == [1, 2, 3]
    assert list(items) == []
    items.close()
    items.close()
    assert threads() == 0
