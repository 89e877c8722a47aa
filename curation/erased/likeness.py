"""Which of many given texts a text is similar to, by Jaccard similarity of shingles, and without missing any.

Two sets whose similarity reaches t share at least t of the larger one. So in any order of all hashes, the first
n - ceil(t n) + 1 of either set have one in common: only these are looked up, and who shares one is compared in full. Source:
Chaudhuri, Ganti, Kaushik 2006, "A primitive operator for similarity joins in data cleaning", 3 (prefix filter).

Signatures of bands find a similar pair only probably; for a person's request, probably is too little.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from curation.dedup.sketches import Sketches, sketch_jaccards

WHOLE = 1 << 40  # as the size of sketches: all hashes of any text
_PAIRS = 1 << 20  # compared at a time

Numbers = npt.NDArray[np.int64]
Similarities = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Likeness:
    """Looks texts up among `wanted` ones, which count from their own `similarity` on (0 to 1).

    size  of the sketches: those of the texts that are looked up must have the same. With WHOLE nothing is missed and every
          similarity is true; with fewer the same holds for texts of fewer hashes, and longer ones are estimated
    """

    wanted: Sketches
    similarity: npt.NDArray[np.float32]
    size: int = WHOLE

    def __len__(self) -> int:
        return len(self.similarity)

    def best(self, texts: Sketches) -> tuple[Numbers, Similarities]:
        """For each text the wanted one that is most similar to it (of equals the first), -1 for none, and the similarity."""
        documents = len(texts.offsets) - 1
        which, best = np.full(documents, -1, np.int64), np.zeros(documents)
        for text, wanted, similarity in self._pairs(texts):
            enough = similarity >= self.similarity[wanted].astype(np.float64) - 1e-6
            text, wanted, similarity = text[enough], wanted[enough], similarity[enough]
            order = np.lexsort((-wanted, similarity))  # the last to be written is the most similar, of equals the first
            text, wanted, similarity = text[order], wanted[order], similarity[order]
            here = np.full(documents, -1, np.int64)
            here[text] = np.arange(len(text))
            better = np.flatnonzero(here >= 0)
            better = better[similarity[here[better]] > best[better]]
            which[better], best[better] = wanted[here[better]], similarity[here[better]]
        return which, best

    def _pairs(self, texts: Sketches) -> list[tuple[Numbers, Numbers, Similarities]]:
        """Texts and wanted ones that share a hash of their prefixes, with their similarity."""
        if not len(self) or not len(texts.values):
            return []
        hashes, owners = self._index
        least = float(self.similarity.min())
        places = prefixes(texts.offsets, np.full(len(texts.offsets) - 1, least))
        text = np.repeat(np.arange(len(texts.offsets) - 1), np.diff(texts.offsets))[places]
        low = np.searchsorted(hashes, texts.values[places], side="left")
        counts = np.searchsorted(hashes, texts.values[places], side="right") - low
        found = []
        cuts = np.searchsorted(np.cumsum(counts), np.arange(0, int(counts.sum()), _PAIRS), side="right")
        for start, stop in zip(cuts, [*cuts[1:], len(counts)]):
            part = slice(int(start), max(int(start) + 1, int(stop)))
            found.append(self._compared(texts, text[part], low[part], counts[part], owners))
        return found

    def _compared(
        self, texts: Sketches, text: Numbers, low: Numbers, counts: Numbers, owners: Numbers
    ) -> tuple[Numbers, Numbers, Similarities]:
        within = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
        pairs = np.stack([np.repeat(text, counts), owners[np.repeat(low, counts) + within]], axis=1)
        pairs = np.unique(pairs, axis=0)
        text, wanted = pairs[:, 0], pairs[:, 1]
        sizes, own = np.diff(texts.offsets)[text], np.diff(self.wanted.offsets)[wanted]
        alike = np.minimum(sizes, own) >= np.maximum(sizes, own) * (self.similarity[wanted] - 1e-6)
        if self.size < WHOLE:  # the size of a text that was cut is not known
            alike |= (sizes >= self.size) | (own >= self.size)
        text, wanted = text[alike], wanted[alike]
        rows, first = np.unique(text, return_inverse=True)
        asked, second = np.unique(wanted, return_inverse=True)
        both = concatenated(taken(texts, rows), taken(self.wanted, asked))
        return text, wanted, sketch_jaccards(both, first, second + len(rows), self.size)

    @cached_property
    def _index(self) -> tuple[npt.NDArray[np.uint32], Numbers]:
        """Hashes of the prefixes, ascending, and whose they are."""
        places = prefixes(self.wanted.offsets, self.similarity.astype(np.float64))
        hashes = self.wanted.values[places]
        owner = np.repeat(np.arange(len(self)), np.diff(self.wanted.offsets))[places]
        order = np.argsort(hashes, kind="stable")
        return hashes[order], owner[order]


def prefixes(offsets: Numbers, similarity: Similarities) -> Numbers:
    """Which hashes of texts lie in their prefixes: places in the array of all."""
    sizes = np.diff(offsets)
    length = np.minimum(sizes, sizes - np.ceil(similarity * sizes - 1e-6).astype(np.int64) + 1)
    within = np.arange(int(offsets[-1])) - np.repeat(offsets[:-1], sizes)
    return np.flatnonzero(within < np.repeat(length, sizes))


def taken(sketches: Sketches, rows: Numbers) -> Sketches:
    """The sketches of some documents, in the order of `rows`."""
    sizes = np.diff(sketches.offsets)[rows]
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
    places = np.arange(offsets[-1]) + np.repeat(sketches.offsets[rows] - offsets[:-1], sizes)
    return Sketches(sketches.values[places], offsets)


def concatenated(*parts: Sketches) -> Sketches:
    """The sketches of several lots of documents, one lot behind the other."""
    sizes = [np.zeros(1, np.int64), *(np.diff(part.offsets) for part in parts)]
    values = np.concatenate([np.zeros(0, np.uint32), *(part.values for part in parts)])
    return Sketches(values, np.cumsum(np.concatenate(sizes)))


def cut(sketches: Sketches, size: int) -> Sketches:
    """Sketches of at most so many hashes, of larger ones."""
    sizes = np.minimum(np.diff(sketches.offsets), size)
    within = np.arange(int(sketches.offsets[-1])) - np.repeat(sketches.offsets[:-1], np.diff(sketches.offsets))
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
    return Sketches(sketches.values[within < size], offsets)
