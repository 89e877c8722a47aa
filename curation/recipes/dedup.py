"""What a recipe may say of deduplication."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Literal

from pydantic import Field, PositiveInt, field_validator, model_validator

from connectors.errors import UserError, nearest
from curation.dedup.banding import ROWS, Banding, choose_banding, finer
from curation.dedup.presets import preset
from curation.dedup.shingles import Shingling
from curation.dedup.signature import signature_length
from curation.recipes.strict import Strict

TARGET = 0.8
KEEP = ("first", "longest", "newest")


class MinHash(Strict):
    """Near duplicates, by banded MinHash signatures.

    preset    a published setting by name, in place of all else
    shingles  what texts are compared by
    target    Jaccard similarity from which two documents count as one; bands follow from it and from the rows, unless they
              are said
    bands     keys of a document, of so many rows each
    verify    candidates are compared, and a document is out only for one that is kept and similar to it. If not, all
              documents that share keys count as one, however far around, as datatrove has it
    """

    shingles: Shingling = Field(default_factory=Shingling)
    target: float = Field(default=TARGET, ge=0.3, le=0.99)
    bands: int = Field(default=16, ge=1, le=500)
    rows: int = Field(default=6, ge=1, le=50)
    verify: bool = True

    @model_validator(mode="before")
    @classmethod
    def settled(cls, given: Any) -> Any:
        """With bands and rows written out, from a preset or from the target."""
        if not isinstance(given, Mapping):
            return given
        plain = dict(given)
        if "preset" in plain:
            chosen = preset(" ".join(str(plain.pop("preset")).split()))
            if plain:
                raise UserError(f"dedup.minhash: a preset says it all: leave out {', '.join(map(str, plain))}")
            return {
                "shingles": {name: value for name, value in asdict(chosen.shingling).items() if value is not None},
                "bands": chosen.bands,
                "rows": chosen.rows,
                "verify": chosen.verify,
            }
        if "bands" in plain:
            if "rows" not in plain:
                raise UserError(
                    "dedup.minhash: say bands and rows, or leave the bands out: they follow from the target"
                )
            return plain
        target, rows = plain.get("target", TARGET), plain.get("rows", ROWS)
        if isinstance(target, int | float) and isinstance(rows, int):
            banding = choose_banding(float(target), rows=rows)
            plain |= {"bands": banding.bands, "rows": banding.rows}
        return plain

    @property
    def banding(self) -> Banding:
        """The bands of the first round."""
        return Banding(self.bands, self.rows)

    @property
    def values(self) -> int:
        """How many values a signature has."""
        return signature_length(self.banding) if self.verify else self.banding.values

    @property
    def finer(self) -> Banding | None:
        """The bands of later rounds, of the same signature; none where nothing is verified."""
        return finer(self.banding, self.values) if self.verify else None


class Best(Strict):
    """Of documents that count as one, the one with the largest value of a measure is kept."""

    best: str


class Alarm(Strict):
    """When deduplication takes too much of a source, language or domain: a warning, and, if `stop`, the end of the run.

    documents   that it must have to be listed
    share       of them removed, above which the alarm is raised; 1 is never

    `share` and `stop` decide no byte of a run, so they are no part of its plan and may differ when it goes on.
    """

    documents: PositiveInt = 1000
    share: float = Field(default=0.9, gt=0, le=1, exclude=True)
    stop: bool = Field(default=False, exclude=True)


class Dedup(Strict):
    """Which documents count as one, and which of them is kept.

    url      the same address, in its canonical form
    exact    the same text, whatever its white space
    minhash  similar text
    sources  in this order are preferred before all else, others after them
    keep     first in the order of the input; longest; newest; or the best by a measure
    against  indexes of earlier runs: what they hold stays, and what is alike here goes
    index    make an index of what this run keeps, for later ones
    """

    url: bool = False
    exact: bool = True
    minhash: MinHash | None = None
    sources: list[str] = Field(default=[], max_length=1000)
    keep: Literal["first", "longest", "newest"] | Best = "first"
    against: list[str] = []
    index: bool = False
    alarm: Alarm = Alarm()

    @field_validator("keep", mode="before")
    @classmethod
    def known(cls, given: Any) -> Any:
        """A policy as it may be said. Raises `UserError` for another."""
        if (
            isinstance(given, Best)
            or isinstance(given, Mapping)
            and isinstance(given.get("best"), str)
            and len(given) == 1
        ):
            return given
        if given not in KEEP:
            told = " ".join(str(given)[:40].split())
            raise UserError(f"dedup.keep: there is no policy '{told}'.{nearest(told, KEEP)} Or say {{best: MEASURE}}")
        return given
