"""Two texts beside each other, word by word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

CHARACTERS = 2000  # of each text: as many as a run keeps of a near duplicate; the time grows with their square
CONTEXT = 8  # equal words shown on each side of a difference


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of both texts: words in both, or words of the removed one and those of the kept one in their place."""

    both: str = ""
    removed: str = ""
    kept: str = ""


def stretches(removed: str, kept: str) -> Iterator[Stretch]:
    """Both texts as one, in order; equal stretches are shortened to their ends."""
    before, after = removed[:CHARACTERS].split(), kept[:CHARACTERS].split()
    for kind, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            words = before[a:b]
            if len(words) > 2 * CONTEXT + 1:
                words = [*words[:CONTEXT], "…", *words[-CONTEXT:]]
            yield Stretch(both=" ".join(words))
        else:
            yield Stretch(removed=" ".join(before[a:b]), kept=" ".join(after[c:d]))
