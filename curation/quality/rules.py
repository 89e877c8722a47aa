"""Rules over measures, and the filter that applies them in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import BeforeValidator, FiniteFloat, model_validator
from pydantic.dataclasses import dataclass

from connectors.errors import UserError
from curation.quality.measure import Floats, Measure, resolve
from curation.run import documents
from curation.run.documents import STRICT
from curation.text.columns import shared_batch


def _measure(value: Any) -> Any:
    return resolve(value) if isinstance(value, str) else value


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Rule:
    """Removes a document whose measure lies strictly below `min` or strictly above `max`; exactly one of them is given.

    `measure` is a `Measure`, or what `measure.resolve` takes. An undefined measure fires no rule.
    """

    measure: Annotated[Measure, BeforeValidator(_measure)]
    min: FiniteFloat | None = None
    max: FiniteFloat | None = None
    reason: str

    @model_validator(mode="after")
    def _one_bound(self) -> Rule:
        if (self.min is None) == (self.max is None):
            raise UserError(f"The rule '{self.reason}' needs exactly one of min and max.")
        return self

    @property
    def threshold(self) -> float:
        bound = self.min if self.min is not None else self.max
        assert bound is not None
        return bound

    def breaks(self, values: Floats) -> npt.NDArray[np.bool_]:
        """Which of these values remove a document; NaN, an undefined one, does not."""
        broken: npt.NDArray[np.bool_] = values < self.threshold if self.min is not None else values > self.threshold
        return broken


def first_broken(rules: Sequence[Rule], values: Mapping[str, Floats], rows: int) -> npt.NDArray[np.int64]:
    """Which rule is the first that fires for each row, -1 if all hold. `values`: each measure's, by name."""
    deciding = np.full(rows, -1, np.int64)
    for number, rule in reversed(list(enumerate(rules))):
        deciding[rule.breaks(values[rule.measure.name])] = number
    return deciding


@dataclass(frozen=True, kw_only=True, config=STRICT)
class RuleFilter:
    """A step of rules in order: the first that fires gives reason, value and threshold.

    It adds one column for each measure, for every document: what a later rule would have said of one that an earlier rule
    removed is known, too.
    """

    name: str
    rules: Annotated[tuple[Rule, ...], BeforeValidator(tuple)] = field(default=())

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures that the step adds to the ledger."""
        return tuple(dict.fromkeys(rule.measure.name for rule in self.rules))

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        texts, rows = shared_batch(batch.column(documents.TEXT))
        measures = {rule.measure.name: rule.measure for rule in self.rules}
        values = {name: measure.values(texts)[rows] for name, measure in measures.items()}
        deciding = first_broken(self.rules, values, len(rows))
        decisive = np.zeros(len(rows), np.float64)
        for number, rule in enumerate(self.rules):
            decisive = np.where(deciding == number, values[rule.measure.name], decisive)
        reasons, thresholds = [rule.reason for rule in self.rules], [rule.threshold for rule in self.rules]
        return documents.with_removals(batch, self.name, deciding, reasons, decisive, thresholds, values)
