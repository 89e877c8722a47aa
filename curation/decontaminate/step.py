"""The step `decontaminate`: documents that have evaluation items in them are removed, cut, or only written down."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar

import numpy as np
import pyarrow as pa
from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass
from pydantic_core import ArgsKwargs

from connectors.errors import UserError, nearest
from curation.decontaminate.account import account_of
from curation.decontaminate.index import Index, build_index
from curation.decontaminate.item_runs import Settings
from curation.decontaminate.items import EvaluationSet, digested, find_sets, read_items, read_phrases
from curation.decontaminate.matching import find
from curation.decontaminate.outcome import Outcome, Terms
from curation.decontaminate.ways import WAYS, Action, Part, Unspaced, Way
from curation.run.documents import STRICT, TEXT
from curation.text.columns import shared_batch

_DEFAULT: Mapping[str, Any] = WAYS["gpt3"]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Decontaminate:
    """Finds evaluation items in documents by n-grams of words, and removes or cuts what has them.

    sets            files, folders or globs of JSON lines or Parquet with `id` and `text` (see `items.py`); a set is called
                    as its file
    way             gpt3, llama, fineweb: what the other keys are unless given (see `ways.py`)
    action          remove: the document goes, reason `contaminated`. cut: the n-grams and `window` characters around them
                    go, then pieces below `min_piece` characters; a document in more than `max_pieces` pieces is removed,
                    reason `too_many_pieces`, and one of which nothing is left, reason `nothing_left`. record: nothing
                    goes, what was found stands in the ledger
    ngram           words of an n-gram
    min_hits        a document has an item if it has so many of its distinct n-grams, or all where it has fewer, ...
    min_covered     ... and they cover this share of the item's words; min_covered_of: another share for a set, by its name
    parts           where a set has `query` and `text`: n-grams of the query, of both, of the text that are looked for
    shortest        an item of fewer words than an n-gram but at least so many counts where it stands as a whole; shorter
                    ones cannot be checked, and `notes` says how many
    min_distinct    n-grams of fewer distinct words are ignored (rows of figures are all `0 0 0`)
    ignore          files of phrases, one a line: their n-grams are ignored
    ignore_common   n-grams that stand in more items than this are ignored; 0: none
    unspaced        characters: in scripts without blanks each counts as a word of an n-gram, and as half of one where words
                    are counted; words: as the English tokenizer cuts them

    The value of `contaminated` is the share covered of the item that the document has most of, or its n-grams where no share
    is asked for. Raises `UserError` for sets that cannot be read, and names in `min_covered_of` that no set has.
    """

    sets: Annotated[tuple[str, ...], Field(min_length=1)]
    way: Way = "gpt3"
    action: Action = _DEFAULT["action"]
    ngram: Annotated[int, Field(ge=2, le=64)] = _DEFAULT["ngram"]
    min_hits: Annotated[int, Field(ge=1)] = _DEFAULT["min_hits"]
    min_covered: Annotated[float, Field(ge=0, le=1)] = _DEFAULT["min_covered"]
    min_covered_of: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(default_factory=dict)
    parts: Annotated[tuple[Part, ...], Field(min_length=1)] = _DEFAULT["parts"]
    shortest: Annotated[int, Field(ge=1)] = _DEFAULT["shortest"]
    min_distinct: Annotated[int, Field(ge=1)] = _DEFAULT["min_distinct"]
    ignore: tuple[str, ...] = ()
    ignore_common: Annotated[int, Field(ge=0)] = _DEFAULT["ignore_common"]
    unspaced: Unspaced = _DEFAULT["unspaced"]
    window: Annotated[int, Field(ge=0)] = 200
    min_piece: Annotated[int, Field(ge=0)] = 200
    max_pieces: Annotated[int, Field(ge=1)] = 10

    name: ClassVar[str] = "decontaminate"

    @model_validator(mode="before")
    @classmethod
    def _in_the_way(cls, given: Any) -> Any:
        """What is given, and what the way says of the rest."""
        keys = given.kwargs if isinstance(given, ArgsKwargs) else given
        if not isinstance(keys, Mapping):
            return given
        way = keys.get("way", "gpt3")
        return {**WAYS[way], **keys} if isinstance(way, str) and way in WAYS else dict(keys)

    def __post_init__(self) -> None:
        names = [each.name for each in self.evaluation_sets]
        for name in self.min_covered_of:
            if name not in names:
                raise UserError(f"{self.name}: min_covered_of: no set is called '{name}'.{nearest(name, names)}")
        for key, value in (("shortest", self.shortest), ("min_distinct", self.min_distinct)):
            if value > self.ngram:
                raise UserError(
                    f"{self.name}: {key} is {value}, but an n-gram has {self.ngram} words: give at most that"
                )
        for each in self.evaluation_sets:
            for _ in read_items(each.path):  # so that a mistake shows now
                pass
        for path in self.ignore:
            read_phrases(path)

    @cached_property
    def evaluation_sets(self) -> tuple[EvaluationSet, ...]:
        """The sets that were there when the recipe was read, in order."""
        return find_sets(self.sets)

    @cached_property
    def settings(self) -> Settings:
        """What the index is made of."""
        ignore = tuple(digested(path) for path in self.ignore)
        common = (self.ngram, self.parts, self.shortest, self.min_distinct, ignore, self.ignore_common)
        return Settings(self.evaluation_sets, *common, self.unspaced == "characters")

    @cached_property
    def terms(self) -> Terms:
        """What has to be found in a document for it to be contaminated, and what then becomes of it."""
        shares = [self.min_covered_of.get(each.name, self.min_covered) for each in self.evaluation_sets]
        cut = (self.window, self.min_piece, self.max_pieces)
        return Terms(self.action, self.min_hits, np.array(shares), *cut)

    @property
    def files(self) -> tuple[str, ...]:
        """The files that decide what the step does."""
        return (*(each.path for each in self.evaluation_sets), *self.ignore)

    @property
    def index(self) -> Index:
        """The n-grams of the sets, built when it is first asked for in a process."""
        return build_index(self.settings)

    @property
    def notes(self) -> tuple[str, ...]:
        """The size of the index, and a line for each set with items that cannot be checked."""
        return account_of(self.index, self.evaluation_sets)

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with verdicts, what was found, and the text rewritten if it is cut."""
        texts, rows = shared_batch(batch.column(TEXT))
        place_of = np.full(len(texts), -1, np.int64)
        place_of[rows] = np.arange(len(rows))
        outcome = Outcome(self.terms, self.index, self.evaluation_sets, texts, len(rows))
        for found in find(texts, self.index, self.settings.split):
            if place_of[found.document] >= 0:
                outcome.take(int(place_of[found.document]), found)
        return outcome.written(batch, self.name)
