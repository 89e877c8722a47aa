"""How near an extracted text is to the main text: the measures of the two public sets, re-stated.

`word_f1`       lower-cased words as multisets, one page at a time (Murrough-Foley/web-content-extraction-benchmark)
`ShingleScore`  runs of four words as multisets, precision and recall averaged over pages before F1 (scrapinghub/
                article-extraction-benchmark)
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from statistics import mean

WORD = re.compile(r"\w+")
SHINGLE = 4  # words


def words(text: str) -> list[str]:
    """The words of a text in lower case, as `word_f1` counts them."""
    return WORD.findall(text.lower())


def word_f1(text: str, main: str) -> float:
    """F1 of the words of a text; 1 where both have none, 0 where one has none."""
    found, wanted = Counter(words(text)), Counter(words(main))
    both = found.total() + wanted.total()
    return 2 * (found & wanted).total() / both if both else 1.0


def shingles(text: str) -> Counter[tuple[str, ...]]:
    """Runs of four words, or the whole of a shorter text."""
    found = WORD.findall(text)
    if 0 < len(found) < SHINGLE:
        return Counter([tuple(found)])
    return Counter(zip(*(found[first:] for first in range(SHINGLE)), strict=False))


@dataclass
class ShingleScore:
    """Precision and recall of each page; a page without text has no precision, one without main text no recall."""

    precisions: list[float] = field(default_factory=list)
    recalls: list[float] = field(default_factory=list)

    def add(self, text: str, main: str) -> None:
        """Takes one more page."""
        found, wanted = shingles(text), shingles(main)
        right = (found & wanted).total()
        if found:
            self.precisions.append(right / found.total())
        if wanted:
            self.recalls.append(right / wanted.total())

    @property
    def f1(self) -> float:
        """F1 of the mean precision and the mean recall."""
        precision, recall = mean(self.precisions or [0.0]), mean(self.recalls or [0.0])
        return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
