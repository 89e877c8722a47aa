"""The local engine: processes of this machine, no JVM."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial

from connectors import storage
from curation.engines.engine import Emit, Item, Reduce, Result

DEATHS_ALLOWED = 20  # of workers in a row without a finished item; then something else is wrong than a document


class WorkerDied(Exception):
    """Worker processes keep dying. Says how to go on."""


class LocalEngine:
    """Runs tasks in a pool of processes. `workers` defaults to the processors that this process may use."""

    name = "local"

    def __init__(self, scratch: str, workers: int | None = None) -> None:
        self.scratch = scratch
        self.workers = workers or len(os.sched_getaffinity(0))
        self._pool: ProcessPoolExecutor | None = None
        self._shuffles = 0

    def map(self, task: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[tuple[int, Result]]:
        """See `Engine.map`. When a worker dies, all items that it may have held are given to new workers."""
        todo = dict(enumerate(items))
        deaths = 0
        while todo:
            try:
                for number, result in self._run(task, todo):
                    deaths = 0
                    del todo[number]
                    yield number, result
            except BrokenProcessPool:
                self.close()
                deaths += 1
                if deaths > DEATHS_ALLOWED:
                    raise WorkerDied(
                        f"{deaths} workers died one after another with {len(todo)} tasks left. "
                        "Is there enough memory? Try --workers 1; the same command goes on where it stopped."
                    ) from None

    def _run(self, task: Callable[[Item], Result], todo: dict[int, Item]) -> Iterator[tuple[int, Result]]:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self.workers, context, initializer=_end_with, initargs=(os.getpid(),))
        futures: dict[Future[Result], int] = {}
        waiting = iter(list(todo.items()))
        while True:
            for number, item in waiting:  # keeps few items in flight, so that a death concerns few
                futures[self._pool.submit(task, item)] = number
                if len(futures) >= 2 * self.workers:
                    break
            if not futures:
                return
            done, _ = wait(futures, return_when=FIRST_COMPLETED)
            for future in done:
                yield futures.pop(future), future.result()

    def shuffle(self, emit: Emit[Item], items: Sequence[Item], reduce: Reduce, partitions: int) -> Iterator[bytes]:
        """See `Engine.shuffle`. Blobs lie in files between the two halves."""
        self._shuffles += 1
        folder = f"{self.scratch}/shuffle-{self._shuffles}"
        storage.remove_tree(folder)
        for _ in self.map(partial(_put_blobs, emit, folder), list(enumerate(items))):
            pass
        for _, result in self.map(partial(_reduce_partition, reduce, folder), range(partitions)):
            if result is not None:
                yield result
        storage.remove_tree(folder)

    def close(self) -> None:
        """Ends the workers at once."""
        if self._pool is not None:
            for process in list((self._pool._processes or {}).values()):
                process.kill()
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None


def _put_blobs(emit: Emit[Item], folder: str, numbered: tuple[int, Item]) -> None:
    number, item = numbered
    for partition, blob in emit(item):
        storage.write_bytes(f"{folder}/{partition}/{number}.blob", blob)


def _reduce_partition(reduce: Reduce, folder: str, partition: int) -> bytes | None:
    names = storage.list_files(f"{folder}/{partition}", ".blob")
    blobs = sorted(storage.read_bytes(f"{folder}/{partition}/{name}") for name in names)
    return reduce(partition, blobs) if blobs else None


def _end_with(parent: int) -> None:
    """Ends this worker when its parent is gone, killed or not: nothing goes on in the dark."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
