"""Finds a document that kills its worker: by what the worker had in hand when it died.

Before a batch is touched its rows are noted in the run folder. An attempt that finds a note of an earlier one knows that it
died there, and takes those rows one by one; a row that a worker died of alone, twice, is the one to blame and goes to
quarantine. So any engine that runs a dead task again gets past it, and an innocent batch in hand when somebody killed the run
is merely done more slowly once.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from connectors import storage

DEATHS_TO_BLAME = 2


@dataclass(slots=True)
class AtRisk:
    """The note of one unit: `suspects` are rows of a batch that a worker died in; `blamed` are to be quarantined."""

    uri: str
    suspects: list[tuple[int, int]] = field(default_factory=list)
    blamed: set[int] = field(default_factory=set)
    _alone: int = -1
    _deaths: int = 0

    @classmethod
    def of_earlier_attempt(cls, uri: str) -> AtRisk:
        """Reads what an earlier attempt left, if it left anything."""
        note: dict[str, Any] = {}
        if storage.exists(uri):
            note = json.loads(storage.read_bytes(uri))
        risk = cls(uri, [tuple(rows) for rows in note.get("suspects", [])], set(note.get("blamed", [])))
        first, stop = note.get("in_hand", (0, 0))
        if risk.is_suspect(first) and stop - first == 1:
            risk._alone, risk._deaths = first, note.get("deaths", 0) + 1
            if risk._deaths >= DEATHS_TO_BLAME:
                risk.blamed.add(first)
        elif stop > first:
            risk.suspects.append((first, stop))
        return risk

    def is_suspect(self, row: int) -> bool:
        """Whether a worker died with this row in hand."""
        return any(first <= row < stop for first, stop in self.suspects)

    def take(self, first: int, stop: int) -> None:
        """Notes that rows [first, stop) are in hand now."""
        deaths = self._deaths if first == self._alone else 0
        note = {
            "in_hand": [first, stop],
            "deaths": deaths,
            "suspects": self.suspects,
            "blamed": sorted(self.blamed),
        }
        storage.write_bytes(self.uri, json.dumps(note).encode())
