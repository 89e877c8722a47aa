"""What a task works on that takes many splits. A unit of the finish pass is of one source, and known before its work is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from curation.run.receipt import Receipt

BYTES_PER_TOKEN = 4  # a guess, only to group splits into units of about the wanted size


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: its name `SOURCE/00000`, its splits in order, the bytes of their survivors' text."""

    name: str
    source: str
    splits: tuple[str, ...]
    text_bytes: int


def plan_units(refined: Sequence[Receipt], tokens: float) -> list[Unit]:
    """Groups the splits of each source, in order, until a group's text promises so many tokens."""
    units: list[Unit] = []
    for source in dict.fromkeys(receipt.source for receipt in refined):
        groups: list[list[Receipt]] = [[]]
        held = 0
        for receipt in refined:
            if receipt.source == source:
                size = receipt.facts["text_bytes"]
                if groups[-1] and held + size > tokens * BYTES_PER_TOKEN:
                    groups.append([])
                    held = 0
                groups[-1].append(receipt)
                held += size
        units += [
            Unit(f"{source}/{n:05d}", source, tuple(r.unit for r in group), sum(r.facts["text_bytes"] for r in group))
            for n, group in enumerate(groups)
        ]
    return units


def grouped(refined: Sequence[Receipt], fact: str, most: float) -> list[tuple[str, ...]]:
    """The splits with survivors in groups of about so much of a fact: a task, and its blobs, should not be small."""
    groups: list[list[str]] = [[]]
    held = 0
    for receipt in refined:
        if receipt.facts["survivors"]:
            if groups[-1] and held + receipt.facts[fact] > most:
                groups.append([])
                held = 0
            groups[-1].append(receipt.unit)
            held += receipt.facts[fact]
    return [tuple(group) for group in groups if group]
