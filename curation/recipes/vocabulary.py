"""What a recipe may say of the vocabulary that is trained on a run's own text."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from curation.recipes.strict import Strict
from curation.tokenize.split_patterns import Name

Weight = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]
Model = Literal["bpe", "unigram", "sentencepiece-bpe", "wordpiece"]

SENTENCEPIECE: tuple[Model, ...] = ("unigram", "sentencepiece-bpe")


class Weights(Strict):
    """How much text is drawn, by source and by language; what is not named has 1. A document's weight is the product.

    A document of weight 2 is twice as likely to be drawn as one of weight 1; where that is more than certain, it is drawn
    again, so that a small language can weigh as much as a large one. At 0 none are drawn.
    """

    sources: dict[str, Weight] = {}
    languages: dict[str, Weight] = {}

    @property
    def all_alike(self) -> bool:
        """Whether nothing is weighted."""
        return not any(weight != 1 for weight in (*self.sources.values(), *self.languages.values()))

    def of(self, source: str, language: str | None) -> float:
        """The weight of a document."""
        return self.sources.get(source, 1.0) * self.languages.get(language or "", 1.0)


class Training(Strict):
    """How a vocabulary is trained.

    model       bpe: byte-level, by a trainer of our own; unigram, sentencepiece-bpe: by the sentencepiece library; wordpiece: by
                the tokenizers library
    pattern     bpe: where text is cut, so that no token crosses: as GPT-2, GPT-4, Llama 3 (the same) or GPT-4o has it
    special     special tokens beside the one that ends documents, in the order of ids
    weights     of sources and languages in the sample
    pre_tokens  bpe: distinct pre-tokens that are trained on at most, the most frequent; 300 bytes of memory each
    """

    model: Model = "bpe"
    pattern: Name = "gpt2"
    special: list[str] = []
    weights: Weights = Weights()
    pre_tokens: PositiveInt = 4_000_000
