"""The step `FastText`: scores by any supervised fastText model (`.bin`, `.ftz`), DCLM's classifier for one.

DCLM-Baseline is `{model: fasttext_oh_eli5.bin, label: hq, complement: true, min_score: 0.018112}`:
mlfoundations/dclm, baselines/baselines_configs/fasttext_filter.yaml; Li et al. 2024 (DataComp-LM), 4.4.
"""

from __future__ import annotations

import functools
from typing import Any, Literal

import pyarrow as pa
from pydantic import FiniteFloat
from pydantic.dataclasses import dataclass

from connectors.errors import UserError, nearest
from curation.quality.cutoff import Cutoff, Share, cutoff
from curation.quality.fasttext_file import PREFIX, labels_of
from curation.run.documents import STRICT, texts, with_verdicts


@functools.cache
def _model(path: str) -> Any:
    import fasttext

    labels_of(path)
    return fasttext.load_model(path)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FastText:
    """Removes texts whose score for `label` lies below `min_score`, above `max_score`, or not in the best share `keep`.

    model       a `.bin` or `.ftz` file
    label       with or without `__label__`
    newlines    fastText reads one line. `blank`: white space at the ends goes and each line break is a blank, as in DCLM
                (quality_prediction_enrichers_calc_fasttext.py). `removed`: white space at the ends and line feeds go, so
                that words on both sides grow together, as in datatrove 0.10.1 (filters/fasttext_filter.py)
    complement  the score of a label that is not the best is 1 − the best one's, as in DCLM; for models of two labels.
                fastText adds 0.00001 to each probability, so this is 0.00002 less than the label's own score
    min_score, max_score, keep with calibration: see `cutoff`. With none of them the step only measures

    The score is the measure of the step's name and the verdict's value: fastText's own, which may pass 1 by 0.00001, and
    0 for a label that fastText does not report. A text takes up to 4 bytes of memory for each character n-gram of the
    model's orders. Raises `UserError` for a file that is no whole classifier, or a label that it does not know.
    """

    model: str
    label: str
    newlines: Literal["blank", "removed"] = "blank"
    complement: bool = False
    min_score: FiniteFloat | None = None
    max_score: FiniteFloat | None = None
    keep: Share | None = None
    calibration: str = ""
    reason: str = "fasttext"
    name: str = "fasttext"

    def __post_init__(self) -> None:
        known = labels_of(self.model)
        if self._label not in known:
            plain = [label.removeprefix(PREFIX) for label in known]
            raise UserError(f"{self.name}: the model has no label '{self.label}'.{nearest(self.label, plain)}")
        if self.complement and len(known) != 2:
            raise UserError(f"{self.name}: 'complement' is for models of two labels, and this one has {len(known)}")
        _ = self.cutoff

    @property
    def _label(self) -> str:
        return PREFIX + self.label.removeprefix(PREFIX)

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
        return tuple(filter(None, (self.model, self.calibration)))

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        scores = [self.score(text) for text in texts(batch)]
        verdicts = [self.cutoff.verdict(score, self.reason) for score in scores]
        return with_verdicts(batch, self.name, verdicts, {self.name: scores})

    def score(self, text: str) -> float:
        """fastText's probability of the label."""
        stripped = text.strip()
        line = " ".join(stripped.splitlines()) if self.newlines == "blank" else stripped.replace("\n", "")
        labels, values = _model(self.model).predict(line, k=1 if self.complement else -1)
        for label, value in zip(labels, values, strict=True):
            if label == self._label:
                return float(value)
        return 1 - float(values[0]) if self.complement and values else 0.0
