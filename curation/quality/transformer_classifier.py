"""The step `Transformer`: scores by a transformer that classifies sequences, FineWeb-Edu's regression for one.

FineWeb-Edu is `{model: FOLDER, engine: torch, min_score: 2.5}`: the classifier's only output is the score, 0 to 5, and a
page whose rounded score is 3 or more is kept (Penedo et al. 2024, 5; cosmopedia, classification/run_edu_bert.py).
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import Field, FiniteFloat, NonNegativeInt
from pydantic.dataclasses import dataclass

from connectors.errors import UserError, nearest
from curation.quality.cutoff import Cutoff, Share, cutoff
from curation.quality.transformer_engines import Engine, Model, Whole, config_of, files_of, open_model, tokenizer_path
from curation.run.documents import STRICT, texts, with_verdicts

PAD_TO = 32  # a text is padded to a multiple, so that its shape follows from its own length
CHARACTERS_PER_TOKEN = 64  # of a text so many are read for each token that the model takes


@functools.cache
def _model(model: str, engine: Engine) -> Model:
    return open_model(model, engine)


@functools.cache
def _tokenizer(model: str, engine: Engine, max_tokens: int) -> Any:
    from tokenizers import Tokenizer

    path = tokenizer_path(model, engine)
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception:  # its errors have no common class
        raise UserError(f"'{path}' is no tokenizer file") from None
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    return tokenizer


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Transformer:
    """Removes texts whose score lies below `min_score`, above `max_score`, or not in the best share `keep`.

    model       engine `onnx`: a folder with `model.onnx` and `tokenizer.json`, or the `.onnx` file beside its tokenizer;
                engine `torch`: a folder as transformers saves it, with `model.safetensors` and `tokenizer.json`
    label       the output that is the score, by its name in `config.json`; or `output`, by its number from 0
    activation  `auto`: a model of one output gives it as it is (regression), one of several their softmax
    max_tokens  what comes behind is not read; nor more than 64 characters for each of these tokens
    digits      decimals of the score
    min_score, max_score, keep with calibration: see `cutoff`. With none of them the step only measures

    The score is the measure of the step's name and the verdict's value; it is null where the model gives no number.
    A text's score does not depend on the texts beside it: its padding follows from its own length, and it shares a
    mini-batch only where the engine then gives the same bits, as ONNX Runtime does. Another processor, version or engine
    may differ in the sixth digit; rounding hides most of that, but a score just between two steps still turns over.
    """

    model: str
    engine: Engine = "onnx"
    label: str = ""
    output: NonNegativeInt | None = None
    activation: Literal["auto", "none", "softmax", "sigmoid"] = "auto"
    max_tokens: Annotated[int, Field(ge=8)] = 512
    digits: Annotated[int, Field(ge=0, le=9)] = 4
    min_score: FiniteFloat | None = None
    max_score: FiniteFloat | None = None
    keep: Share | None = None
    calibration: str = ""
    reason: str = "transformer"
    name: str = "transformer"

    def __post_init__(self) -> None:
        files_of(self.model, self.engine)
        config = config_of(self.model, self.engine)
        longest = config.get("max_position_embeddings")
        if isinstance(longest, int) and self.max_tokens > longest:
            raise UserError(f"{self.name}: max_tokens is {self.max_tokens}, and the model takes {longest} at most")
        _ = self.place, self.cutoff

    @functools.cached_property
    def place(self) -> int:
        """The number of the output that is the score. Raises `UserError` for a label that the model does not know."""
        if not self.label:
            return self.output or 0
        named = config_of(self.model, self.engine).get("id2label")
        places = {str(label): int(place) for place, label in named.items()} if isinstance(named, dict) else {}
        if self.output is not None or not places:
            raise UserError(
                f"{self.name}: name the score by 'label', as config.json has it, or by 'output', its number"
            )
        if self.label not in places:
            raise UserError(f"{self.name}: the model has no label '{self.label}'.{nearest(self.label, places)}")
        return places[self.label]

    @functools.cached_property
    def pad(self) -> int:
        """The token that fills up a row; what it is makes no difference under the mask."""
        named = config_of(self.model, self.engine).get("pad_token_id")
        return named if isinstance(named, int) and named >= 0 else 0

    @functools.cached_property
    def cutoff(self) -> Cutoff:
        """The line between what goes on and what does not."""
        return cutoff(self.name, min=self.min_score, max=self.max_score, keep=self.keep, calibration=self.calibration)

    @property
    def measures(self) -> tuple[str, ...]:
        """The measure that the step adds to the ledger."""
        return (self.name,)

    @property
    def files(self) -> tuple[str, ...]:
        """The files that decide what the step does."""
        return (*files_of(self.model, self.engine), *filter(None, (self.calibration,)))

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        scores = self.scores(texts(batch))
        verdicts = [self.cutoff.verdict(score, self.reason) for score in scores]
        return with_verdicts(batch, self.name, verdicts, {self.name: scores})

    def scores(self, strings: list[str]) -> list[float | None]:
        """The score of each text, in order."""
        tokenizer = _tokenizer(self.model, self.engine, self.max_tokens)
        tokens = [tokenizer.encode(text[: CHARACTERS_PER_TOKEN * self.max_tokens]).ids for text in strings]
        found: list[float | None] = [None] * len(strings)
        for rows, ids, mask in self._mini_batches(tokens):
            for row, logits in zip(rows, _model(self.model, self.engine).logits(ids, mask), strict=True):
                found[row] = self._score(logits.astype(np.float64))
        return found

    def _mini_batches(self, tokens: list[list[int]]) -> Iterator[tuple[list[int], Whole, Whole]]:
        """Rows of one padded length together, shortest first, as many as the engine takes at once."""
        by_length: dict[int, list[int]] = defaultdict(list)
        for row, ids in enumerate(tokens):
            by_length[min(-(-len(ids) // PAD_TO) * PAD_TO or PAD_TO, self.max_tokens)].append(row)
        for length, rows in sorted(by_length.items()):
            size = _model(self.model, self.engine).rows(length)
            for start in range(0, len(rows), size):
                some = rows[start : start + size]
                yield some, *self._padded([tokens[row] for row in some], length)

    def _padded(self, tokens: list[list[int]], length: int) -> tuple[Whole, Whole]:
        ids = np.full((len(tokens), length), self.pad, np.int64)
        mask = np.zeros_like(ids)
        for row, some in enumerate(tokens):
            ids[row, : len(some)] = some
            mask[row, : len(some)] = 1
        return ids, mask

    def _score(self, logits: npt.NDArray[np.float64]) -> float | None:
        if self.place >= len(logits):
            raise UserError(f"{self.name}: the model has {len(logits)} outputs, and output {self.place} is asked for")
        value = logits[self.place]
        if self.activation == "sigmoid":
            value = 1 / (1 + np.exp(-value))
        elif self.activation == "softmax" or (self.activation == "auto" and len(logits) > 1):
            powers = np.exp(logits - logits.max())
            value = powers[self.place] / powers.sum()
        return round(float(value), self.digits) + 0.0 if np.isfinite(value) else None
