"""How near an extracted text is to the main text: the measures of the two public sets, re-stated.

`word_f1`       lower-cased words as multisets, one page at a time (Murrough-Foley/web-content-extraction-benchmark)
`ShingleScore`  runs of four words as multisets, precision and recall averaged over pages before F1 (scrapinghub/
                article-extraction-benchmark)
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import mean

WORD = re.compile(r"\w+")
SHINGLE = 4  # words


def word_f1(text: str, main: str) -> float:
    """F1 of the words of a text; 1 where both have none, 0 where one has none."""
    found, wanted = Counter(WORD.findall(text.lower())), Counter(WORD.findall(main.lower()))
    both = found.total() + wanted.total()
    return 2 * (found & wanted).total() / both if both else 1.0


def shingles(text: str) -> Counter[tuple[str, ...]]:
    """Runs of four words, or the whole of a shorter text."""
    words = WORD.findall(text)
    if 0 < len(words) < SHINGLE:
        return Counter([tuple(words)])
    return Counter(zip(*(words[first:] for first in range(SHINGLE)), strict=False))


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


def found_share(text: str, snippets: Sequence[str]) -> float:
    """Share of snippets that are in a text, in whatever case; 0 where there are none."""
    lowered = text.lower()
    return sum(snippet.lower() in lowered for snippet in snippets) / max(1, len(snippets))


@dataclass
class SnippetScore:
    """Snippets of main text that are there and missing, and of the rest that are there, white space apart."""

    there: int = 0
    missing: int = 0
    wrong: int = 0

    def add(self, text: str, wanted: Sequence[str], unwanted: Sequence[str]) -> None:
        """Takes one more page."""
        squeezed = " ".join(text.split())
        right = sum(" ".join(snippet.split()) in squeezed for snippet in wanted)
        self.there += right
        self.missing += len(wanted) - right
        self.wrong += sum(" ".join(snippet.split()) in squeezed for snippet in unwanted)

    @property
    def f1(self) -> float:
        """F1 of snippets."""
        return 2 * self.there / max(1, 2 * self.there + self.missing + self.wrong)
