"""The rules over measures that a step applies, whether it is a list of rules or a step that is given one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curation.quality.rules import Rule
from curation.recipes.model import build_rule
from curation.run.documents import Step


def rules_of(step: Step) -> tuple[Rule, ...]:
    """A step's rules in order; none where it has none, or chooses them for each document."""
    return tuple(
        rule if isinstance(rule, Rule) else build_rule(step.name, rule)
        for rule in _listed(getattr(step, "rules", ()))
        if isinstance(rule, Rule) or _is_rule(rule)
    )


def rules_in(entry: Mapping[str, Any]) -> tuple[str, list[Mapping[str, Any]]]:
    """The same of a filter's entry in a resolved recipe: the step's name, and its rules as plain data."""
    name, body = next(iter(entry.items()))
    if isinstance(body, Mapping):
        name, body = str(body.get("name", name)), body.get("rules")
    return name, [rule for rule in _listed(body) if _is_rule(rule)]


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else []


def _is_rule(value: Any) -> bool:
    return isinstance(value, Mapping) and {"measure", "reason"} <= set(value)
