"""What a recipe may say of tokens: which tokenizer, and how its tokens lie in shards."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PositiveInt

from curation.recipes.strict import Strict

TRAIN = "train"  # in place of a tokenizer: make one from the run's own text


class Tokenize(Strict):
    """How text becomes shards.

    tokenizer     `train`: a byte-level BPE is trained on the run's own text; else a tokenizer file, or a name that tiktoken
                  has at hand
    engine        fast: a faster encoder, held to the reference's ids; reference: the tokenizer's own library only
    vocabulary    entries, where one is trained
    sample_bytes  text to train on at most, drawn by keyed hash
    shard_tokens  a shard takes whole splits, in order, until their text promises about so many tokens
    """

    tokenizer: str = TRAIN
    engine: Literal["fast", "reference"] = "fast"
    vocabulary: int = Field(default=32768, ge=257)
    sample_bytes: PositiveInt = 32 << 20
    end_of_document: str | None = None
    shard_tokens: float = Field(default=1e8, ge=1)
    order: Literal["split"] = "split"
