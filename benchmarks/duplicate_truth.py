"""What deduplication found, held against what is true of each pair of documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TARGET = 0.8

Pair = frozenset[str]


@dataclass(frozen=True, slots=True)
class Quality:
    """How well duplicates were found.

    precision  the share of removed documents whose true Jaccard similarity with the document that they are removed for reaches
               the target; 1 where nothing was removed
    missed     the share of the pairs that reach the target of which both documents are kept; 0 where there are none
    """

    removed: int
    precision: float
    missed: float

    @classmethod
    def counted(cls, removed: int, right: int, pairs: int, both_kept: int) -> Quality:
        """From counts: removed documents, those that were removed for a similar one, similar pairs, those left as they were."""
        return cls(removed, right / removed if removed else 1.0, both_kept / pairs if pairs else 0.0)


def quality(kept_for: Mapping[str, str], similarities: Mapping[Pair, float], target: float = TARGET) -> Quality:
    """`kept_for` names for each removed document the one that is kept for it; pairs that are not listed are dissimilar."""
    right = sum(similarities.get(frozenset(pair), 0.0) >= target for pair in kept_for.items())
    similar = [pair for pair, similarity in similarities.items() if similarity >= target]
    both_kept = sum(not any(document in kept_for for document in pair) for pair in similar)
    return Quality.counted(len(kept_for), right, len(similar), both_kept)


def listed_similarities(path: Path) -> dict[Pair, float]:
    """The pairs of a table with the columns `id_a`, `id_b`, `jaccard` and any others, separated by tabs."""
    heading, *lines = path.read_text().splitlines()
    columns = heading.split("\t")
    one, other, similarity = (columns.index(name) for name in ("id_a", "id_b", "jaccard"))
    rows = (line.split("\t") for line in lines)
    return {frozenset((row[one], row[other])): float(row[similarity]) for row in rows}
