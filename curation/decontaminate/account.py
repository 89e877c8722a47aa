"""What can be said of evaluation sets before any document is seen: the size of their index, and what cannot be checked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from curation.decontaminate.index import Index
from curation.decontaminate.items import EvaluationSet

NAMED = 10  # items of a set that are named in a line


def unchecked(index: Index, sets: Sequence[EvaluationSet]) -> dict[str, list[str]]:
    """The items of each set that cannot be found: too short, or of nothing but n-grams that are ignored."""
    items = np.flatnonzero(index.coverable == 0).tolist()
    found: dict[str, list[str]] = {each.name: [] for each in sets}
    for item in items:
        found[sets[index.item_sets[item]].name].append(index.item_ids[item])
    return found


def account_of(index: Index, sets: Sequence[EvaluationSet]) -> tuple[str, ...]:
    """A line on the index, and one for each set that has items which cannot be checked."""
    size = f"{len(index.keys):,} n-grams of {len(index.item_ids):,} items in {len(sets)} sets, {index.bytes:,} bytes"
    lines = [f"index: {size}"]
    for name, ids in unchecked(index, sets).items():
        if ids:
            more = f" and {len(ids) - NAMED:,} more" if len(ids) > NAMED else ""
            lines.append(f"cannot be checked in {name}: {len(ids):,} items: {', '.join(ids[:NAMED])}{more}")
    return tuple(lines)
