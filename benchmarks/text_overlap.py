"""How near an extracted text is to the main text: the measures of training, and those of snippets beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from curation.extract.train.text_overlap import ShingleScore, word_f1

__all__ = ["ShingleScore", "SnippetScore", "found_share", "word_f1"]


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
