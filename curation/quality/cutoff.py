"""Where a step that scores texts draws its line: by score, or by the share to keep of a calibrated distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from connectors.errors import UserError
from curation.quality.calibration import Calibration
from curation.run.documents import Verdict

Share = Annotated[float, Field(gt=0, le=1)]


@dataclass(frozen=True, slots=True)
class Cutoff:
    """Removes a score strictly below `min` or strictly above `max`; without either, and without a score, nothing."""

    min: float | None = None
    max: float | None = None

    def verdict(self, score: float | None, reason: str) -> Verdict | None:
        """The verdict on a document with this score, None if it goes on."""
        if score is not None and self.min is not None and score < self.min:
            return Verdict("removed", reason, score, self.min)
        if score is not None and self.max is not None and score > self.max:
            return Verdict("removed", reason, score, self.max)
        return None


def cutoff(
    measure: str,
    *,
    min: float | None = None,
    max: float | None = None,
    keep: float | None = None,
    calibration: str = "",
    lower_is_better: bool = False,
) -> Cutoff:
    """The line that a step's keys draw. `keep` is the share of the best scores in the calibration, ties with the last included.

    Raises `UserError` for keys that contradict each other, and for a calibration that is none, or of another measure.
    """
    if keep is None:
        if calibration:
            raise UserError(f"{measure}: 'calibration' does nothing without 'keep', the share to keep")
        if min is not None and max is not None and min > max:
            raise UserError(f"{measure}: no score is at least {min} and at most {max}")
        return Cutoff(min, max)
    if min is not None or max is not None:
        raise UserError(f"{measure}: give either a score to keep from, or the share to keep (keep), not both")
    if not calibration:
        raise UserError(f"{measure}: 'keep' needs 'calibration', a file that is made with: corpusmill calibrate")
    threshold = Calibration.load(calibration, measure).threshold(keep, lower_is_better)
    return Cutoff(max=threshold) if lower_is_better else Cutoff(min=threshold)
