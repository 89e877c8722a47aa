"""FineWeb-2's filters: the same rules in every language, with thresholds of each language's own.

Source: Penedo et al. 2025 (FineWeb2); huggingface/fineweb-2 d0defb2, fineweb-2-pipeline.py, parts 3 and 5, with the filters
of datatrove 0.10.1. In order: the language's score; Gopher's repetition without paragraphs and characters of lines;
FineWeb's lines without short ones; Gopher's quality. Words are cut by the tokenizer of the language. The thresholds are
the user's own files, in the format that `fineweb2_thresholds` tells. FineWeb-2's were set for the scores of GlotLID; where
another engine says the language, look at `language_score` first.
"""

from __future__ import annotations

import functools
from typing import Annotated, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field, FiniteFloat
from pydantic.dataclasses import dataclass

from connectors.errors import UserError, nearest
from curation.quality.fineweb2_thresholds import Thresholds, known_languages, source_files, thresholds
from curation.quality.measure import Floats, resolve
from curation.quality.multilingual import by_language, rule_values
from curation.quality.rules import Rule, first_broken
from curation.run import documents
from curation.run.documents import LANG_SCORE, STRICT, Verdict
from curation.text.language_names import name_with_script
from curation.text.languages import require
from curation.text.word_batch import words_of_language

LANGUAGE_SCORE = "language_score"
NO_THRESHOLDS = "no_thresholds"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FineWeb2:
    """The step. A document's language is the batch's column `lang`: `deu_Latn`, or an engine's label (`de`).

    thresholds                a folder, or a `.tar.gz` of one, with a file such as `deu_Latn.yml` for each language
    languages                 only these, by the names of the files; (): all that have one. Named ones are checked before the
                              work begins: that they are whole, and that their tokenizers are installed
    names                     the file of a label that is called otherwise: `{sr: srp_Latn}`
    without_thresholds        what becomes of a document in another language; reason `no_thresholds`
    min_words, max_words, …   the bounds that FineWeb-2 has for all languages alike

    Measures of words are null for a document whose language's score is too low. Raises `UserError` for thresholds that
    are not there or damaged, and at the first batch where documents have no language, or one without tokenizer.
    """

    name: str = "fineweb2"
    thresholds: str
    languages: tuple[str, ...] = ()
    names: dict[str, str] = Field(default_factory=dict)
    without_thresholds: Literal["keep", "remove"] = "remove"
    char_duplicates_ratio: FiniteFloat = 0.1
    min_words: Annotated[int, Field(ge=0)] = 50
    max_words: Annotated[int, Field(ge=1)] = 100_000
    max_symbols_per_word: FiniteFloat = 0.1
    max_bullet_line_share: FiniteFloat = 0.9
    max_ellipsis_line_share: FiniteFloat = 0.3
    min_stop_words: Annotated[int, Field(ge=0)] = 2

    def __post_init__(self) -> None:
        known = known_languages(self.thresholds)
        for language in (*self.languages, *self.names.values()):
            if language not in known:
                told = nearest(language, known)
                told = told if told.startswith(" Did") else " Write it as deu_Latn."
                raise UserError(f"{self.name}: '{self.thresholds}' has no '{language[:40]}'.{told}")
        for language in self.languages:
            thresholds(self.thresholds, language)
            require(language)

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures that the step adds to the ledger."""
        return tuple(dict.fromkeys(rule.measure.name for rule in self.rules(_EVERY_RULE)))

    @property
    def files(self) -> tuple[str, ...]:
        """The files that decide what the step does."""
        return source_files(self.thresholds, self._known)

    @functools.cached_property
    def _known(self) -> tuple[str, ...]:
        return self.languages or known_languages(self.thresholds)

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with measures and verdicts."""
        verdicts: list[Verdict | None] = [None] * batch.num_rows
        values: dict[str, list[float | None]] = {name: [None] * batch.num_rows for name in self.measures}
        scores = self._scores(batch)
        for label, rows, strings in by_language(batch, self.name):
            name = self.names.get(label) or name_with_script(label)
            if name not in self._known:
                for row in rows.tolist():
                    verdicts[row] = Verdict("removed", NO_THRESHOLDS) if self.without_thresholds == "remove" else None
                continue
            found = thresholds(self.thresholds, name)
            spoken = scores[rows] >= found.language_score
            for row in rows[~spoken].tolist():
                verdicts[row] = Verdict("removed", LANGUAGE_SCORE, float(scores[row]), found.language_score)
            rows, strings = rows[spoken], [string for string, good in zip(strings, spoken, strict=True) if good]
            decided, measured = self.judge(strings, name, found)
            for place, row in enumerate(rows.tolist()):
                verdicts[row] = decided[place]
                for measure, numbers in measured.items():
                    values[measure][row] = None if np.isnan(numbers[place]) else float(numbers[place])
        return documents.with_verdicts(batch, self.name, verdicts, values)

    def judge(
        self, strings: list[str], language: str, found: Thresholds
    ) -> tuple[list[Verdict | None], dict[str, Floats]]:
        """The verdicts on texts in one language whose scores are high enough, and their measures."""
        rules = self.rules(found)
        values = rule_values(rules, words_of_language(strings, language, found.stopwords))
        verdicts: list[Verdict | None] = []
        for row, number in enumerate(first_broken(rules, values, len(strings)).tolist()):
            rule = rules[number]
            value = float(values[rule.measure.name][row])
            verdicts.append(None if number < 0 else Verdict("removed", rule.reason, value, rule.threshold))
        return verdicts, values

    def rules(self, found: Thresholds) -> list[Rule]:
        """The rules of a language in order, with the reasons that datatrove has for them. A bound of 0 may mean none."""
        rules = [_at_least("characters", 1, "empty")]
        if found.dup_line_frac:
            rules.append(_at_most("duplicate_line_share", found.dup_line_frac, "dup_line_frac"))
        rules += [_at_most(f"top_{n}_gram_share", share, f"top_{n}_gram") for n, share in found.top_n_grams]
        rules += [_at_most(f"duplicate_{n}_gram_share", s, f"duplicated_{n}_n_grams") for n, s in found.dup_n_grams]
        rules += [
            _at_least("filled_lines", 1, "empty"),
            _at_least("terminal_punctuation_line_share", found.line_punct_thr, "line_punct_ratio"),
            _at_most("repeated_line_character_share", self.char_duplicates_ratio, "char_dup_ratio"),
            _at_most("newlines_per_word", found.new_line_ratio, "list_ratio"),
            _at_least("words", self.min_words, "gopher_short_doc"),
            _at_most("words", self.max_words, "gopher_long_doc"),
        ]
        if found.min_avg_word_length:
            rules.append(_at_least("mean_word_length", found.min_avg_word_length, "gopher_below_avg_threshold"))
        if found.max_avg_word_length:
            rules.append(_at_most("mean_word_length", found.max_avg_word_length, "gopher_above_avg_threshold"))
        return [
            *rules,
            _at_most("hashes_per_word", self.max_symbols_per_word, "gopher_too_many_hashes"),
            _at_most("ellipses_per_word", self.max_symbols_per_word, "gopher_too_many_ellipsis"),
            _at_most("bullet_line_share", self.max_bullet_line_share, "gopher_too_many_bullets"),
            _at_most("ellipsis_line_share", self.max_ellipsis_line_share, "gopher_too_many_end_ellipsis"),
            _at_least("alpha_word_share", found.max_non_alpha_words_ratio, "gopher_below_alpha_threshold"),
            _at_least("stop_words_present", self.min_stop_words, "gopher_enough_stop_words"),
        ]

    def _scores(self, batch: pa.RecordBatch) -> Floats:
        """Each document's score of its language; 0 where it has none."""
        if LANG_SCORE not in batch.schema.names:
            raise UserError(f"{self.name}: the documents have no language. Put `language:` in the recipe.")
        scores: Floats = np.array([score or 0.0 for score in batch.column(LANG_SCORE).to_pylist()], np.float64)
        return scores


def _at_least(measure: str, bound: float, reason: str) -> Rule:
    return Rule(measure=resolve(measure), min=bound, reason=reason)


def _at_most(measure: str, bound: float, reason: str) -> Rule:
    return Rule(measure=resolve(measure), max=bound, reason=reason)


_EVERY_RULE = Thresholds(
    language_score=0,
    dup_line_frac=1,
    top_n_grams=((2, 1), (3, 1), (4, 1)),
    dup_n_grams=tuple((n, 1.0) for n in range(5, 11)),
    line_punct_thr=0,
    new_line_ratio=1,
    min_avg_word_length=1,
    max_avg_word_length=1,
    max_non_alpha_words_ratio=1,
    stopwords=(),
)
"""Thresholds with which all rules are there, to know their measures."""
