"""What a training run is told, in YAML. Frozen; an unknown key is one line with the nearest known name; stored resolved."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator


class Strict(BaseModel):
    """A part of a configuration: no unknown keys, no changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Stage(Strict):
    """From a step on, sources are drawn in these proportions (any positive weights)."""

    from_step: int = Field(default=0, ge=0)
    blend: dict[str, PositiveFloat]


class Data(Strict):
    """What is read, and in which order. `shards` is the folder `RUN/shards` of a curation run."""

    shards: str = ""
    sequence_length: PositiveInt = 128
    seed: int = 1
    documents: Literal["isolated", "continuous"] = "continuous"
    packing: Literal["concat", "best_fit"] = "concat"  # best_fit: no document is cut that fits a sequence
    stages: tuple[Stage, ...] = ()  # none: every source of the run, by its tokens
    max_epochs: dict[str, PositiveFloat] = {}  # a plan that would repeat a source more often is an error
    blend: str = ""  # a file that `corpusmill blend` made, in place of `stages` and `max_epochs`


class Batch(Strict):
    """Sequences of a step over all ranks, and of a micro-batch on one."""

    sequences: PositiveInt = 8
    micro: PositiveInt = 2


class Model(Strict):
    """A decoder. `vocabulary` is padded by the user, once: never by the layout."""

    architecture: Literal["llama", "gpt2"] = "llama"
    layers: PositiveInt = 4
    hidden: PositiveInt = 64
    heads: PositiveInt = 4
    kv_heads: PositiveInt | None = None  # none: as many as heads
    feed_forward: PositiveInt | None = None  # none: 4 x hidden for gpt2, 8/3 x hidden, rounded up to 32, for llama
    vocabulary: PositiveInt = 512
    tied_embeddings: bool | None = None  # none: tied for gpt2, not for llama
    norm_epsilon: PositiveFloat = 1e-5
    rope_base: PositiveFloat = 10000.0
    initial_deviation: PositiveFloat = 0.02

    @model_validator(mode="after")
    def _divisible(self) -> Model:
        if self.hidden % self.heads or self.heads % self.key_value_heads:
            raise ValueError("hidden must be a multiple of heads, and heads of kv_heads")
        return self

    @property
    def key_value_heads(self) -> int:
        return self.kv_heads or self.heads

    @property
    def feed_forward_size(self) -> int:
        wide = 4 * self.hidden if self.architecture == "gpt2" else -(-8 * self.hidden // 3 // 32) * 32
        return self.feed_forward or wide

    @property
    def is_tied(self) -> bool:
        return self.architecture == "gpt2" if self.tied_embeddings is None else self.tied_embeddings


class Optimizer(Strict):
    """Weight decay falls on matrices only, not on norms, biases or embeddings."""

    name: Literal["adamw", "sgd"] = "adamw"
    lr: PositiveFloat = 1e-3
    betas: tuple[float, float] = (0.9, 0.95)
    eps: PositiveFloat = 1e-8
    weight_decay: NonNegativeFloat = 0.1
    clip_norm: PositiveFloat = 1.0


class Schedule(Strict):
    """The learning rate's factor, a pure function of the step."""

    name: Literal["constant", "linear", "cosine", "wsd"] = "cosine"
    steps: PositiveInt = 100
    warmup: int = Field(default=10, ge=0)
    decay: int = Field(default=0, ge=0)  # of wsd: the last steps
    floor: float = Field(default=0.1, ge=0, le=1)


class Layout(Strict):
    """How a step is spread: data-parallel size is the world size divided by the rest."""

    tensor: PositiveInt = 1
    pipeline: PositiveInt = 1
    sequence_parallel: bool = False
    zero: Literal[0, 1] = 1


class Checkpoint(Strict):
    """When checkpoints are written and how many of the latest are kept."""

    every: PositiveInt = 50
    keep_last: PositiveInt = 3


class Training(Strict):
    """A whole training run."""

    name: str = Field(default="train", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    backend: Literal["reference", "megatron"] = "reference"
    data: Data = Data()
    batch: Batch = Batch()
    model: Model = Model()
    optimizer: Optimizer = Optimizer()
    schedule: Schedule = Schedule()
    layout: Layout = Layout()
    checkpoint: Checkpoint = Checkpoint()
    seed: int = 1  # of the initial weights
    precision: Literal["fp32"] = "fp32"
