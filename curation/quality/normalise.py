"""Brings texts into one form: Unicode normal form, line ends, blanks. Each part has a key; only NFC is on by default.

Sources: Unicode Standard Annex 15 (normal forms) and 4.0, 5.8 (newline functions). Python sorts a run of combining
marks in quadratic time, and a page may be one such run; runs longer than Annex 15 calls safe (30) are therefore
brought into canonical order before, which changes no result.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import Annotated, Literal

import pyarrow as pa
from pydantic import Field
from pydantic.dataclasses import dataclass

from curation.run import documents
from curation.run.documents import STRICT, TEXT

Form = Literal["NFC", "NFKC", "none"]

SAFE_RUN = 30
_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_CONTROLS = {c: None for c in (*range(0x20), *range(0x7F, 0xA0)) if chr(c) not in "\t\n\r"}
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_BLANK = "[\t \xa0\u1680\u2000-\u200a\u202f\u205f\u3000]"
_BLANKS = re.compile(_BLANK + "{2,}")


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Normalise:
    """The step. The parts are applied in this order:

    line_ends           CR LF, CR, NEL, vertical tab, form feed, line and paragraph separators become newlines
    form                the Unicode normal form; `none` leaves the text
    control_characters  control characters but tab, LF and CR are cut out
    max_blanks          of a longer run of blanks (tabs, and spaces of any width) in a line the first so many stay
    max_empty_lines     of a longer run of lines with nothing but blanks the first so many stay

    For each part that is switched on a column `edit:NAME.PART` counts: line ends changed; lines that the form changed;
    characters cut out; blanks cut out; lines cut out. It removes no document.
    """

    name: str = "normalise"
    form: Form = "NFC"
    line_ends: bool = False
    control_characters: bool = False
    max_blanks: Annotated[int, Field(ge=1)] | None = None
    max_empty_lines: Annotated[int, Field(ge=0)] | None = None

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with its text rewritten, and edits."""
        strings = documents.texts(batch)
        edits: dict[str, list[int]] = {part: [] for part in self.parts}
        for row, string in enumerate(strings):
            strings[row], counts = self.apply(string)
            for part in self.parts:
                edits[part].append(counts[part])
        batch = documents.with_column(batch, TEXT, pa.array(strings, batch.schema.field(TEXT).type))
        named = {f"{self.name}.{part}": counts for part, counts in edits.items()}
        return documents.with_verdicts(batch, self.name, [None] * len(strings), edits=named)

    @property
    def parts(self) -> tuple[str, ...]:
        """What is switched on, in order."""
        switched = {
            "line_ends": self.line_ends,
            "form": self.form != "none",
            "control_characters": self.control_characters,
            "max_blanks": self.max_blanks is not None,
            "max_empty_lines": self.max_empty_lines is not None,
        }
        return tuple(part for part, on in switched.items() if on)

    def apply(self, string: str) -> tuple[str, dict[str, int]]:
        """The text in its form, and what each part that is switched on changed."""
        counts = dict.fromkeys(self.parts, 0)
        if self.line_ends:
            string, counts["line_ends"] = _LINE_END.subn("\n", string)
        if self.form != "none" and not string.isascii():
            before, string = string, normal_form(string, self.form)
            counts["form"] = _lines_changed(before, string)
        if self.control_characters and _CONTROL.search(string):
            before, string = string, string.translate(_CONTROLS)
            counts["control_characters"] = len(before) - len(string)
        if self.max_blanks is not None:
            before, string = string, _without_blanks(string, self.max_blanks)
            counts["max_blanks"] = len(before) - len(string)
        if self.max_empty_lines is not None:
            string, counts["max_empty_lines"] = _without_empty_lines(string, self.max_empty_lines)
        return string, counts


def normal_form(string: str, form: Literal["NFC", "NFD", "NFKC", "NFKD"]) -> str:
    """What `unicodedata.normalize` gives, in linear time for any text."""
    if string.isascii():
        return string
    # A run that is too long holds at least one of the characters taken at this distance.
    if not _marks().isdisjoint(string[:: SAFE_RUN + 1]):
        string = _long_run().sub(_in_canonical_order, string)
    return unicodedata.normalize(form, string)


@functools.cache
def _marks() -> frozenset[str]:
    """The characters whose decomposition is combining marks only."""
    characters = map(chr, range(0x300, 0x110000))
    return frozenset(c for c in characters if unicodedata.combining(unicodedata.normalize("NFD", c)[0]))


@functools.cache
def _long_run() -> re.Pattern[str]:
    return re.compile(f"[{''.join(sorted(_marks()))}]{{{SAFE_RUN + 1},}}")


def _in_canonical_order(run: re.Match[str]) -> str:
    marks = [mark for character in run[0] for mark in unicodedata.normalize("NFD", character)]
    return "".join(sorted(marks, key=unicodedata.combining))


def _lines_changed(before: str, after: str) -> int:
    """How many lines differ; no normal form makes or takes a newline."""
    if before == after:
        return 0
    return sum(old != new for old, new in zip(before.split("\n"), after.split("\n"), strict=True))


def _without_blanks(string: str, limit: int) -> str:
    if string.isascii() and "\t" not in string and " " * (limit + 1) not in string:
        return string
    return _BLANKS.sub(lambda run: run[0][:limit], string)


def _without_empty_lines(string: str, limit: int) -> tuple[str, int]:
    lines = string.split("\n")
    kept: list[str] = []
    empty = 0
    for line in lines[:-1]:
        empty = 0 if line.strip() else empty + 1
        if empty <= limit:
            kept.append(line + "\n")
    cut = len(lines) - 1 - len(kept)
    if lines[-1] and not lines[-1].strip() and empty >= limit:
        return "".join(kept), cut + 1
    return "".join(kept) + lines[-1], cut
