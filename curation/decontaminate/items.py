"""Evaluation sets as the user gives them: files of JSON lines or Parquet, one item a record, the set named as its file.

`text` is the item; where there is a column `query`, `text` is the answer alone, as in datatrove. `id` names the item, else its
number in the file does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from connectors import jsonl, parquet, storage
from connectors.errors import UserError
from connectors.readers import format_of
from connectors.records import Limits

FORMATS = (jsonl, parquet)
LONGEST_ID = 200  # characters


class File(NamedTuple):
    """A file and the SHA-256 of its content, so that what is made of it is not taken for that of another."""

    path: str
    sha256: str


class EvaluationSet(NamedTuple):
    """A set's name and file."""

    name: str
    file: File

    @property
    def path(self) -> str:
        """The file's path."""
        return self.file.path


class Item(NamedTuple):
    """One item; `query` is None where the set does not tell question from answer."""

    id: str
    query: str | None
    text: str


def find_sets(patterns: Sequence[str]) -> tuple[EvaluationSet, ...]:
    """The sets that paths, folders or glob patterns name, in order.

    Raises `UserError` where a pattern names nothing, a file is of another kind, or two sets would have one name.
    """
    found = [file.uri for pattern in patterns for file in storage.list_inputs(pattern)]
    sets: dict[str, EvaluationSet] = {}
    for path in dict.fromkeys(found):
        name = _name(path)
        if name in sets:
            raise UserError(f"Two evaluation sets are called '{name}': {sets[name].path} and {path}. Rename one file")
        sets[name] = EvaluationSet(name, digested(path))
    return tuple(sets.values())


def digested(path: str) -> File:
    """A file with its digest. Raises `UserError` where it cannot be read."""
    try:
        return File(path, storage.digest(path).sha256)
    except OSError as error:
        raise UserError(f"'{path}' cannot be read: {(error.strerror or 'error').lower()}.") from None


def _name(path: str) -> str:
    module = format_of(path)
    if module not in FORMATS:
        raise UserError(f"{path} is no evaluation set: give JSON lines or Parquet with the columns id and text")
    file = path.rpartition("/")[2]
    suffix = max((s for s in module.SUFFIXES if file.lower().endswith(s)), key=len, default="")
    return file[: len(file) - len(suffix)] or file


def read_items(path: str) -> Iterator[Item]:
    """The items of a file. Raises `UserError` for a record that is none; one without text is an item with the text ""."""
    for number, record in enumerate(format_of(path).read(path, Limits())):
        refusal = record.refusal
        if refusal is not None and refusal.reason != "empty_body":
            raise UserError(f"{path}: record {number + 1} is no item ({refusal.reason}): each needs a string in 'text'")
        columns = json.loads(record.meta) if record.meta else {}
        query, name = columns.get("query"), columns.get("id")
        if query is not None and not isinstance(query, str):
            raise UserError(f"{path}: record {number + 1} has a 'query' that is no string")
        yield Item(str(number if name is None else name)[:LONGEST_ID], query, record.content.decode())


def read_phrases(path: str) -> list[str]:
    """The lines of a file. Raises `UserError` where it cannot be read."""
    try:
        with storage.open_input(path) as file:
            return file.read().decode().splitlines()
    except UnicodeDecodeError:
        raise UserError(f"The list '{path}' is not UTF-8.") from None
    except OSError as error:
        raise UserError(f"The list '{path}' cannot be read: {(error.strerror or 'error').lower()}.") from None
