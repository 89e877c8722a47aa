"""What a recipe may say of tokens: which tokenizer, and how its tokens lie in shards."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, PositiveInt, model_validator

from connectors.errors import UserError
from curation.recipes.shards import Groups, HeldOut
from curation.recipes.strict import Strict
from curation.recipes.vocabulary import SENTENCEPIECE, Training

TRAIN = "train"  # in place of a tokenizer: make one from the run's own text


class Tokenize(Strict):
    """How text becomes shards.

    tokenizer     `train`: a vocabulary is trained on the run's own text; else a tokenizer file, or a name that tiktoken
                  has at hand
    engine        fast: a faster encoder, held to the reference's ids; reference: the tokenizer's own library only
    vocabulary    entries, where one is trained
    sample_bytes  text to train on at most, drawn by keyed hash
    training      which kind of vocabulary is trained, and on whose text
    shard_tokens  tokens of a shard, about
    order         split: a shard takes whole splits, in order, and sorts their documents by keyed hash; global: all documents of
                  a source are sorted so, and cut into shards
    seed          of that hash, and of the one that says which documents are held out
    held_out      shares of validation and test
    groups        languages, buckets of quality: shards apart
    """

    tokenizer: str = TRAIN
    engine: Literal["fast", "reference"] = "fast"
    vocabulary: int = Field(default=32768, ge=257)
    sample_bytes: PositiveInt = 32 << 20
    training: Training = Training()
    end_of_document: str | None = None
    shard_tokens: float = Field(default=1e8, ge=1)
    order: Literal["split", "global"] = "split"
    seed: int = Field(default=0, ge=0, lt=1 << 64)
    held_out: HeldOut = HeldOut()
    groups: Groups = Groups()

    @model_validator(mode="after")
    def room_for_special_tokens(self) -> Self:
        """Raises `UserError` where the bytes and the special tokens alone are more than the vocabulary."""
        least = 257 + len(self.training.special)
        if self.tokenizer == TRAIN and self.vocabulary < least:
            raise UserError(
                f"tokenize.vocabulary: {self.vocabulary} is too small: bytes and special tokens are {least}"
            )
        return self

    @property
    def needs_sentencepiece(self) -> bool:
        """Whether the vocabulary is trained by a library that an extra brings."""
        return self.tokenizer == TRAIN and self.training.model in SENTENCEPIECE
