"""What a recipe may say about repeated spans: sentences, lines and paragraphs that documents share."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, NonNegativeInt

from curation.dedup.spans import SpanRule
from curation.recipes.strict import Strict


class Repeated(Strict):
    """Cuts spans that occur more than once out of the documents that deduplication leaves.

    spans          the rules; all look at the same text, and a unit goes if one of them says so
    min_words      a document of which something was cut is removed if it has fewer left (one at least)
    min_sentences  the same for its sentences
    """

    spans: Annotated[list[SpanRule], Field(min_length=1, max_length=255)]
    min_words: NonNegativeInt = 0
    min_sentences: NonNegativeInt = 0
