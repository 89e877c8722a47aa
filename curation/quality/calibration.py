"""How a score is distributed over a sample: turns a share to keep into a threshold, and a score into a percentile bin.

A calibration is 1,001 quantiles in a small JSON file. Quantile i of 1,000 is the score that stands i/1,000 of the way up
the sorted sample: the first score that has no more than that share (of the documents, or of their weight) before it. No
score is interpolated, so the same scores give the same file, in whatever order and files they came.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xxhash

from connectors import storage
from connectors.errors import UserError
from curation.quality.score_columns import read_scores

FORMAT = "corpusmill calibration 1"
STEPS = 1000
BINS = 20

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Calibration:
    """name       of the measure
    count      scores in the sample
    digest     xxh3-128 of the sorted scores (and weights), in hex
    weight     what a document weighed by; "" where each counts as one
    quantiles  1,001 scores, ascending
    """

    name: str
    count: int
    digest: str
    weight: str
    quantiles: tuple[float, ...]

    def quantile(self, share: float) -> float:
        """The score with that share of the sample below it, 0 to 1; between two of the 1,001 points, on the line."""
        place = round(share * STEPS, 9)
        low = min(int(place), STEPS - 1)
        below, above = self.quantiles[low], self.quantiles[low + 1]
        if place == low:
            return below
        return above if place == low + 1 else below + (above - below) * (place - low)

    def threshold(self, keep: float, lower_is_better: bool = False) -> float:
        """The score from which on at least the share `keep` of the sample lies: above it, or below if lower is better."""
        return self.quantile(keep if lower_is_better else 1 - keep)

    def cut_points(self, bins: int = BINS) -> tuple[float, ...]:
        """The `bins` - 1 scores that cut the sample into parts of equal size."""
        return tuple(self.quantile(place / bins) for place in range(1, bins))

    def save(self, path: str | Path) -> None:
        """Writes the JSON file. The same calibration gives the same bytes."""
        described = {"format": FORMAT, **asdict(self)}
        storage.write_bytes(str(path), (json.dumps(described, allow_nan=False) + "\n").encode())

    @staticmethod
    def load(path: str | Path, name: str = "") -> Calibration:
        """Reads what `save` wrote. Raises `UserError` for any other file, or one of another measure than `name`."""
        try:
            plain = json.loads(storage.read_bytes(str(path)))
            sound = plain.pop("format") == FORMAT
            found = Calibration(**{**plain, "quantiles": tuple(map(float, plain["quantiles"]))})
            sound = sound and len(found.quantiles) == STEPS + 1 and all(map(math.isfinite, found.quantiles))
            sound = sound and list(found.quantiles) == sorted(found.quantiles) and isinstance(found.name, str)
        except FileNotFoundError:
            raise UserError(f"No calibration at '{path}'. Make one with: corpusmill calibrate") from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            sound = False
        if not sound:
            raise UserError(f"'{path}' is no calibration. Make one with: corpusmill calibrate")
        if name and found.name != name:
            raise UserError(
                f"The calibration '{path}' is of the measure '{found.name}', not of '{name}'."
                f" Make one with: corpusmill calibrate … --name {name}"
            )
        return found


def calibrate(parts: Iterable[tuple[Floats, Floats | None]], name: str, weight: str = "") -> Calibration:
    """The calibration of scores that come in parts, each with the weights of its documents, or None for 1 each.

    Scores that are no finite number and weights that are not above 0 count for nothing. Holds 8 bytes a score in memory,
    and 8 a weight. Raises `UserError` where no score is left.
    """
    scores, weights = _joined(parts)
    if not len(scores):
        raise UserError(
            f"'{name}' has no value for any document, so there is nothing to calibrate. Name another measure."
        )
    steps = np.arange(STEPS + 1)
    if weights is None:
        scores = np.sort(scores)
        places = np.minimum(steps * len(scores) // STEPS, len(scores) - 1)
        digest = xxhash.xxh3_128(scores.tobytes())
    else:
        order = np.lexsort((weights, scores))
        scores, weights = scores[order], weights[order]
        behind = np.cumsum(weights)
        places = np.searchsorted(np.concatenate([[0.0], behind[:-1]]), behind[-1] * steps / STEPS, side="right") - 1
        digest = xxhash.xxh3_128(scores.tobytes() + weights.tobytes())
    return Calibration(name, len(scores), digest.hexdigest(), weight, tuple(scores[places].tolist()))


def _joined(parts: Iterable[tuple[Floats, Floats | None]]) -> tuple[Floats, Floats | None]:
    scores: list[Floats] = []
    weights: list[Floats] = []
    for some, weighing in parts:
        counts = np.isfinite(some)
        if weighing is not None:
            counts &= np.isfinite(weighing) & (weighing > 0)
            weights.append(weighing[counts])
        scores.append(some[counts] + 0.0)  # one zero: -0.0 has other bytes
    return np.concatenate([np.zeros(0), *scores]), np.concatenate(weights) if weights else None


def calibrate_files(
    sources: Sequence[str], column: str, out: str | Path, *, name: str = "", weight: str = ""
) -> Calibration:
    """Calibrates a measure of run folders, or a column of Parquet or JSONL files, and writes the file `out`.

    `name` is what the steps call the measure, where the column has another name. Raises `UserError`.
    """
    parts = (part for source in sources for part in read_scores(source, column, weight))
    calibration = calibrate(parts, name or column, weight)
    calibration.save(out)
    return calibration


def settings_of(calibration: Calibration) -> dict[str, Any]:
    """What to show of a calibration: count and the scores at some shares."""
    shares = (0.05, 0.25, 0.5, 0.75, 0.9, 0.95)
    return {"scores": calibration.count, **{f"{share:.0%}": calibration.quantile(share) for share in shares}}
