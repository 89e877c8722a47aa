"""Tasks for the engines under test: functions of a module, so that any worker can load them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from connectors.errors import UserError


def square(number: int) -> int:
    return number * number


def slow_first(number: int) -> int:
    """Item 0 comes last wherever two work at once."""
    time.sleep(0.5 if number == 0 else 0.0)
    return number


def note(item: tuple[str, int]) -> int:
    """Leaves a file for each time that it was called."""
    folder, number = item
    Path(folder, f"{number}-{os.getpid()}-{time.monotonic_ns()}").touch()
    return number


def dies_twice(item: tuple[str, int]) -> int:
    """Kills its worker at the first two attempts of item 3."""
    folder, number = item
    attempts = Path(folder, f"attempts-{number}")
    with attempts.open("ab") as file:
        file.write(b".")
    if number == 3 and attempts.stat().st_size <= 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def always_dies(_: int) -> None:
    os._exit(1)


def refuses(number: int) -> int:
    if number == 4:
        raise UserError(f"item {number} is wrong: leave it out")
    return number


class Unpicklable(Exception):
    def __init__(self, one: int, two: int) -> None:
        super().__init__("needs two arguments")


def fails_unpicklable(number: int) -> int:
    raise Unpicklable(number, number)


def disk_full(_: int) -> None:
    raise OSError(28, "No space left on device")


def sleep_and_tell(item: tuple[str, int]) -> None:
    """Leaves its process id and sleeps long."""
    folder, number = item
    Path(folder, f"{number}.pid").write_text(str(os.getpid()))
    time.sleep(600)


def blobs_of(item: tuple[int, int]) -> Iterator[tuple[int, bytes]]:
    """`count` blobs of an item, to the partitions 0, 3, 6, … modulo 7."""
    number, count = item
    for i in range(count):
        yield 3 * i % 7, f"{number:03d}.{i}".encode()


def nothing(_: int) -> Iterator[tuple[int, bytes]]:
    return iter(())


def large_blob(number: int) -> Iterator[tuple[int, bytes]]:
    yield 0, bytes([number]) * (20 << 20)


def one_blob(number: int) -> Iterator[tuple[int, bytes]]:
    yield number % 2, b"\xff\x00same"


def joined(partition: int, blobs: Sequence[bytes | memoryview]) -> bytes:
    return f"{partition}:".encode() + b"|".join(blobs)


def sizes(partition: int, blobs: Sequence[memoryview]) -> bytes:
    return repr([(blob[0], len(blob)) for blob in blobs]).encode()
