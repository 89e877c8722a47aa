"""The step `Perplexity`: how surprised a KenLM n-gram model is by a text, as in CCNet (Wenzek et al. 2020, 3.3).

Source: facebookresearch/cc_net, cc_net/perplexity.py, `DocLM` and `PerplexityBucket`, and mine.py for their order: with a
SentencePiece model the document is normalised whole, which takes its line breaks out, and is scored as one line; without
one each line is normalised and scored alone. The perplexity is 10 ** (−log10 probability / length), where length counts
the words, or pieces, and one end a line.
"""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path
from typing import Annotated, Any, Literal

import pyarrow as pa
from pydantic import BeforeValidator, Field, FiniteFloat
from pydantic.dataclasses import dataclass

from connectors.errors import UserError, missing_extra
from curation.quality.calibration import Calibration
from curation.quality.ccnet_text import normalised
from curation.quality.cutoff import Cutoff, Share, cutoff
from curation.run.documents import STRICT, Verdict, texts, with_verdicts

Bucket = Literal["head", "middle", "tail"]
BUCKETS: tuple[Bucket, ...] = ("head", "middle", "tail")
LARGEST_EXPONENT = 308.0  # of ten, in a float64


@functools.cache
def _language_model(path: str) -> Any:
    import kenlm

    settings = kenlm.Config()
    settings.show_progress = False
    settings.arpa_complain = kenlm.ARPALoadComplain.NONE
    try:
        return kenlm.Model(path, settings)
    except (OSError, RuntimeError):
        raise UserError(f"'{path}' is no KenLM model, neither ARPA nor binary") from None


@functools.cache
def _pieces(path: str) -> Any:
    import sentencepiece

    try:
        return sentencepiece.SentencePieceProcessor(model_file=path)
    except (OSError, RuntimeError):
        raise UserError(f"'{path}' is no SentencePiece model") from None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Perplexity:
    """Removes texts whose perplexity lies above `max`, below `min`, in no wanted bucket, or not in the lowest share `keep`.

    model          an `.arpa` file or a binary one of KenLM
    sentencepiece  a SentencePiece model that cuts texts into what the language model knows; without one, words are
    lines          true: each line alone; false: the text as one line. Left out: as CCNet, see above
    buckets        which of `head`, `middle` and `tail` go on: the lowest `head` share of the calibration is the head, what
                   lies between it and `tail` the middle; CCNet cuts at 0.3 and 0.6. The reason is `perplexity_tail`
    digits         decimals of the perplexity; CCNet's is 1
    keep           the share of the lowest perplexities in the calibration. With no line at all the step only measures

    The perplexity is the measure of the step's name and the verdict's value; an empty text has none, and goes on. With a
    calibration the measure NAME_bucket is 0, 1 or 2 for head, middle and tail. Raises `UserError` for files that are not
    there, and at the first batch for files that are no models.
    """

    model: str
    sentencepiece: str = ""
    lines: bool | None = None
    min: FiniteFloat | None = None
    max: FiniteFloat | None = None
    keep: Share | None = None
    buckets: Annotated[tuple[Bucket, ...], BeforeValidator(tuple)] = ()
    head: Share = 0.3
    tail: Share = 0.6
    calibration: str = ""
    digits: Annotated[int, Field(ge=0, le=9)] = 1
    reason: str = "perplexity"
    name: str = "perplexity"

    def __post_init__(self) -> None:
        for path, package in ((self.model, "kenlm"), (self.sentencepiece, "sentencepiece")):
            if path and not Path(path).is_file():
                raise UserError(f"{self.name}: no model at '{path}'")
            if path and importlib.util.find_spec(package) is None:
                raise missing_extra(package, "perplexity")
        if self.buckets and not self.calibration:
            raise UserError(
                f"{self.name}: 'buckets' needs 'calibration', a file that is made with: corpusmill calibrate"
            )
        if self.buckets and (self.min, self.max, self.keep) != (None, None, None):
            raise UserError(f"{self.name}: give either 'buckets' or min, max or keep, not both")
        if self.head > self.tail:
            raise UserError(
                f"{self.name}: the head ends at {self.head}, behind the beginning of the tail at {self.tail}"
            )
        _ = self.cutoff, self.cuts

    @functools.cached_property
    def cutoff(self) -> Cutoff:
        """The line between what goes on and what does not, where there are no buckets."""
        calibration = self.calibration if self.keep is not None else ""
        return cutoff(
            self.name, min=self.min, max=self.max, keep=self.keep, calibration=calibration, lower_is_better=True
        )

    @functools.cached_property
    def cuts(self) -> tuple[float, float] | None:
        """The perplexities at which middle and tail begin, None without a calibration."""
        if not self.calibration:
            return None
        found = Calibration.load(self.calibration, self.name)
        return found.quantile(self.head), found.quantile(self.tail)

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures that the step adds to the ledger."""
        return (self.name, f"{self.name}_bucket") if self.calibration else (self.name,)

    @property
    def files(self) -> tuple[str, ...]:
        """The files that decide what the step does."""
        return tuple(filter(None, (self.model, self.sentencepiece, self.calibration)))

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        found = [self.perplexity(text) for text in texts(batch)]
        columns: dict[str, list[float | None]] = {self.name: list(found)}
        if self.cuts:
            columns[f"{self.name}_bucket"] = [self._place(value) for value in found]
        return with_verdicts(batch, self.name, [self._verdict(value) for value in found], columns)

    def perplexity(self, text: str) -> float | None:
        """The perplexity of a text, rounded; None for an empty one."""
        if not text:
            return None
        by_line = self.lines if self.lines is not None else not self.sentencepiece
        model = _language_model(self.model)
        score, length = 0.0, 0
        for line in text.split("\n") if by_line else [text]:
            line = normalised(line)
            if self.sentencepiece:
                line = " ".join(_pieces(self.sentencepiece).encode(line, out_type=str))
            score += float(model.score(line))
            length += len(line.split()) + 1
        exponent: float = min(-score / length, LARGEST_EXPONENT)
        return round(float(10.0**exponent), self.digits)

    def _place(self, value: float | None) -> float | None:
        if value is None or self.cuts is None:
            return None
        return float((value >= self.cuts[0]) + (value >= self.cuts[1]))

    def _verdict(self, value: float | None) -> Verdict | None:
        if not self.buckets:
            return self.cutoff.verdict(value, self.reason)
        place = self._place(value)
        if place is None or self.cuts is None or BUCKETS[int(place)] in self.buckets:
            return None
        wanted = [BUCKETS.index(bucket) for bucket in self.buckets]
        below = [other for other in wanted if other < place]
        edge = self.cuts[max(below)] if below else self.cuts[min(wanted) - 1]  # of the nearest bucket that goes on
        return Verdict("removed", f"{self.reason}_{BUCKETS[int(place)]}", value, edge)
