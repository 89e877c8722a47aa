"""How often each rule of a run's filters decided about a document, from the counts in its manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from curation.pipeline.step_rules import rules_in


@dataclass(frozen=True, slots=True)
class Fired:
    """A rule, by its step and reason, and the documents that it removed. Rules of a step with one reason count together."""

    step: str
    reason: str
    documents: int


def fired(manifest: Mapping[str, Any]) -> list[Fired]:
    """Every rule of the run's recipe in order. A document counts for the first rule that fires, and for no other."""
    ended: dict[str, Mapping[str, int]] = {step["step"]: step["ended"].get("removed", {}) for step in manifest["steps"]}
    return [
        Fired(step, reason, ended.get(step, {}).get(reason, 0))
        for step, rules in map(rules_in, manifest["plan"]["recipe"]["filters"])
        for reason in dict.fromkeys(rule["reason"] for rule in rules)
    ]


def never_fired(manifest: Mapping[str, Any]) -> str:
    """The rules that removed no document, as one line; "" where all did, and where there are none."""
    steps: dict[str, list[str]] = {}
    for rule in fired(manifest):
        if not rule.documents:
            steps.setdefault(rule.step, []).append(rule.reason)
    named = "; ".join(f"{step}: {', '.join(reasons)}" for step, reasons in steps.items())
    return f"never fired: {named}" if named else ""
