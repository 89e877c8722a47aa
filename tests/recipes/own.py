"""A user's own measure and step, found by dotted path."""

from __future__ import annotations

import pyarrow as pa
from pydantic.dataclasses import dataclass

from curation.run.documents import STRICT, Verdict, texts, with_verdicts
from curation.text.segmentation import Text

NOT_A_STEP = 5


def vowels_per_character(text: Text) -> float | None:
    """Share of the characters that are vowels; undefined for an empty text."""
    whole = str(text.text if hasattr(text, "text") else text)
    return sum(character in "aeiou" for character in whole.lower()) / len(whole) if whole else None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class NoWord:
    """Removes texts that hold a word."""

    name: str = "no_word"
    word: str
    files: tuple[str, ...] = ()

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        found = [Verdict("removed", "has_word") if self.word in text else None for text in texts(batch)]
        return with_verdicts(batch, self.name, found)
