"""What can go wrong while training, and how the ranks agree on it: signals, a step that never ends."""

from __future__ import annotations

import faulthandler
import os
import signal
import statistics
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TextIO, TypeVar

T = TypeVar("T")
STOP_SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)
HUNG = 4  # exit code of a rank whose watchdog fired


class Ranks(Protocol):
    """The processes of a run, as far as they have to agree on something small."""

    rank: int
    world: int

    def gather(self, value: Any) -> list[Any]:
        """Every rank's value, by rank, on every rank. Every rank calls this."""
        ...

    def any(self, flag: bool) -> bool:
        """Whether the flag is set on any rank. Every rank calls this."""
        ...


class OneRank:
    """A run of one process."""

    rank, world = 0, 1

    def gather(self, value: Any) -> list[Any]:
        return [value]

    def any(self, flag: bool) -> bool:
        return flag


class GlooRanks:
    """Ranks of torch.distributed, over a gloo group of their own: what they agree on lives on the host."""

    def __init__(self) -> None:
        from torch import distributed

        self._distributed = distributed
        self.rank, self.world = distributed.get_rank(), distributed.get_world_size()
        self._group = distributed.new_group(backend="gloo")

    def gather(self, value: Any) -> list[Any]:
        answers: list[Any] = [None] * self.world
        self._distributed.all_gather_object(answers, value, group=self._group)
        return answers

    def any(self, flag: bool) -> bool:
        import torch

        answer = torch.tensor(int(flag))
        self._distributed.all_reduce(answer, op=self._distributed.ReduceOp.MAX, group=self._group)
        return bool(answer.item())


def all_ranks() -> Ranks:
    """The ranks of this run; called on every rank, once a backend has started torch.distributed."""
    from torch import distributed

    if distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1:
        return GlooRanks()
    return OneRank()


def together(ranks: Ranks, work: Callable[[], T]) -> list[T]:
    """What the work gives on each rank, by rank. Where it fails on one rank, every rank raises that rank's error."""
    result: T | None = None
    problem: Exception | None = None
    try:
        result = work()
    except Exception as error:
        if ranks.world == 1:
            raise
        problem = error
    answers: list[tuple[T, Exception | None]] = ranks.gather((result, problem))
    for _, raised in answers:
        if raised is not None:
            raise raised
    return [result for result, _ in answers]


def on_first(ranks: Ranks, work: Callable[[], T]) -> T:
    """What the work gives on rank 0, the only one that does it, on every rank; or its error on every rank."""
    return together(ranks, lambda: work() if ranks.rank == 0 else None)[0]  # type: ignore[return-value]


class StopRequest:
    """Whether a signal asked this process to stop. The run stops at the end of a step, on all ranks together."""

    def __init__(self) -> None:
        self.asked = ""  # the signal's name

    def _ask(self, number: int, frame: object) -> None:
        self.asked = signal.Signals(number).name
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a second Ctrl-C stops at once


@contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Listens to SIGTERM, SIGUSR1 and the first Ctrl-C; earlier handlers are put back at the end."""
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    earlier = {number: signal.signal(number, request._ask) for number in STOP_SIGNALS}
    try:
        yield request
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


class Watchdog:
    """Ends the process when no step has ended for `max(10 x median step, shortest)` seconds.

    A collective that waits for a rank that is gone waits for ever: then the stacks of all threads go to the log and the
    process exits with `HUNG`, so that whoever started it can start it again.
    """

    def __init__(self, log: TextIO | None = None, shortest: float = 300.0) -> None:
        self._log = log if log is not None else sys.__stderr__
        self._shortest = shortest
        self._durations: deque[float] = deque(maxlen=128)
        self._last = time.monotonic()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="watchdog")

    def limit(self) -> float:
        """Seconds that a step may take."""
        return max(10 * statistics.median(self._durations or [0.0]), self._shortest)

    def beat(self) -> None:
        """A step has ended."""
        now = time.monotonic()
        self._durations.append(now - self._last)
        self._last = now

    def rest(self) -> None:
        """Something other than a step has ended: a save, whose time says nothing of a step's."""
        self._last = time.monotonic()

    def __enter__(self) -> Watchdog:
        self._last = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()

    def _watch(self) -> None:
        while not self._ended.wait(min(1.0, self._shortest / 10)):
            waited = time.monotonic() - self._last
            if waited > self.limit():
                self._fire(waited)

    def _fire(self, waited: float) -> None:
        if self._log is not None:
            print(
                f"No step has ended for {waited:.0f} s: the stacks of all threads follow.", file=self._log, flush=True
            )
            faulthandler.dump_traceback(self._log, all_threads=True)
            self._log.flush()
        os._exit(HUNG)
