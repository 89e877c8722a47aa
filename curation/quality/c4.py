"""C4's cleaning: drops lines that are no prose, then documents that keep too few sentences. It rewrites the text.

Source: Raffel et al. 2020 (T5), 2.2; the code that made C4, TensorFlow Datasets' text/c4_utils.py; datatrove 0.10.1,
filters/c4_filters.py, `C4QualityFilter`, whose defaults are those here. Both look for `{` and "lorem ipsum" only in lines that
have passed the rules before; the paper says "any page" (`page_rules`). The code wants five words a line and three sentences
and takes no `'` for the end of one. Sentences are spaCy's here and in datatrove, NLTK's in the code.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import Field
from pydantic.dataclasses import dataclass

from curation.run import documents
from curation.run.documents import STRICT, TEXT
from curation.text import rewriting
from curation.text.columns import shared_batch
from curation.text.kernels import lines as facts_of
from curation.text.rewriting import Cleaned

TOO_LONG_WORD = "too_long_word"
NO_TERMINAL_PUNCTUATION = "no_terminal_punctuation"
TOO_FEW_WORDS = "too_few_words"
JAVASCRIPT = "javascript"
POLICY = "policy"
LOREM_IPSUM = "lorem_ipsum"
CURLY_BRACKET = "curly_bracket"
CITATIONS = "citations"
EDITS = (TOO_LONG_WORD, NO_TERMINAL_PUNCTUATION, TOO_FEW_WORDS, JAVASCRIPT, POLICY, CITATIONS)
REASONS = (LOREM_IPSUM, CURLY_BRACKET, "too_few_sentences")

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class Decision(NamedTuple):
    """What becomes of a batch's documents and lines.

    deciding  int64[documents]: which of REASONS, or -1
    values    float64[documents]: what decided
    kept      bool[lines]
    edits     int64[documents] for each of EDITS
    """

    deciding: Int64s
    values: npt.NDArray[np.float64]
    kept: Bools
    edits: dict[str, Int64s]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class C4:
    """The step. The defaults are datatrove's; the published FineWeb recipe sets `terminal_punctuation=False`.

    max_word_length       a line with a longer word (by white space, in characters) is dropped; None: no limit
    remove_citations      cut `[12]`, `[]`, `[edit]` and `[citation needed]` out of lines
    terminal_punctuation  a line must end in one of `end_marks`, and not in ...
    end_marks             ASCII characters
    min_words_per_line    lines with fewer words (by white space, before citations are cut) are dropped
    lorem_ipsum           "lorem ipsum" removes the document
    javascript            lines that say so are dropped
    curly_bracket         `{` removes the document
    policy                lines about terms of use and cookies are dropped
    min_sentences         a document that keeps fewer is removed
    page_rules            `{` and "lorem ipsum" count wherever they stand, also in lines that are dropped

    For each reason in `EDITS` a column `edit:NAME.REASON` counts the lines dropped (for citations: the marks cut out of
    kept lines) up to where the document was decided. The text of a removed document stays as it was.
    """

    name: str = "c4"
    max_word_length: int | None = 1_000
    remove_citations: bool = True
    terminal_punctuation: bool = True
    end_marks: Annotated[str, Field(pattern=r"^[!-~]+$")] = ".?!\"'"
    min_words_per_line: int = 3
    lorem_ipsum: bool = True
    javascript: bool = True
    curly_bracket: bool = True
    policy: bool = True
    min_sentences: int = 5
    page_rules: bool = False

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        texts, rows = shared_batch(batch.column(TEXT))
        cleaned = rewriting.cleaned_lines(texts, self.remove_citations)
        decision = self.decide(cleaned)
        survives = decision.deciding < 0
        strings = rewriting.joined_lines(texts, cleaned, decision.kept, survives, rows)
        batch = documents.with_column(batch, TEXT, strings.cast(batch.schema.field(TEXT).type))
        edits = {f"{self.name}.{reason}": counts[rows] for reason, counts in decision.edits.items()}
        thresholds = [0.0, 0.0, float(self.min_sentences)]
        return documents.with_removals(
            batch, self.name, decision.deciding[rows], REASONS, decision.values[rows], thresholds, edits=edits
        )

    def decide(self, cleaned: Cleaned) -> Decision:
        """Line by line and document by document, from what is known of the lines."""
        drops, ends = self.line_rules(cleaned)
        last = first_lines(ends, cleaned)  # the line that ends each document, or the number of lines
        before = np.arange(len(ends)) < last[cleaned.facts[:, facts_of.LINE_DOCUMENT]]
        kept = (drops < 0) & ~(ends >= 0) & before
        sentences = sums(np.where(kept, cleaned.facts[:, facts_of.LINE_SENTENCES], 0), cleaned)
        ended = last < len(ends)
        deciding = np.where(sentences < self.min_sentences, REASONS.index("too_few_sentences"), -1)
        deciding[ended] = ends[last[ended]]
        values = np.where(ended, 1.0, sentences)
        edits = {
            reason: sums(((drops == number) & before).astype(np.int64), cleaned) for number, reason in enumerate(EDITS)
        }
        edits[CITATIONS] = sums(np.where(kept, cleaned.citations, 0), cleaned)
        return Decision(deciding, values, kept, edits)

    def line_rules(self, cleaned: Cleaned) -> tuple[Int64s, Int64s]:
        """For each line why it is dropped (a number in EDITS) and why its document ends with it (in REASONS), -1 for neither.

        The first rule that fires decides, so they are applied from the last to the first.
        """
        facts, bits = cleaned.facts, cleaned.facts[:, facts_of.LINE_MARKS]
        drops, ends = np.full(len(facts), -1, np.int64), np.full(len(facts), -1, np.int64)

        def drop(reason: str, lines: Bools) -> None:
            drops[lines] = EDITS.index(reason)
            if not self.page_rules:
                ends[lines] = -1

        def end(reason: str, lines: Bools) -> None:
            ends[lines] = REASONS.index(reason)
            drops[lines] = -1

        if self.policy:
            drop(POLICY, has(bits, facts_of.LINE_HAS_POLICY))
        if self.curly_bracket:
            end(CURLY_BRACKET, has(bits, facts_of.LINE_HAS_CURLY))
        if self.javascript:
            drop(JAVASCRIPT, has(bits, facts_of.LINE_HAS_JAVASCRIPT))
        if self.lorem_ipsum:
            end(LOREM_IPSUM, has(bits, facts_of.LINE_HAS_LOREM_IPSUM))
        drop(TOO_FEW_WORDS, facts[:, facts_of.LINE_WORDS] < self.min_words_per_line)
        if self.terminal_punctuation:
            last = (bits >> facts_of.LAST_BYTE_SHIFT) & 0xFF
            ends_well = np.isin(last, np.frombuffer(self.end_marks.encode(), np.uint8))
            drop(NO_TERMINAL_PUNCTUATION, has(bits, facts_of.LINE_ENDS_3_DOTS) | ~ends_well)
        if self.max_word_length is not None:
            drop(TOO_LONG_WORD, facts[:, facts_of.LINE_LONGEST] > self.max_word_length)
        return drops, ends


def has(bits: Int64s, mark: int) -> Bools:
    """Which lines have a mark."""
    found: Bools = (bits & mark) != 0
    return found


def sums(values: Int64s, cleaned: Cleaned) -> Int64s:
    """The sum over each document's lines."""
    running = np.zeros(len(values) + 1, np.int64)
    np.cumsum(values, out=running[1:])
    return np.diff(running[cleaned.lines.offsets])


def first_lines(ends: Int64s, cleaned: Cleaned) -> Int64s:
    """For each document its first line that ends it, or the number of all lines."""
    last = np.full(len(cleaned.lines.offsets) - 1, len(ends), np.int64)
    ending = np.flatnonzero(ends >= 0)[::-1]
    last[cleaned.facts[ending, facts_of.LINE_DOCUMENT]] = ending
    return last
