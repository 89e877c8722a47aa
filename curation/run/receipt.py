"""A receipt: the small file that says that a split has gone through a pass. Written last, after all that the split wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from connectors import storage
from connectors.storage import Written

Bytes = bytes  # a receipt has a field of that name


@dataclass(slots=True)
class StepCount:
    """What one step did: documents that came in, that went on, and that ended, by fate and reason."""

    entered: int = 0
    went_on: int = 0
    ended: dict[str, dict[str, int]] = field(default_factory=dict)

    def add(self, other: StepCount) -> None:
        """Adds another split's counts of the same step."""
        self.entered += other.entered
        self.went_on += other.went_on
        for fate, reasons in other.ended.items():
            mine = self.ended.setdefault(fate, {})
            for reason, count in reasons.items():
                mine[reason] = mine.get(reason, 0) + count

    @property
    def ended_total(self) -> int:
        """Documents whose way ended here."""
        return sum(sum(reasons.values()) for reasons in self.ended.values())

    def check(self, where: str) -> None:
        """Law 1: nothing is lost. Raises `Unbalanced` where documents in and out differ."""
        if self.entered != self.went_on + self.ended_total:
            raise Unbalanced(f"{where}: {self.entered} in, {self.went_on} on, {self.ended_total} ended")


class Unbalanced(Exception):
    """Documents were lost or made up: the run must not go on."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a split did in a pass.

    plan      digest of the plan that it belongs to: under another plan the receipt counts for nothing
    records   documents that entered the pass
    bytes     bytes of input
    counts    by step, in the order of the steps
    outputs   path in the run folder → size and hash
    facts     what later stages need to know (survivors, text bytes, tokens)
    timing    seconds of wall and CPU, by step; the only place where a clock is written
    """

    unit: str
    plan: str
    source: str
    records: int
    bytes: int
    counts: dict[str, StepCount]
    outputs: dict[str, Written]
    facts: dict[str, Any]
    timing: dict[str, float]

    def to_json(self) -> Bytes:
        """The file's content."""
        return (json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n").encode()

    @classmethod
    def from_json(cls, content: Bytes) -> Receipt:
        """Reads a receipt. Raises `ValueError` for anything else."""
        try:
            fields = json.loads(content)
            fields["counts"] = {step: StepCount(**count) for step, count in fields["counts"].items()}
            fields["outputs"] = {path: Written(**written) for path, written in fields["outputs"].items()}
            return cls(**fields)
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError("not a receipt") from error


def valid_receipt(uri: str, run: str, plan: str) -> Receipt | None:
    """The receipt at `uri` if it is of this plan and all its outputs lie in the run folder at their size, else None."""
    if not storage.exists(uri):
        return None
    try:
        receipt = Receipt.from_json(storage.read_bytes(uri))
    except ValueError:
        return None
    whole = all(
        storage.exists(f"{run}/{path}") and storage.size(f"{run}/{path}") == written.bytes
        for path, written in receipt.outputs.items()
    )
    mine = uri.endswith(f"/{receipt.unit}.json") and receipt.plan == plan
    return receipt if mine and whole else None


def total_counts(receipts: Iterator[Receipt] | list[Receipt]) -> dict[str, StepCount]:
    """The counts of many receipts added up, step by step."""
    total: dict[str, StepCount] = {}
    for receipt in receipts:
        for step, count in receipt.counts.items():
            total.setdefault(step, StepCount()).add(count)
    return total
