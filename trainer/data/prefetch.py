"""Reads ahead in one thread, so that a step does not wait for the disk. A row costs microseconds: no worker processes."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Generic, Self, TypeVar

from trainer.data.batch import StepBatches, all_batches
from trainer.data.plan import DataPlan

T = TypeVar("T")


class Prefetch(Generic[T]):
    """An iterator whose items are made ahead, at most `ahead` of them, by one thread.

    An error in the thread is raised where its item would have come. `close` ends the thread, also in the middle.

        with Prefetch(lambda: all_batches(plan, 0, 100)) as steps:
            for step in steps: ...
    """

    def __init__(self, make: Callable[[], Iterator[T]], ahead: int = 2) -> None:
        self._made: queue.Queue[tuple[T | None, BaseException | None]] = queue.Queue(maxsize=ahead)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(make,), name="prefetch", daemon=True)
        self._thread.start()

    def _run(self, make: Callable[[], Iterator[T]]) -> None:
        try:
            for item in make():
                if not self._put((item, None)):
                    return
            self._put((None, None))
        except BaseException as error:  # raised again by the reader
            self._put((None, error))

    def _put(self, entry: tuple[T | None, BaseException | None]) -> bool:
        """Whether the entry was handed over before `close`."""
        while not self._stop.is_set():
            try:
                self._made.put(entry, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def __iter__(self) -> Iterator[T]:
        while not self._stop.is_set():
            item, error = self._made.get()
            if error is not None:
                self.close()
                raise error
            if item is None:
                return self.close()
            yield item

    def close(self) -> None:
        """Ends the thread; harmless when done twice."""
        self._stop.set()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def prefetched(
    plan: DataPlan, first_step: int, stop: int, data_rank: int = 0, data_size: int = 1, ahead: int = 2
) -> Prefetch[StepBatches]:
    """Steps `first_step` … `stop - 1` of a data rank, made ahead. Close it, or use it in a `with`."""
    return Prefetch(lambda: all_batches(plan, first_step, stop, data_rank, data_size), ahead)
