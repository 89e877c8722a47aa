"""The step `Language`: labels each text, ends the way of those in no wanted language."""

from __future__ import annotations

import functools
import importlib
from typing import Annotated, Any, ClassVar, Literal

import pyarrow as pa
from pydantic import Field
from pydantic.dataclasses import dataclass

from connectors.errors import UserError, nearest
from curation.run.documents import LANG, LANG_SCORE, STRICT, Verdict, texts, with_column, with_verdicts

Engine = Literal["lid176", "langdetect"]


@functools.cache
def _engine(engine: Engine) -> Any:
    return importlib.import_module(f"curation.language.{engine}_engine")


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Language:
    """Adds `lang` and `lang_score` (best label, its score); removes texts in no wanted language, reason `language`.

    A document goes on when any language of `keep` scores above `min_score`, strictly, even if another language scores
    higher. An empty `keep` wants every language: the best one must score above `min_score`. The verdict's value is the
    best score of a wanted language. The meaning is that of datatrove 0.10.1, filters/language_filter.py.
    Raises `UserError` for a code in `keep` that the engine has no label for.
    """

    engine: Engine = "lid176"
    keep: list[str] = Field(default_factory=list)
    min_score: Annotated[float, Field(ge=0, le=1)] = 0.65

    name: ClassVar[str] = "language"

    def __post_init__(self) -> None:
        known = _engine(self.engine).LANGUAGES
        for language in self.keep:
            if language not in known:
                raise UserError(f"language: '{self.engine}' knows no language '{language}'.{nearest(language, known)}")

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with label, score and verdicts."""
        scored = [_engine(self.engine).scores(text) for text in texts(batch)]
        best = [_best(scores) for scores in scored]
        verdicts = [self._verdict(scores, top) for scores, (_, top) in zip(scored, best, strict=True)]
        batch = with_column(batch, LANG, pa.array([label for label, _ in best], pa.string()))
        batch = with_column(batch, LANG_SCORE, pa.array([score for _, score in best], pa.float64()))
        return with_verdicts(batch, self.name, verdicts)

    def _verdict(self, scores: dict[str, float], top: float) -> Verdict | None:
        wanted = max((scores.get(language, 0.0) for language in self.keep), default=top)
        return None if wanted > self.min_score else Verdict("removed", "language", wanted, self.min_score)


def _best(scores: dict[str, float]) -> tuple[str, float]:
    """The label with the highest score, the first of the engine's order among equals; ("", 0.0) without any."""
    label = max(scores, key=scores.__getitem__, default="")
    return label, scores.get(label, 0.0)
