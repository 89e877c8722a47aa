"""Which shards there will be, from what the finish units hold: each is a range of keys of the runs of some units.

    split    a shard takes whole units, in order, until the next would pass `shard_tokens`
    global   K = tokens / shard_tokens shards of all units; shard k has the keys of [k/K, (k+1)/K)

Both for each source, group and part by itself. Where there are no documents there is no shard; a range may be empty.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from curation.pipeline.segments import Segment
from curation.recipes.tokenize import Tokenize
from curation.run.receipt import Receipt
from curation.tokenize.document_keys import KEYS


@dataclass(frozen=True, slots=True)
class Stretch:
    """A segment in a unit's run: its first entry, and how many there are."""

    unit: str
    first: int
    documents: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard to be: the documents of some stretches whose keys lie in [low, high). `tokens` is exact but for ranges."""

    source: str
    segment: Segment
    number: int
    stretches: tuple[Stretch, ...]
    tokens: int
    low: int = 0
    high: int = KEYS

    @property
    def folder(self) -> str:
        """Where it lies in RUN/shards."""
        return self.segment.folder(self.source)

    @property
    def name(self) -> str:
        """`web/00000`."""
        return shard_name(self.folder, self.number)


@dataclass(frozen=True, slots=True)
class Placing:
    """Where a stretch of a unit went: shards of one folder, from the first on; in each it is the stretch of that number."""

    folder: str
    first: int
    shards: int
    stretch: int


def shard_name(folder: str, number: int) -> str:
    """A shard's name, by its folder and its number there."""
    return f"{folder}/{number:05d}"


def plan_shards(finished: Sequence[Receipt], settings: Tokenize) -> list[Shard]:
    """The shards of a run, training data first, then source by source. Driver memory is some bytes a unit, shard and group."""
    held: dict[tuple[str, Segment], list[Stretch]] = {}
    for receipt in finished:
        first = 0
        for row in receipt.facts["segments"]:
            segment = Segment(row["part"], row["language"], row["quality"])
            stretch = Stretch(receipt.unit, first, row["documents"], row["tokens"])
            held.setdefault((receipt.source, segment), []).append(stretch)
            first += stretch.documents
    sources = list(dict.fromkeys(receipt.source for receipt in finished))
    in_order = sorted(held, key=lambda each: (each[1].rank[0], sources.index(each[0]), each[1].rank))
    cut = by_keys if settings.order == "global" else by_units
    return [shard for each in in_order for shard in cut(*each, held[each], settings.shard_tokens)]


def by_units(source: str, segment: Segment, stretches: Sequence[Stretch], tokens: float) -> Iterator[Shard]:
    """Whole units, in order: a shard takes them until the next would pass the tokens."""
    groups: list[list[Stretch]] = []
    held = 0
    for stretch in stretches:
        if not groups or held + stretch.tokens > tokens:
            groups.append([])
            held = 0
        groups[-1].append(stretch)
        held += stretch.tokens
    for number, group in enumerate(groups):
        yield Shard(source, segment, number, tuple(group), sum(stretch.tokens for stretch in group))


def by_keys(source: str, segment: Segment, stretches: Sequence[Stretch], tokens: float) -> Iterator[Shard]:
    """Equal ranges of keys of all units."""
    total, everything = sum(stretch.tokens for stretch in stretches), tuple(stretches)
    count = max(1, math.ceil(total / tokens))
    for number in range(count):
        low, high = -(-number * KEYS // count), -(-(number + 1) * KEYS // count)
        yield Shard(source, segment, number, everything, total // count, low, high)


def placings(shards: Iterable[Shard]) -> dict[str, list[Placing]]:
    """For each unit where its stretches went, in the order of its run."""
    found: dict[str, list[Placing]] = {}
    for (folder, _), group in groupby(shards, key=lambda shard: (shard.folder, id(shard.stretches))):
        alike = list(group)
        for number, stretch in enumerate(alike[0].stretches):
            found.setdefault(stretch.unit, []).append(Placing(folder, alike[0].number, len(alike), number))
    return found
