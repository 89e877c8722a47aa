"""Phrases of evaluation items that many documents have: quotations, templates, boilerplate. A list for the key `ignore`.

Source: Brown et al. 2020 (GPT-3), appendix C, which ignores 13-grams that more than 10 training documents have. It takes a look at
the corpus, or a sample of it, before the run.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from curation.decontaminate.items import read_items
from curation.decontaminate.matching import find
from curation.decontaminate.step import Decontaminate
from curation.decontaminate.units import unit_strings
from curation.text.columns import text_batch

MORE_THAN = 10  # documents


def common_phrases(step: Decontaminate, columns: Iterable[Any], more_than: int = MORE_THAN) -> list[str]:
    """The n-grams of the step's sets, and short items, that stand in more documents than `more_than`, in normal form.

    columns   Arrow columns of texts, a document a row; the corpus may be any number of them. Memory is 4 bytes an n-gram.
    """
    index = step.index
    documents = np.zeros(len(index.keys), np.int32)
    for column in columns:
        for found in find(text_batch(column), index, step.settings.split):
            documents[np.unique(found.keys)] += 1
    keys = np.flatnonzero(documents > more_than)
    positions = index.positions[index.places[keys]].astype(np.int64)
    owners = index.items_at(positions)
    wanted: dict[int, list[tuple[int, int]]] = {}
    for item, first, length in zip(
        owners.tolist(),
        (positions - index.item_offsets[owners]).tolist(),
        index.key_lengths[keys].tolist(),
        strict=True,
    ):
        wanted.setdefault(item, []).append((first, length))
    phrases: list[str] = []
    items = (item for each in step.evaluation_sets for item in read_items(each.path))
    for number, item in enumerate(items):
        if number in wanted:
            units = [unit for side in (item.query or "", item.text) for unit in unit_strings(side, step.settings.split)]
            phrases += [" ".join(units[first : first + length]) for first, length in sorted(wanted[number])]
    return phrases
