"""A small phrase grammar: rules with alternatives, compiled once, expanded with a page's draws and cast."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Union

SLOT = re.compile(r"\{(\w+)\}")


class Member(str):
    """The name of a list of words that the page's cast supplies."""


Part = Union[str, "Rule"]


class Rule:
    """A named list of alternatives, each a list of literal text, members of the cast, and other rules."""

    __slots__ = ("alternatives",)

    def __init__(self) -> None:
        self.alternatives: list[list[Part]] = []


def compile_grammar(rules: Mapping[str, list[str]], cast: frozenset[str]) -> dict[str, Rule]:
    """Rules by name. Slots name a rule or a member of the cast; anything else raises KeyError."""
    compiled = {name: Rule() for name in rules}

    def part(index: int, text: str) -> Part:
        if index % 2 == 0:
            return text
        return Member(text) if text in cast else compiled[text]

    for name, alternatives in rules.items():
        compiled[name].alternatives = [
            [part(i, text) for i, text in enumerate(SLOT.split(alternative)) if text] for alternative in alternatives
        ]
    return compiled


def expand(rule: Rule, unit: Callable[[], float], cast: Mapping[str, list[str]], out: list[str]) -> None:
    """Appends one drawn expansion of the rule to `out`."""
    alternatives = rule.alternatives
    for part in alternatives[int(unit() * len(alternatives))]:
        kind = part.__class__
        if kind is str:
            out.append(part)  # type: ignore[arg-type]
        elif kind is Rule:
            expand(part, unit, cast, out)  # type: ignore[arg-type]
        else:
            words = cast[part]  # type: ignore[index]
            out.append(words[int(unit() * len(words))])
