"""A folder of block lists by category, `CATEGORY/{domains,urls}`, as the University of Toulouse (UT1) gives them out.

Meaning: that of squidGuard, for which the format was made. A domain stands for its subdomains, too; an address, written
without scheme and `www.`, for all that lies below it; capitals do not count. The list `adult` has some five million
entries: they are kept as sorted 64-bit hashes beside one Arrow column, 20 bytes more than their text, and a hit is
compared in full.
"""

from __future__ import annotations

import bisect
import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import xxhash

from connectors.errors import UserError, nearest

FILES = ("domains", "urls")
_LINES = 65_536  # read at a time


@dataclass(frozen=True, slots=True, eq=False)
class Blacklist:
    """The entries of some categories. `hashes` are sorted; `order` says which entry each is of; `ends` where in
    `entries` each category ends; `depth` is the greatest number of slashes in an entry."""

    categories: tuple[str, ...]
    hashes: memoryview
    order: memoryview
    entries: pa.LargeStringArray
    ends: tuple[int, ...]
    depth: int

    def category(self, url: str) -> str | None:
        """The first category, in the order given, that lists the address; None where none does."""
        found = [at for candidate in candidates(url, self.depth) for at in self._places(candidate)]
        return self.categories[bisect.bisect_right(self.ends, min(found))] if found else None

    def _places(self, candidate: str) -> Iterator[int]:
        key = xxhash.xxh3_64_intdigest(candidate)
        at = bisect.bisect_left(self.hashes, key)
        while at < len(self.hashes) and self.hashes[at] == key:
            if self.entries[self.order[at]].as_py() == candidate:
                yield self.order[at]
            at += 1


@functools.cache
def open_blacklist(folder: str, categories: tuple[str, ...]) -> Blacklist:
    """Reads the lists of the categories. Raises `UserError` where one cannot be read."""
    chunks: list[pa.Array] = []
    hashes: list[np.ndarray[tuple[int], np.dtype[np.uint64]]] = []
    ends: list[int] = []
    depth = 0
    for category in categories:
        for entries in _entries(list_files(folder, (category,))):
            hashes.append(np.array([xxhash.xxh3_64_intdigest(entry) for entry in entries], np.uint64))
            chunks.append(pa.array(entries, pa.large_string()))
            depth = max(depth, max(entry.count("/") for entry in entries))
        ends.append(sum(map(len, chunks)))
    joined = np.concatenate([*hashes, np.empty(0, np.uint64)])
    order = np.argsort(joined, kind="stable").astype(np.uint32)
    column = pa.concat_arrays([*chunks, pa.array([], pa.large_string())])
    return Blacklist(categories, joined[order].data, order.data, column, tuple(ends), depth)


def known_categories(folder: str) -> tuple[str, ...]:
    """The names of the folders below that have lists."""
    return tuple(sorted({file.parent.name for name in FILES for file in Path(folder).glob(f"*/{name}")}))


def list_files(folder: str, categories: tuple[str, ...]) -> tuple[str, ...]:
    """The files of the categories, in order. Raises `UserError` for a category that has none."""
    known = known_categories(folder)
    for category in categories:
        if category not in known:
            raise UserError(f"The blacklists in '{folder}' have no category '{category}'.{nearest(category, known)}")
    paths = (Path(folder) / category / name for category in categories for name in FILES)
    return tuple(str(path) for path in paths if path.is_file())


def host_of(url: str) -> str:
    """The host in lower case, without user, port and dots at the end; "" where there is none."""
    return _host_and_rest(url)[0]


def parents(host: str) -> Iterator[str]:
    """The host and the domains above it, the top one included; at most 127 labels, as DNS allows."""
    labels = host.split(".")[-127:]
    for first in range(len(labels)):
        yield ".".join(labels[first:])


def candidates(url: str, depth: int) -> Iterator[str]:
    """What an entry that lists the address may be: the domains, and the addresses above it with up to `depth` slashes."""
    host, rest = _host_and_rest(url)
    if not host:
        return
    yield from parents(host)
    site = host.removeprefix("www.")
    if site != host:
        yield site
    page = rest.partition("#")[0]
    path = page.partition("?")[0]
    parts = path.split("/", depth + 1)[1:]
    for size in range(1, min(depth, len(parts)) + 1):
        if parts[size - 1]:
            yield "/".join((site, *parts[:size]))
    for address in {page, rest} - {path}:
        yield site + address.rstrip("/")


def _host_and_rest(url: str) -> tuple[str, str]:
    """The host, and what stands behind it, all in lower case."""
    before, marks, behind = url.lower().partition("://")
    address = behind if marks and "/" not in before else url.lower().removeprefix("//")
    end = min((at for at in map(address.find, "/?#") if at >= 0), default=len(address))
    host = address[:end].rpartition("@")[2]
    host = host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
    return host.rstrip("."), address[end:]


def _entries(paths: tuple[str, ...]) -> Iterator[list[str]]:
    """The entries of the files, in lists of at most `_LINES`."""
    for path in paths:
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                while lines := list(itertools.islice(file, _LINES)):
                    entries = [_entry(line) for line in lines if line.strip() and not line.startswith("#")]
                    if entries:
                        yield entries
        except OSError as error:
            raise UserError(f"The block list '{path}' cannot be read: {error.strerror}.") from None


def _entry(line: str) -> str:
    entry = line.strip().lower().rstrip("/")
    return entry.removeprefix("www.") if "/" in entry else entry
