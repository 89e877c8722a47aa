"""A manifest of which only what a question needs is parsed, however many files and shards the run has.

Manifests are laid out by `write_manifest`: a key of the whole begins a line after one blank, a row of a list after two, and the
list of files, nearly all of it, comes late. Nothing from there on is read. Any other layout is parsed whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from typing import Any, BinaryIO

from connectors import storage
from curation.run.folder import RunFolder
from curation.run.manifest import read_manifest

_PIECE = 1 << 16  # bytes that are read at once


class ManifestSearch:
    """A run's manifest up to its list of files. Raises `UserError` as `read_manifest` does, where it comes to parse it whole."""

    def __init__(self, run: RunFolder) -> None:
        self._run = run
        with storage.open_input(run.uri(run.manifest)) as file:
            self._content = _before_files(file)

    @cached_property
    def whole(self) -> dict[str, Any]:
        """All of it, parsed."""
        return read_manifest(self._run) or {}

    def part(self, name: str) -> Any:
        """The value of a key of the whole. KeyError where there is none."""
        start = self._start(name)
        stop = self._content.find(b'\n "', start) if start >= 0 else -1
        if stop >= 0:
            try:
                return json.loads(self._content[start:stop].rstrip().rstrip(b","))
            except ValueError:
                pass
        return self.whole[name]

    def row(self, part: str, key: str, value: str) -> dict[str, Any] | None:
        """The first row of a list whose `key` is a string, or a list of strings that holds it; None where there is none."""
        for row in self._candidates(part, value):
            held = row.get(key)
            if held == value or (isinstance(held, list) and value in held):
                return row
        return None

    def _candidates(self, part: str, value: str) -> Iterator[dict[str, Any]]:
        """Rows in which a string stands, or all rows where the layout is another."""
        start = self._start(part)  # a string that stands in a later list, too, is in no row with this key
        wanted = json.dumps(value, ensure_ascii=False).encode()
        place = self._content.find(wanted, start) if start >= 0 else -1
        while place >= 0:
            first, last = self._content.rfind(b"\n  {", start, place), self._content.find(b"\n  }", place)
            try:
                row = json.loads(self._content[first : last + 4])
            except ValueError:
                break
            yield row
            place = self._content.find(wanted, last)
        if start < 0 or place >= 0:
            yield from self.whole.get(part, [])

    def _start(self, name: str) -> int:
        """Where the value of a key of the whole begins, -1 where it is not found."""
        marked = f'\n "{name}": '.encode()
        start = self._content.find(marked)
        return start + len(marked) if start >= 0 else -1


def _before_files(file: BinaryIO) -> bytes:
    """A manifest up to the key `files`, and that."""
    content, mark = bytearray(), b'\n "files": '
    while piece := file.read(_PIECE):
        seam = max(0, len(content) - len(mark))
        content += piece
        place = content.find(mark, seam)
        if place >= 0:
            return bytes(content[: place + len(mark)])
    return bytes(content)
