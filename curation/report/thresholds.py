"""What the run's recipe asks of which measure, read from the manifest: no step is built and nothing is imported for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from curation.audit.show import number


@dataclass(frozen=True, slots=True)
class Threshold:
    """A rule: documents whose measure lies strictly below `least` or above `greatest` end in `step` for `reason`."""

    step: str
    reason: str
    measure: str
    least: float | None
    greatest: float | None

    @property
    def words(self) -> str:
        """The rule for a reader."""
        if self.least is not None:
            return f"{self.measure} below {number(self.least)}"
        return f"{self.measure} above {number(self.greatest or 0)}"


def thresholds(manifest: dict[str, Any]) -> list[Threshold]:
    """All rules of the run's recipe, in order."""
    found = []
    for entry in manifest["plan"]["recipe"].get("filters") or []:
        for step, body in entry.items():
            if isinstance(body, list):
                found += [
                    Threshold(step, rule["reason"], column_of(rule["measure"]), bound(rule, "min"), bound(rule, "max"))
                    for rule in body
                ]
    return found


def bound(rule: dict[str, Any], name: str) -> float | None:
    """A bound of a rule as a number, None where it has none."""
    return None if rule.get(name) is None else float(rule[name])


def column_of(measure: str) -> str:
    """The ledger's column for a measure of a recipe: the function's name, where it is the user's own by dotted path."""
    return measure.rpartition(":")[2]
