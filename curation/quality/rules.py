"""Rules over measures, and the filter that applies them in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Annotated, Any

import pyarrow as pa
from pydantic import BeforeValidator, FiniteFloat, model_validator
from pydantic.dataclasses import dataclass

from connectors.errors import UserError
from curation.quality.measure import Measure, resolve
from curation.run import documents
from curation.run.documents import STRICT, Verdict
from curation.text.segmentation import Text, texts


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

    def breaks(self, value: float | None) -> bool:
        """Whether a document with this value is removed."""
        if value is None:
            return False
        return value < self.threshold if self.min is not None else value > self.threshold


def first_broken(rules: Sequence[Rule], text: Text, computed: dict[str, float | None] | None = None) -> Verdict | None:
    """The verdict of the first rule that fires, None if all hold.

    `computed` receives the measures computed on the way, by name; a measure that several rules name is computed once.
    """
    values = computed if computed is not None else {}
    for rule in rules:
        name = rule.measure.name
        if name not in values:
            values[name] = rule.measure(text)
        value = values[name]
        if rule.breaks(value):
            return Verdict("removed", rule.reason, value, rule.threshold)
    return None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class RuleFilter:
    """A step of rules in order: the first that fires gives reason, value and threshold.

    It adds one column for each measure, null where a rule before had removed the document.
    """

    name: str
    rules: Annotated[tuple[Rule, ...], BeforeValidator(tuple)] = field(default=())

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures that the step adds to the ledger."""
        return tuple(dict.fromkeys(rule.measure.name for rule in self.rules))

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        verdicts: list[Verdict | None] = []
        computed: list[dict[str, float | None]] = []
        for text in texts(documents.texts(batch)):
            computed.append({})
            verdicts.append(first_broken(self.rules, text, computed[-1]))
        columns = {name: [values.get(name) for values in computed] for name in self.measures}
        return documents.with_verdicts(batch, self.name, verdicts, columns)
