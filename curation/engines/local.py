"""The local engine: processes of this machine, no JVM.

Each worker is a pool of one process, so that a death is the death of one known item and disturbs no other.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

from connectors.errors import UserError
from curation.engines.blob_files import shuffle_by_files
from curation.engines.engine import Emit, Failure, Item, Reduce, Result, attempt
from curation.engines.freed_memory import keep_freed_memory

DEATHS_ALLOWED = 20  # of workers that had the same item; then something else is wrong than a document


class WorkerDied(UserError):
    """Worker processes keep dying of one item. Says how to go on."""


class LocalEngine:
    """Runs tasks in processes. `workers` defaults to the processors that this process may use."""

    name = "local"
    few = few_light = 4

    def __init__(self, scratch: str, workers: int | None = None) -> None:
        self.scratch = scratch
        self.workers = workers or len(os.sched_getaffinity(0))
        self._pools: dict[int, ProcessPoolExecutor] = {}

    def map(
        self, task: Callable[[Item], Result], items: Sequence[Item], alike: bool = False
    ) -> Iterator[tuple[int, Result]]:
        """See `Engine.map`. When a worker dies, its item is given to a new one; the other workers go on."""
        waiting = deque(enumerate(items))
        at_work: dict[Future[Result | Failure], tuple[int, Item, int]] = {}
        idle = list(range(self.workers))[::-1]
        deaths: Counter[int] = Counter()
        while waiting or at_work:
            while waiting and idle:
                number, item = waiting.popleft()
                worker = idle.pop()
                at_work[self._submit(worker, task, item)] = number, item, worker
            done, _ = wait(at_work, return_when=FIRST_COMPLETED)
            for future in done:
                number, item, worker = at_work.pop(future)
                idle.append(worker)
                try:
                    result = future.result()
                except BrokenProcessPool:
                    self._end(worker)
                    deaths[number] += 1
                    if deaths[number] > DEATHS_ALLOWED:
                        raise WorkerDied(
                            f"{deaths[number]} workers died one after another, {len(waiting) + len(at_work) + 1} tasks "
                            "are left. Is there enough memory? Try --workers 1; the same command goes on where it stopped"
                        ) from None
                    waiting.appendleft((number, item))
                    continue
                if isinstance(result, Failure):
                    raise result.error
                yield number, result

    def _submit(self, worker: int, task: Callable[[Item], Result], item: Item) -> Future[Result | Failure]:
        try:
            return self._pool(worker).submit(attempt, task, item)
        except BrokenProcessPool:  # it died while it had nothing to do
            self._end(worker)
            return self._pool(worker).submit(attempt, task, item)

    def _pool(self, worker: int) -> ProcessPoolExecutor:
        if worker not in self._pools:
            context = multiprocessing.get_context("spawn")
            self._pools[worker] = ProcessPoolExecutor(1, context, initializer=_begin, initargs=(os.getpid(),))
        return self._pools[worker]

    def _end(self, worker: int) -> None:
        pool = self._pools.pop(worker)
        for process in list((pool._processes or {}).values()):
            process.kill()
        pool.shutdown(wait=True, cancel_futures=True)

    def shuffle(self, emit: Emit[Item], items: Sequence[Item], reduce: Reduce, partitions: int) -> Iterator[bytes]:
        """See `Engine.shuffle`. Blobs lie in files between the two halves."""
        yield from shuffle_by_files(self.map, f"{self.scratch}/shuffle", emit, items, reduce, partitions)

    def close(self) -> None:
        """Ends the workers at once."""
        for worker in list(self._pools):
            self._end(worker)


def _begin(parent: int) -> None:
    """Makes this process a worker. It ends when its parent is gone, killed or not: nothing goes on in the dark.

    An interrupt from the keyboard is the parent's to answer.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    keep_freed_memory()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
