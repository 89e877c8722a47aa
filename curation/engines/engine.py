"""The protocol of an engine: two ways to run work, the same bytes from each engine."""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

Emit = Callable[[Item], Iterable[tuple[int, bytes | memoryview]]]
Reduce = Callable[[int, Sequence[memoryview]], bytes]


class Engine(Protocol):
    """Runs tasks. Tasks, items and results are pickled, so a task is a module's function or a small frozen dataclass."""

    name: str
    few: int  # items so quickly done that the caller does as many sooner itself than by a map
    few_light: int  # the same, of items that take some ten milliseconds each

    def map(
        self, task: Callable[[Item], Result], items: Sequence[Item], alike: bool = False
    ) -> Iterator[tuple[int, Result]]:
        """Each item's number and result, exactly once, in any order. A task whose worker dies is run again; one that raises
        ends the map with its error. `alike`: the items take about as long as each other.
        """
        ...

    def shuffle(self, emit: Emit[Item], items: Sequence[Item], reduce: Reduce, partitions: int) -> Iterator[bytes]:
        """Brings all blobs of a partition together.

        Items and partitions take about as long as each other.

        `emit(item)` gives (partition, blob) pairs, `reduce(partition, blobs)` one blob for each partition that got any;
        blobs come in the order of the items that gave them, and of one item in the order of giving. They are read where they lie:
        what of one is looked at takes memory.
        """
        ...

    def close(self) -> None:
        """Ends workers and sessions that the engine started itself."""
        ...


@dataclass(frozen=True, slots=True)
class Failure:
    """In place of a result: the error that a task raised."""

    error: Exception


def attempt(task: Callable[[Item], Result], item: Item) -> Result | Failure:
    """A task's result, or the error that it raised in a form that survives the way to the caller.

    An error would be the same at the next attempt: engines run again only what died, and hand over what was raised.
    """
    try:
        return task(item)
    except Exception as error:
        trace = traceback.format_exc()
        error.add_note(trace)
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:
            return Failure(RuntimeError(trace))
        return Failure(error)
