"""Finds a document that kills its worker: by what the worker had in hand when it died.

Before a batch is read or touched, its rows are noted in the run folder. An attempt that finds a note of an earlier one knows
that it died there, and takes those rows one by one; a row that workers of one command died of alone, twice, is to blame and
goes to quarantine. So any engine that runs a dead task again gets past it. A batch in hand when somebody ended the run is
merely done more slowly once, and an error is no death: it clears the note.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from connectors import storage

DEATHS_TO_BLAME = 2


@dataclass(slots=True)
class AtRisk:
    """The note of one split.

    session     names the command; deaths of another command's workers do not add up with ours
    suspects    ranges of rows that a worker died in
    blamed      rows to be quarantined
    unreadable  row that cannot even be read: reading ends before it; -1 for none
    """

    uri: str
    session: str
    suspects: list[tuple[int, int]] = field(default_factory=list)
    blamed: set[int] = field(default_factory=set)
    unreadable: int = -1
    _place: tuple[int, int] = (-1, -1)  # where the last attempt died alone, and how often
    _deaths: int = 0

    @classmethod
    def of_earlier_attempt(cls, uri: str, session: str, batch_documents: int) -> AtRisk:
        """Reads what an earlier attempt left, if it left anything."""
        note = read_note(uri)
        suspects = [(first, stop) for first, stop in note.get("suspects", [])]
        risk = cls(uri, session, suspects, set(note.get("blamed", [])), note.get("unreadable", -1))
        if note.get("in_hand"):
            first, stop = note["in_hand"]
            deaths = note["deaths"] + 1 if note["session"] == session else 1
            risk._add_death(first, stop, deaths, batch_documents)
        return risk

    def _add_death(self, first: int, stop: int, deaths: int, batch_documents: int) -> None:
        """A worker died with rows [first, stop) in hand; with none, while it read on from row `first`."""
        if not (self.is_suspect(first) and stop - first <= 1):
            self.suspects.append((first, max(stop, first + batch_documents + 1 if stop == first else stop)))
        elif deaths < DEATHS_TO_BLAME:
            self._place, self._deaths = (first, stop), deaths
        elif stop > first:
            self.blamed.add(first)
        else:
            self.unreadable = first

    def is_suspect(self, row: int) -> bool:
        """Whether a worker died with this row in hand."""
        return any(first <= row < stop for first, stop in self.suspects)

    def take(self, first: int, stop: int) -> None:
        """Notes that rows [first, stop) are in hand now; none, `stop == first`, while the next ones are read."""
        self._write([first, stop], self._deaths if (first, stop) == self._place else 0)

    def release(self) -> None:
        """Notes that nothing is in hand: the attempt ends by an error, which is nobody's death."""
        self._write(None, 0)

    def _write(self, in_hand: list[int] | None, deaths: int) -> None:
        note = {
            "session": self.session,
            "in_hand": in_hand,
            "deaths": deaths,
            "suspects": self.suspects,
            "blamed": sorted(self.blamed),
            "unreadable": self.unreadable,
        }
        storage.overwrite(self.uri, json.dumps(note).encode())


def read_note(uri: str) -> dict[str, Any]:
    """What a note says; nothing where there is none, or none that is whole: then the machine went down, not a worker."""
    try:
        note: dict[str, Any] = json.loads(storage.read_bytes(uri))
    except (FileNotFoundError, ValueError):
        return {}
    return note
