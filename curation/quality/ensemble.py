"""The step `Ensemble`: several scores become percentile bins, and the best bin of a text decides, as in Nemotron-CC.

Source: Su et al. 2024 (arXiv 2412.02595), on ensembles of classifiers: each score is made one of 20 bins of equal size, and
the ensemble's score is the highest of a text's bins; NVIDIA NeMo Curator, tutorials, nemotron-cc, quality classification
(`np.digitize` at the 5th, 10th … 95th percentile, weighted by the bytes of the texts).
"""

from __future__ import annotations

import functools
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
from pydantic import BeforeValidator, FiniteFloat, NonNegativeInt
from pydantic.dataclasses import dataclass

from connectors.errors import UserError, nearest
from curation.quality.calibration import BINS, Calibration
from curation.quality.cutoff import Cutoff, Share, cutoff
from curation.run.documents import MEASURE, STRICT, with_verdicts


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Member:
    """One score of an ensemble.

    measure          what a step before this one measured
    bins             a calibration of it, cut into 20 bins; or the cut points themselves, ascending
    lower_is_better  the lowest scores get the highest bin, as with perplexity
    """

    measure: str
    bins: str | list[FiniteFloat]
    lower_is_better: bool = False

    def __post_init__(self) -> None:
        if not self.cut_points or list(self.cut_points) != sorted(self.cut_points):
            raise UserError(f"ensemble: the bins of '{self.measure}' must be cut points in ascending order")

    @functools.cached_property
    def cut_points(self) -> tuple[float, ...]:
        """The scores between the bins, one fewer than there are bins."""
        if isinstance(self.bins, str):
            return Calibration.load(self.bins, self.measure).cut_points(BINS)
        return tuple(self.bins)

    def bin(self, score: float) -> int:
        """The bin of a score, 0 the worst; a score on a cut point belongs to the better bin."""
        if self.lower_is_better:
            return len(self.cut_points) - int(np.searchsorted(self.cut_points, score, "left"))
        return int(np.searchsorted(self.cut_points, score, "right"))


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Ensemble:
    """Removes texts whose best bin lies below `min_bin`, or not in the best share `keep` of the calibrated bins.

    The bin is the measure of the step's name, so a recipe or a question to the ledger can sort texts by quality. A member
    without a value for a text has no say; a text without any has no bin, and goes on. Raises `UserError` for members with
    different numbers of bins, and at the first batch for a measure that no step before this one has taken.
    """

    members: Annotated[tuple[Member, ...], BeforeValidator(tuple)]
    min_bin: NonNegativeInt | None = None
    keep: Share | None = None
    calibration: str = ""
    reason: str = "ensemble"
    name: str = "ensemble"

    def __post_init__(self) -> None:
        sizes = {len(member.cut_points) + 1 for member in self.members}
        if len(sizes) != 1:
            raise UserError(f"{self.name}: give members, all with the same number of bins; there are {sorted(sizes)}")
        if self.min_bin is not None and self.min_bin >= min(sizes):
            raise UserError(f"{self.name}: min_bin is {self.min_bin}, and the best bin is {min(sizes) - 1}")
        _ = self.cutoff

    @functools.cached_property
    def cutoff(self) -> Cutoff:
        """The line between what goes on and what does not."""
        return cutoff(self.name, min=self.min_bin, keep=self.keep, calibration=self.calibration)

    @property
    def measures(self) -> tuple[str, ...]:
        """The measure that the step adds to the ledger."""
        return (self.name,)

    @property
    def needs(self) -> tuple[str, ...]:
        """The measures that steps before this one must have taken."""
        return tuple(member.measure for member in self.members)

    @property
    def files(self) -> tuple[str, ...]:
        """The files that decide what the step does."""
        return (
            *(member.bins for member in self.members if isinstance(member.bins, str)),
            *filter(None, (self.calibration,)),
        )

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        columns = [self._scores(batch, member.measure) for member in self.members]
        bins = [self.best_bin(scores) for scores in zip(*columns, strict=True)]
        verdicts = [self.cutoff.verdict(found, self.reason) for found in bins]
        return with_verdicts(batch, self.name, verdicts, {self.name: bins})

    def best_bin(self, scores: tuple[float | None, ...]) -> float | None:
        """The highest bin of a text's scores, in the order of the members; None where none has a value."""
        bins = [
            member.bin(score)
            for member, score in zip(self.members, scores, strict=True)
            if score is not None and score == score
        ]
        return float(max(bins)) if bins else None

    def _scores(self, batch: pa.RecordBatch, measure: str) -> Any:
        if MEASURE + measure not in batch.schema.names:
            known = [name.removeprefix(MEASURE) for name in batch.schema.names if name.startswith(MEASURE)]
            hint = nearest(measure, known) if known else ""
            raise UserError(f"{self.name}: no step before it measures '{measure}'.{hint}")
        return batch.column(MEASURE + measure).to_pylist()
