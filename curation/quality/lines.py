"""Drops single lines by rules that a recipe states: the general form of the line filters of C4, Dolma and others.

A rule describes the lines that it drops. Patterns run in RE2, whose time is linear in the text whatever the pattern.
"""

from __future__ import annotations

import functools
from collections import Counter
from typing import Annotated, Any

import pyarrow as pa
from pydantic import BeforeValidator, Field, StringConstraints
from pydantic.dataclasses import dataclass

from connectors.errors import UserError, missing_extra
from curation.run import documents
from curation.run.documents import STRICT, TEXT


def _phrases(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Phrases = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_phrases)]
Count = Annotated[int, Field(ge=0)] | None
Reason = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{1,60}$")]
CONDITIONS = (
    *("min_words", "max_words", "min_characters", "max_characters", "begins_with", "ends_with", "ends_without"),
    *("contains", "matches_whole"),
)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class LineRule:
    """Describes lines to drop: all conditions that are given must hold; of a list of phrases, one.

    min_words, max_words            the line has at least, at most so many words (by white space)
    min_characters, max_characters  the same for its characters
    begins_with, ends_with, contains  it has one of these phrases there
    ends_without                    it ends with none of these
    matches_whole                   a regular expression in RE2's syntax matches all of it
    ignore_case                     phrases and the expression match in any case
    """

    reason: Reason
    min_words: Count = None
    max_words: Count = None
    min_characters: Count = None
    max_characters: Count = None
    begins_with: Phrases = ()
    ends_with: Phrases = ()
    ends_without: Phrases = ()
    contains: Phrases = ()
    matches_whole: str = ""
    ignore_case: bool = True

    def __post_init__(self) -> None:
        if not any(getattr(self, condition) not in (None, (), "") for condition in CONDITIONS):
            raise UserError(f"The line rule '{self.reason}' has no condition. Give it one, e.g. contains: [read more].")
        if self.matches_whole:
            _expression(self.matches_whole, self.ignore_case)

    def drops(self, line: str) -> bool:
        """Whether all conditions hold for a line, which has no white space around it."""
        if not _between(len(line), self.min_characters, self.max_characters):
            return False
        counted = self.min_words is not None or self.max_words is not None
        if counted and not _between(len(line.split()), self.min_words, self.max_words):
            return False
        compared = line.lower() if self.ignore_case else line
        if self.begins_with and not compared.startswith(self._compared(self.begins_with)):
            return False
        if self.ends_with and not compared.endswith(self._compared(self.ends_with)):
            return False
        if self.ends_without and compared.endswith(self._compared(self.ends_without)):
            return False
        if self.contains and not any(phrase in compared for phrase in self._compared(self.contains)):
            return False
        expression = _expression(self.matches_whole, self.ignore_case) if self.matches_whole else None
        return expression is None or expression.fullmatch(line) is not None

    def _compared(self, phrases: tuple[str, ...]) -> tuple[str, ...]:
        return _lower(phrases) if self.ignore_case else phrases


@dataclass(frozen=True, kw_only=True, config=STRICT)
class LineRules:
    """The step. A line is dropped by the first rule that describes it; lines of white space always stay.

    White space around a line is no part of it. A column `edit:NAME.REASON` for each reason counts the lines dropped.
    It removes no document: a rule on `words` behind it does.
    """

    name: str = "line_rules"
    rules: Annotated[tuple[LineRule, ...], Field(min_length=1)]

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with its text rewritten, and edits."""
        strings = documents.texts(batch)
        edits: dict[str, list[int]] = {f"{self.name}.{rule.reason}": [0] * len(strings) for rule in self.rules}
        for row, string in enumerate(strings):
            strings[row], counts = self.without(string)
            for reason, count in counts.items():
                edits[f"{self.name}.{reason}"][row] = count
        batch = documents.with_column(batch, TEXT, pa.array(strings, batch.schema.field(TEXT).type))
        return documents.with_verdicts(batch, self.name, [None] * len(strings), edits=edits)

    def without(self, string: str) -> tuple[str, Counter[str]]:
        """The text without the lines that a rule describes, and how many each reason dropped."""
        kept: list[str] = []
        counts: Counter[str] = Counter()
        for line in string.split("\n"):
            stripped = line.strip()
            reason = next((rule.reason for rule in self.rules if rule.drops(stripped)), None) if stripped else None
            if reason is None:
                kept.append(line)
            else:
                counts[reason] += 1
        return "\n".join(kept), counts


def _between(number: int, least: int | None, most: int | None) -> bool:
    return (least is None or number >= least) and (most is None or number <= most)


@functools.cache
def _lower(phrases: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(phrase.lower() for phrase in phrases)


@functools.cache
def _expression(pattern: str, ignore_case: bool) -> Any:
    try:
        import re2
    except ImportError:
        raise missing_extra("google-re2", "text") from None
    options = re2.Options()
    options.case_sensitive = not ignore_case
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        told = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error.args[0])
        raise UserError(f"'{pattern}' is no regular expression that RE2 knows: {told}.") from None
