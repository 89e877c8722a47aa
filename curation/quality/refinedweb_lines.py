"""RefinedWeb's corrections of lines: menus, counters and calls to sign in go, and with them documents that are full of them.

Source: Penedo et al. 2023 (RefinedWeb), section 3.2 and appendix G.2. The paper gives its rules in words and its
patterns by example only; what it leaves open follows DCLM (baselines/mappers/modifiers.py and
baselines_configs/refinedweb.yaml). From DCLM are: capitals against all characters of a line, over a half of them; the
list of counters; that patterns match in any case, that the blank next to one is cut with it, and that a line of
which nothing is left goes. White space around a line is no part of it. Different from DCLM:

- The share compared with `max_flagged_share` is, as in the paper, that of the words in all lines that a rule met.
  DCLM counts the words that went; `count: removed` does so.
- Words are what stands between white space, in all rules; DCLM counts tokens that begin with a letter or digit.
- A line is one of figures also with blanks between them; of one without blanks the single word would say the same.
- `Read more...` is matched as it stands; in DCLM its dots stand for any characters.
- Lines of white space stay; DCLM drops those that have a blank.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from typing import Annotated, Literal

import pyarrow as pa
from pydantic import Field
from pydantic.dataclasses import dataclass

from curation.run import documents
from curation.run.documents import STRICT, TEXT, Verdict

CAPITALS = "capitals"
FIGURES = "figures"
COUNTER = "counter"
FEW_WORDS = "few_words"
CONTAINS = "contains"
ENDS_WITH = "ends_with"
BEGINS_WITH = "begins_with"
EDITS = (CAPITALS, FIGURES, COUNTER, FEW_WORDS, CONTAINS, ENDS_WITH, BEGINS_WITH)

COUNTED = (
    *("likes", "shares", "comments", "retweets", "reposts", "quotes", "bookmarks", "upvotes", "downvotes"),
    *("downloads", "views", "followers"),
)
_ASCII_CAPITALS = bytes(range(ord("A"), ord("Z") + 1))
_OTHER_BYTES = bytes(range(0x80, 0x100))
_AROUND = {CONTAINS: (r"\s?", ""), ENDS_WITH: (r"\s?", r"\s*\Z"), BEGINS_WITH: (r"\A\s*", r"\s?")}

Share = Annotated[float, Field(ge=0, le=1)]
Phrases = tuple[Annotated[str, Field(min_length=1)], ...]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class RefinedWebLines:
    """The step. What a rule meets is dropped, or cut out of the line for the three lists of phrases.

    max_capital_share  a line with more capitals among its characters is dropped; None: no limit
    figures            lines of nothing but figures are dropped
    counted            a line that is a number and one of these (`3 likes`) is dropped
    min_words          a line with fewer words is dropped
    short_line_words   the phrases are looked for in lines with at most so many words
    contains, ends_with, begins_with  phrases that are cut out of short lines, in any case
    max_flagged_share  a document in which more of the words stand in lines that a rule met is removed, reason
                       `too_many_flagged_words`; its text stays as it was
    count              `lines`: all words of these lines are counted; `removed`: those that went

    The share is the measure of the step's name. A column `edit:NAME.KIND` for each of `EDITS` counts lines.
    """

    name: str = "refinedweb_lines"
    max_capital_share: Share | None = 0.5
    figures: bool = True
    counted: Phrases = COUNTED
    min_words: Annotated[int, Field(ge=0)] = 2
    short_line_words: Annotated[int, Field(ge=0)] = 10
    contains: Phrases = ("items in cart",)
    ends_with: Phrases = ("Read more...",)
    begins_with: Phrases = ("Sign-in",)
    max_flagged_share: Share = 0.05
    count: Literal["lines", "removed"] = "lines"

    @property
    def measures(self) -> tuple[str, ...]:
        """The measure that the step adds to the ledger."""
        return (self.name,)

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with its lines corrected, measure, edits and verdicts."""
        strings = documents.texts(batch)
        shares: list[float] = []
        edits: dict[str, list[int]] = {f"{self.name}.{kind}": [] for kind in EDITS}
        for row, string in enumerate(strings):
            share, corrected, counts = self.correct(string)
            shares.append(share)
            strings[row] = string if share > self.max_flagged_share else corrected
            for kind in EDITS:
                edits[f"{self.name}.{kind}"].append(counts[kind])
        batch = documents.with_column(batch, TEXT, pa.array(strings, batch.schema.field(TEXT).type))
        verdicts = [self._verdict(share) for share in shares]
        return documents.with_verdicts(batch, self.name, verdicts, measures={self.name: shares}, edits=edits)

    def correct(self, string: str) -> tuple[float, str, Counter[str]]:
        """The share of words in lines that a rule met, the text without what went, and how many lines each rule met."""
        kept: list[str] = []
        counts: Counter[str] = Counter()
        total = flagged = 0
        for line in string.split("\n"):
            words = line.split()
            total += len(words)
            kinds, left = self._line(line, words) if words else ((), line)
            if kinds:
                counts.update(kinds)
                left_words = len(left.split())
                flagged += len(words) if self.count == "lines" else len(words) - left_words
                if not left_words:
                    continue
            kept.append(left)
        return flagged / total if total else 0.0, "\n".join(kept), counts

    def _line(self, line: str, words: list[str]) -> tuple[tuple[str, ...], str]:
        """The rules that the line meets, and what is left of it."""
        if self.max_capital_share is not None and _capital_share_above(line, self.max_capital_share):
            return (CAPITALS,), ""
        if self.figures and words[0].isdigit() and all(map(str.isdigit, words)):
            return (FIGURES,), ""
        if len(words) < self.min_words:
            return (FEW_WORDS,), ""
        if self.counted and _counter(self.counted).match(line):
            return (COUNTER,), ""
        return self._cut(line) if len(words) <= self.short_line_words else ((), line)

    def _cut(self, line: str) -> tuple[tuple[str, ...], str]:
        """The kinds of phrases that stand in a short line, and the line without them."""
        kinds: list[str] = []
        for kind in (CONTAINS, ENDS_WITH, BEGINS_WITH):
            phrases: tuple[str, ...] = getattr(self, kind)
            if phrases:
                line, cuts = _pattern(kind, phrases).subn("", line)
                kinds += [kind] if cuts else []
        return tuple(kinds), line

    def _verdict(self, share: float) -> Verdict | None:
        if share > self.max_flagged_share:
            return Verdict("removed", "too_many_flagged_words", share, self.max_flagged_share)
        return None


def _capital_share_above(line: str, share: float) -> bool:
    """Whether more than this share of the characters between the white space around them are capitals."""
    line = line.strip()
    content = line.encode()
    others = 0 if len(content) == len(line) else len(content) - len(content.translate(None, _OTHER_BYTES))
    capitals = len(content) - len(content.translate(None, _ASCII_CAPITALS))
    if capitals + others <= share * len(line):
        return False
    return (sum(map(str.isupper, line)) if others else capitals) > share * len(line)


@functools.cache
def _counter(counted: tuple[str, ...]) -> re.Pattern[str]:
    """A line that is a number, also in thousands or millions, and what it counts. Its parts share no character."""
    return re.compile(rf"\W*\d[\d.,]*[kmb]?\s+(?:{'|'.join(map(re.escape, counted))})\W*\Z", re.IGNORECASE)


@functools.cache
def _pattern(kind: str, phrases: tuple[str, ...]) -> re.Pattern[str]:
    before, behind = _AROUND[kind]
    return re.compile(f"{before}(?:{'|'.join(map(re.escape, phrases))}){behind}", re.IGNORECASE)
