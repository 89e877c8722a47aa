"""What one item of a shuffle emits, in one file: the blobs as they come, and behind them which partition each is for.

blobs · rows of the index · u64 rows
"""

from __future__ import annotations

import os
from collections.abc import Iterable

import numpy as np

from connectors import storage

INDEX = np.dtype([("partition", "<i8"), ("offset", "<u8"), ("bytes", "<u8")])
_COUNT = 8


def write_blobs(uri: str, blobs: Iterable[tuple[int, bytes]]) -> None:
    """Writes (partition, blob) pairs, one at a time in memory. The file is for this command only: it need not outlast a crash."""
    path = storage.local_path(uri)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}{storage.PARTIAL}")
    rows: list[tuple[int, int, int]] = []
    place = 0
    with partial.open("wb") as file:
        for partition, blob in blobs:
            file.write(blob)
            rows.append((partition, place, len(blob)))
            place += len(blob)
        file.write(np.array(rows, INDEX).tobytes() + np.uint64(len(rows)).tobytes())
    partial.replace(path)


def read_blobs(uri: str, partition: int) -> list[bytes]:
    """The blobs for a partition. Reads those and the index."""
    with storage.open_input(uri) as file:
        file.seek(-_COUNT, os.SEEK_END)
        count = int(np.frombuffer(file.read(_COUNT), np.uint64)[0])
        file.seek(-_COUNT - count * INDEX.itemsize, os.SEEK_END)
        index = np.frombuffer(file.read(count * INDEX.itemsize), INDEX)
        blobs = []
        for row in index[index["partition"] == partition]:
            file.seek(int(row["offset"]))
            blobs.append(file.read(int(row["bytes"])))
    return blobs
