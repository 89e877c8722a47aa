"""The unit of work, of retry and of resume: one input file, or a range of records of a large one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from connectors.errors import UserError
from connectors.readers import count_records
from connectors.storage import InputFile, list_inputs, local_path, split_pattern

RECORDS = 100_000  # of a split, at most, where a file can be read from the middle


@dataclass(frozen=True, slots=True)
class Split:
    """Records [first, stop) of one file. `name` is stable: it holds the source and the path below the source's root.

    source   the input's name
    archive  the file's path relative to the source's root
    uri      where the file lies now; no output depends on it
    size     bytes of the file, or of its part
    """

    source: str
    archive: str
    uri: str
    size: int
    first: int = 0
    stop: int | None = None

    @property
    def name(self) -> str:
        """`crawl/00000.warc.gz`, or `crawl/big.parquet@0-100000` for a range."""
        part = (
            "" if self.first == 0 and self.stop is None else f"@{self.first}-{'' if self.stop is None else self.stop}"
        )
        return f"{self.source}/{self.archive}{part}"


def plan_splits(inputs: Sequence[str]) -> list[Split]:
    """The splits of the inputs in the order that numbers documents: source by source as given, then by path.

    An input is `PATTERN` or `NAME=PATTERN`; without a name the source is called as the pattern's folder. Raises `UserError`
    where nothing matches, a file is of no known kind, or one file is named twice.
    """
    splits: list[Split] = []
    for given in inputs:
        name, separator, pattern = given.partition("=")
        if not separator or "/" in name or local_path(given).exists():
            name, pattern = "", given
        if name in (".", ".."):
            raise UserError(f"'{name}' in --input {given} is no name for a source")
        source = name or source_name(pattern)
        splits += [split for file in list_inputs(pattern) for split in splits_of(source, file)]
    seen: set[str] = set()
    for split in splits:
        if split.name in seen:
            raise UserError(f"Two inputs hold {split.name}: name the sources apart, --input a=… --input b=…")
        seen.add(split.name)
    return splits


def recursive_root(given: str) -> Path | None:
    """The folder that an input takes in with all below it; None for one that takes in no folders."""
    pattern = given if local_path(given).exists() else given.partition("=")[2] or given
    if local_path(pattern).is_dir():
        return local_path(pattern)
    return local_path(split_pattern(pattern)[0]) if "**" in pattern else None


def splits_of(source: str, file: InputFile) -> list[Split]:
    """A file as one split or, if it has many records and can be read from the middle, as ranges of records."""
    records = count_records(file.uri) or 0
    if records <= RECORDS:
        return [Split(source, file.path, file.uri, file.size)]
    return [
        Split(source, file.path, file.uri, file.size * min(RECORDS, records - first) // records, first, first + RECORDS)
        for first in range(0, records, RECORDS)
    ]


def source_name(pattern: str) -> str:
    """The name of the folder that a pattern's fixed part ends in."""
    path = local_path(pattern)
    root = path if path.is_dir() else local_path(split_pattern(pattern)[0])
    return PurePosixPath(root.resolve().as_posix()).name or "root"
