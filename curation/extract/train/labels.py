"""Labels: the share of each block of a page that is in the annotated main text, by alignment of both's words.

Blocks that the alignment leaves out because they stand elsewhere than in the annotation are placed by runs of three words. Among
blocks of equal text, of which only some are labelled, the label goes to those in labelled company: the measures cannot tell copies
apart, and which of them the alignment met first is chance that no rule can be learned from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from curation.extract.train.kernels.alignment import align
from curation.extract.train.text_overlap import words

MOST_PAIRS = 600_000_000  # of words; of longer texts only runs are looked at
MATCHED = 0.5  # share of a block from which it counts as main text
PLACED = 0.75  # share of its runs, and of its words, that a block which stands elsewhere must have left to it
RUN = 3  # words
COMPANY = 8  # blocks on either side

Labels = npt.NDArray[np.float32]
Counts = npt.NDArray[np.int32]


def block_labels(texts: Sequence[str], main: str) -> tuple[Labels, Counts]:
    """The share of each block that is main text, and how many words it has. texts: the page's blocks, in its order."""
    blocks, wanted = [words(text) for text in texts], words(main)
    sizes = np.array([len(block) for block in blocks], np.int32)
    if not wanted or not len(sizes):
        return np.zeros(len(sizes), np.float32), sizes
    labels = _aligned(blocks, sizes, wanted)
    _place_others(labels, blocks, sizes, wanted)
    return _settled(labels, texts, sizes), sizes


def _aligned(blocks: Sequence[Sequence[str]], sizes: Counts, wanted: Sequence[str]) -> Labels:
    """The share of each block's words that are matched."""
    numbers: dict[str, int] = {}
    second = np.array([numbers.setdefault(word, len(numbers)) for word in wanted], np.int32)
    all_words = np.array([numbers.get(word, -1) for block in blocks for word in block], np.int32)
    owners = np.repeat(np.arange(len(blocks)), sizes)[all_words >= 0]
    first = all_words[all_words >= 0]
    if not 0 < len(first) * len(second) <= MOST_PAIRS:
        return np.zeros(len(blocks), np.float32)
    matched = np.zeros(len(first), np.uint8)
    columns = (2, len(second) + 1)
    steps = np.empty((len(first), len(second)), np.uint8)
    align(first, second, steps, np.empty(columns, np.int32), np.empty(columns, np.uint8), matched)
    hits = np.bincount(owners, matched, len(blocks))
    return (hits / np.maximum(sizes, 1)).astype(np.float32)


def _place_others(labels: Labels, blocks: Sequence[Sequence[str]], sizes: Counts, wanted: Sequence[str]) -> None:
    """Labels blocks, large ones first, whose words are left over in the main text once the matched blocks have theirs."""
    left = Counter(wanted)
    for block in np.flatnonzero(labels >= MATCHED).tolist():
        left.subtract(blocks[block])
    runs = set(_runs_left(wanted, left))
    for block in np.argsort(-sizes, kind="stable").tolist():
        own = blocks[block]
        if labels[block] >= MATCHED or not own:
            continue
        length = min(RUN, len(own))
        found = [tuple(own[at : at + length]) in runs for at in range(len(own) - length + 1)]
        if sum(found) / len(found) < (PLACED if length == RUN else 1.0):
            continue
        share = sum(min(count, max(left[word], 0)) for word, count in Counter(own).items()) / len(own)
        if share >= PLACED:
            labels[block] = share
            left.subtract(own)


def _runs_left(wanted: Sequence[str], left: Counter[str]) -> Iterator[tuple[str, ...]]:
    """Runs of one to three words of the main text, all of which are left."""
    for at in range(len(wanted)):
        for length in range(1, RUN + 1):
            run = tuple(wanted[at : at + length])
            if len(run) < length or left[run[-1]] <= 0:
                break
            yield run


def _settled(labels: Labels, texts: Sequence[str], sizes: Counts) -> Labels:
    """Labels in which, of equal texts, those with most main text around them have the labels of all."""
    settled = labels.copy()
    main, total = (np.concatenate([[0.0], np.cumsum(values)]) for values in (labels * sizes, sizes))
    places: dict[str, list[int]] = {}
    for block, text in enumerate(texts):
        places.setdefault("".join(text.split()), []).append(block)
    for copies in places.values():
        group = np.array(copies)
        labelled = int((labels[group] >= MATCHED).sum())
        if not 0 < labelled < len(group) or sizes[group[0]] == 0:
            continue
        first, last = np.maximum(group - COMPANY, 0), np.minimum(group + COMPANY + 1, len(labels))
        around = main[last] - main[first] - labels[group] * sizes[group]
        company = around / np.maximum(total[last] - total[first] - sizes[group], 1)
        best = np.lexsort((group, -np.round(company, 1)))[:labelled]
        settled[group] = 0
        settled[group[best]] = 1
    return settled
