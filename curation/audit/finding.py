"""What `verify` finds: a place in the run, what is wrong there, and which documents it hits where that can be told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

from curation.audit.pages import open_table
from curation.audit.show import plain

Progress = Callable[[str, int], None]  # hears of a file and of the bytes of it that were just read


@dataclass(frozen=True, slots=True)
class Hit:
    """A document that a finding concerns: its id in hex, its URL ("" where none is known), and what is wrong with it."""

    doc_id: str
    url: str
    told: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `place` is a path in the run folder, or a part of the run; `problem` goes on from there.

    `is_damage`: a file's own bytes were altered, so that it is worth a look which documents they were.
    """

    place: str
    problem: str
    documents: tuple[Hit, ...] = ()
    is_damage: bool = False

    def __str__(self) -> str:
        return f"{self.place} {self.problem}"


def findings_table(findings: list[Finding]) -> Table:
    """All findings, a row each, and below it a row for each document that it hits."""
    noun = "thing is" if len(findings) == 1 else "things are"
    table = open_table(f"{len(findings):,} {noun} wrong", "where", "what", "document")
    for finding in findings:
        table.add_row(Text(f"✗ {plain(finding.place)}", style="red"), Text(plain(finding.problem)), "")
        for hit in finding.documents:
            table.add_row("", Text(plain(hit.told)), Text(plain(f"{hit.doc_id} {hit.url}".strip())))
    return table
