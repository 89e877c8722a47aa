"""Deduplication audited from a run's folder: what a duplicate stands beside, what a kept document stands for, how right it was."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from curation.audit.differences import CHARACTERS
from curation.audit.story import FILE, Beside, Copies, Ledger, Story
from curation.audit.tokens import texts_by_id

MOST_COPIES = 5  # addresses of duplicates that a kept document's story names
_Z = 1.959964  # of a normal distribution, 95 % within


@dataclass(frozen=True, slots=True)
class Precision:
    """How many of the near duplicates that were drawn have the true Jaccard similarity that the recipe asks for."""

    drawn: int
    similar: int

    @property
    def share(self) -> float:
        """Of those drawn."""
        return self.similar / self.drawn

    @property
    def interval(self) -> tuple[float, float]:
        """In which the share of all lies, 95 %; honest for few and for shares near 1."""
        return wilson(self.similar, self.drawn)


def with_duplicates(ledger: Ledger, story: Story) -> Story:
    """The story with what stands beside a duplicate, or behind a kept document."""
    if story.fate["fate"] == "duplicate":
        found = beside(ledger, story)
        return replace(story, beside=found, duplicate_of=found.address or story.duplicate_of)
    if story.fate["fate"] == "kept":
        return replace(story, copies=copies(ledger, story))
    return story


def beside(ledger: Ledger, story: Story) -> Beside:
    """The kept document that a duplicate was removed for."""
    kept = bytes(story.fate["duplicate_of"])
    records = ledger.rows("records", "doc_id = ?", [kept])
    own = [bytes.fromhex(story.doc_id)]
    drawn: dict[str, Any] = next(iter(ledger.rows("near_duplicates", "doc_id = ?", own)), {})
    far: dict[str, Any] = next(iter(ledger.rows("elsewhere", "doc_id = ?", own)), {})
    place = f"{records[0]['source']}/{records[0]['archive']}, record at {records[0]['offset']:,}" if records else ""
    return Beside(
        doc_id=kept.hex(),
        place=place,
        elsewhere=not records,
        address=str(far.get("address") or ""),
        jaccard=drawn.get("jaccard"),
        removed=str(drawn.get("text", "")),
        kept=beginning(ledger, kept) if records else "",
    )


def beginning(ledger: Ledger, doc_id: bytes) -> str:
    """How a kept document's text begins, "" where the run holds no such text."""
    kept = ledger.rows("finish", "doc_id = ? AND fate = 'kept'", [doc_id], f"row, {FILE}")
    file = ledger.opened(ledger.folder.documents(ledger.unit_of("finish", kept[0]))) if kept else None
    return "" if file is None else texts_by_id(file, [kept[0]["row"]], [doc_id]).get(doc_id, "")[:CHARACTERS]


def copies(ledger: Ledger, story: Story) -> Copies:
    """The duplicates of a kept document."""
    kept = bytes.fromhex(story.doc_id)
    counted = ledger.rows("finish", "duplicate_of = ? GROUP BY reason ORDER BY reason", [kept], "reason, count(*) AS n")
    reasons = {row["reason"]: int(row["n"]) for row in counted}
    if not reasons:
        return Copies({}, [])
    first = ledger.rows("finish", f"duplicate_of = ? ORDER BY doc_id LIMIT {MOST_COPIES}", [kept], "doc_id")
    ids = [bytes(row["doc_id"]) for row in first]
    found = ledger.rows("records", "doc_id IN (SELECT unnest(?::BLOB[])) ORDER BY url, doc_id", [ids])
    return Copies(reasons, [row["url"] or f"{row['archive']} at {row['offset']}" for row in found])


def wilson(part: int, whole: int) -> tuple[float, float]:
    """The 95 % interval of a share, given how many of those drawn have it. Source: Wilson 1927, without continuity term."""
    share, squared = part / whole, _Z**2 / whole
    middle = (share + squared / 2) / (1 + squared)
    half = _Z * math.sqrt(share * (1 - share) / whole + squared / whole / 4) / (1 + squared)
    return max(0.0, middle - half), min(1.0, middle + half)
