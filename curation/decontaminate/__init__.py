"""Evaluation items leave the training text: found by n-grams of words, in the ways of GPT-3, Llama and FineWeb.

`step`      the step `Decontaminate`
`ways`      what each published way asks, as data
`items`     evaluation sets from files
`units`     a text as the words or characters that n-grams are made of
`item_runs` which runs of units are to be found of items, and which are ignored
`places`    where units stand in a text
`index`     those of all sets, as sorted hashes
`matching`  which of them a batch's documents have, and how much of which item
`outcome`   verdicts, edits and the list of items
`cutting`   spans cut out of a text
`common`    phrases that are common in a corpus, to be ignored
`account`   what is known before any document: the size of the index, the items that cannot be checked
`kernels`   units and runs of them as hashes, compiled
"""

from __future__ import annotations

from curation.decontaminate.common import common_phrases
from curation.decontaminate.step import Decontaminate

__all__ = ["Decontaminate", "common_phrases"]
