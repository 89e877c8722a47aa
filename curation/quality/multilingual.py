"""Rules over measures for many languages: words are cut by the tokenizer of each document's language.

What Gopher's rules become when they leave English: the same measures and thresholds, other words and other stop words.
"""

from __future__ import annotations

import functools
import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import Field, TypeAdapter
from pydantic.dataclasses import dataclass

from connectors.errors import UserError
from curation.quality.measure import Floats
from curation.quality.rules import Rule, first_broken
from curation.run import documents
from curation.run.documents import LANG, STRICT
from curation.text.kernels.chunks import STOP_WORDS as ENGLISH
from curation.text.language_names import name_with_script
from curation.text.languages import assignments, require
from curation.text.word_batch import WordBatch, words_of_language

STOP_WORDS = "stop_words_present"  # the measure that a language without a list of stop words does not have


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Multilingual:
    """The step. Rules in order, as a list of rules is; the first that fires gives reason, value and threshold.

    rules       `{measure: …, min: … or max: …, reason: …}`
    language    all documents are in this language; None: in that of the batch's column `lang`
    stop_words  a JSON file, also with `.gz`, of lists by language (`{"de": ["der", "und"]}`): what the measure
                `stop_words_present` counts, as they are written; it is undefined for a language that is not there. None:
                Gopher's eight English ones, whatever the language

    A document in a language that has no tokenizer has no measures and goes on. Raises `UserError` for a rule or a file that
    is none, for a `language` without tokenizer, and, for a language of the column whose tokenizer is not installed, at the
    first batch that has it.
    """

    name: str = "multilingual"
    rules: Annotated[tuple[dict[str, Any], ...], Field(min_length=1)]
    language: str | None = None
    stop_words: str | None = None

    def __post_init__(self) -> None:
        _ = self._rules
        if self.stop_words is not None:
            stop_word_lists(self.stop_words)
        if self.language is not None:
            require(name_with_script(self.language))

    @functools.cached_property
    def _rules(self) -> tuple[Rule, ...]:
        return tuple(TypeAdapter(Rule).validate_python(rule) for rule in self.rules)

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures that the step adds to the ledger."""
        return tuple(dict.fromkeys(rule.measure.name for rule in self._rules))

    @property
    def files(self) -> tuple[str, ...]:
        """The file that decides what the step does."""
        return () if self.stop_words is None else (self.stop_words,)

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with measures and verdicts."""
        deciding = np.full(batch.num_rows, -1, np.int64)
        decisive = np.zeros(batch.num_rows, np.float64)
        values: dict[str, Floats] = {name: np.full(batch.num_rows, np.nan) for name in self.measures}
        for language, rows, strings in by_language(batch, self.name, self.language):
            if name_with_script(language) not in assignments():
                continue
            known = ENGLISH if self.stop_words is None else stop_word_lists(self.stop_words).get(language)
            here = rule_values(self._rules, words_of_language(strings, name_with_script(language), known or ()))
            if known is None and STOP_WORDS in here:
                here[STOP_WORDS] = np.full(len(rows), np.nan)
            deciding[rows] = first_broken(self._rules, here, len(rows))
            for name, numbers in here.items():
                values[name][rows] = numbers
        for number, rule in enumerate(self._rules):
            decisive = np.where(deciding == number, values[rule.measure.name], decisive)
        reasons, thresholds = [rule.reason for rule in self._rules], [rule.threshold for rule in self._rules]
        return documents.with_removals(batch, self.name, deciding, reasons, decisive, thresholds, values)


def by_language(
    batch: pa.RecordBatch, step: str, language: str | None = None
) -> Iterator[tuple[str, npt.NDArray[np.int64], list[str]]]:
    """Each language of a batch with its rows and their texts, in alphabetical order; one that is not known is `""`.

    `language`: that of all. Raises `UserError` where none is given and the documents have none.
    """
    strings = documents.texts(batch)
    if language is None and LANG not in batch.schema.names:
        raise UserError(f"{step}: the documents have no language. Put `language:` in the recipe, or give the step one.")
    spoken = (
        [label or "" for label in batch.column(LANG).to_pylist()] if language is None else [language] * len(strings)
    )
    for label in sorted(set(spoken)):
        rows = np.array([row for row, other in enumerate(spoken) if other == label], np.int64)
        yield label, rows, [strings[row] for row in rows.tolist()]


def rule_values(rules: Sequence[Rule], words: WordBatch) -> dict[str, Floats]:
    """The measures that rules name, by name."""
    return {measure.name: measure.values(words) for measure in {rule.measure for rule in rules}}


@functools.cache
def stop_word_lists(path: str) -> Mapping[str, Sequence[str]]:
    """The lists of a file by language. Raises `UserError` for a file that is not there, or holds something else."""
    try:
        with gzip.open(path, "rb") if path.endswith(".gz") else open(path, "rb") as file:
            lists = json.load(file)
    except FileNotFoundError:
        raise UserError(
            f"There is no file of stop words '{path}'. One for 57 languages: stopwords-iso.json of"
            " github.com/stopwords-iso/stopwords-iso"
        ) from None
    except (OSError, EOFError, ValueError, RecursionError):
        raise UserError(f"The file of stop words '{path}' cannot be read, or is no JSON.") from None
    if not isinstance(lists, dict) or not all(
        isinstance(words, list) and all(isinstance(word, str) for word in words) for words in lists.values()
    ):
        raise UserError(f'\'{path}\' holds no stop words: it must be like {{"de": ["der", "und"], …}}')
    return lists
