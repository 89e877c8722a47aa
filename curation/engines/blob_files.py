"""A shuffle by files: what one item emits is in one, the blobs as they come, and behind them which partition each is for.

blobs · rows of the index · u64 rows
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from connectors import storage
from connectors.mapped_files import mapped
from curation.engines.engine import Emit, Item, Reduce

INDEX = np.dtype([("partition", "<i8"), ("offset", "<u8"), ("bytes", "<u8")])
_COUNT = 8
_ALIGNED = 16  # bytes: each blob begins at a multiple, as memory of its own would, since arrays are read where they lie

Map = Callable[[Callable[[Any], Any], Sequence[Any], bool], Iterator[tuple[int, Any]]]  # an engine's


def shuffle_by_files(
    map_items: Map, folder: str, emit: Emit[Item], items: Sequence[Item], reduce: Reduce, partitions: int
) -> Iterator[bytes]:
    """`Engine.shuffle` by two maps, each of items that are alike.

    Every worker reaches `folder`; what is written there is gone at the end.
    """
    place = f"{folder}-{uuid.uuid4().hex[:12]}"  # what an earlier command left is not ours
    for _ in map_items(partial(_put_blobs, emit, place), list(enumerate(items)), True):
        pass
    numbers = range(partitions if items else 0)
    for _, result in map_items(partial(_reduce_partition, reduce, place, len(items)), numbers, True):
        if result is not None:
            yield result
    storage.remove_tree(place)


def _put_blobs(emit: Emit[Item], folder: str, numbered: tuple[int, Item]) -> None:
    number, item = numbered
    write_blobs(f"{folder}/{number}", emit(item))


def _reduce_partition(reduce: Reduce, folder: str, items: int, partition: int) -> bytes | None:
    blobs = [blob for number in range(items) for blob in map_blobs(f"{folder}/{number}", partition)]
    return reduce(partition, blobs) if blobs else None


def write_blobs(uri: str, blobs: Iterable[tuple[int, bytes | memoryview]]) -> None:
    """Writes (partition, blob) pairs, one at a time in memory. The file is for this command only: it need not outlast a crash."""
    path = storage.local_path(uri)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{uuid.uuid4().hex[:12]}{storage.PARTIAL}")  # two attempts may be at work
    rows: list[tuple[int, int, int]] = []
    place = 0
    with unfinished.open("wb") as file:
        for partition, blob in blobs:
            file.write(blob)
            rows.append((partition, place, len(blob)))
            gap = -len(blob) % _ALIGNED
            file.write(bytes(gap))
            place += len(blob) + gap
        file.write(np.array(rows, INDEX).tobytes() + np.uint64(len(rows)).tobytes())
    unfinished.replace(path)


def map_blobs(uri: str, partition: int) -> list[memoryview]:
    """The blobs for a partition, as views of the file: to read them would copy them into memory of their own."""
    content = memoryview(mapped(uri)).cast("B")
    (count,) = np.frombuffer(content[-_COUNT:], np.uint64).tolist()
    index = np.frombuffer(content[-_COUNT - count * INDEX.itemsize : -_COUNT], INDEX)
    return [content[row["offset"] :][: row["bytes"]] for row in index[index["partition"] == partition]]
